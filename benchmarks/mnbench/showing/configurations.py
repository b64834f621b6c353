"""Records -> the lines of the table of 2017: a forward and a backward pass of one configuration are one line.

Here too is what its columns say of a cell, in that table's own words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mnbench.catalogue import ENGINES, EngineKind
from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work
from mnbench.process_environment import supported_instruction_sets
from mnbench.record import Record, Row
from mnbench.showing.loose_facts import fact_text, fact_texts

__all__ = [
    "Configuration",
    "configurations_of",
    "details_of",
    "device_of",
    "engine_of",
    "fused_of",
    "is_fused",
    "kind_of_engine",
    "limit_of",
    "norm_of",
    "offered_by",
    "precision_of",
    "quantized_of",
    "title_of_engine",
]

_QUANTIZED = {
    Variant.INT8: "8-bits",
    Variant.DYNAMIC: "8-bits (dynamic)",
    Variant.INT16X8: "8-bits (int16x8)",
    Variant.FP16: "fp16",
    Variant.BF16: "bf16",
}
# What says no more than the variant does. Of a quantized file it is said of the floats that are left.
_PLAIN = ("float32", "f32", "fp32")
_SAME: dict[Variant, tuple[str, ...]] = {Variant.FP16: ("float16", "f16", "fp16"), Variant.BF16: ("bfloat16", "bf16")}
# Training frameworks that both forms of BatchNorm are one program on, and what becomes of it there
# (mnmodels.architectures.batch_norm): to say "fused" of either would name a difference that there is none of.
_ONE_NORM = {"keras-jax": "by XLA", "keras-torch": "composed"}
_INSTRUCTION_SETS: dict[str, str] = {
    InstructionSet.SSE41: "SSE4.1",
    InstructionSet.AVX2: "AVX2",
    InstructionSet.AVX512: "AVX-512",
    InstructionSet.AMX: "AMX",
}
# The best first; Linux calls NEON asimd on 64-bit ARM.
_ARM_STEPS = {"sve": "SVE", "i8mm": "NEON, i8mm", "asimddp": "NEON, dotprod", "asimd": "NEON", "neon": "NEON"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One line: ``cell`` is the forward pass's, measured or not."""

    record: Record
    cell: Cell
    forward: Row | None = None
    backward: Row | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for row in (self.forward, self.backward) if row is not None)

    @property
    def instruction_set(self) -> str:
        """``≤ AVX2`` where the process was limited to that, else what the engine, or the CPU, has to offer."""
        if self.cell.instruction_set is not None:
            return limit_of(self.cell)
        if self.cell.device is Device.GPU:
            return ""
        told = (fact_text(process.facts, "instruction_set") for row in self.rows for process in row.processes)
        word = next((each for each in told if each), "") or offered_by(self.record)
        return _INSTRUCTION_SETS.get(_known(word), word)


def configurations_of(records: Sequence[Record]) -> dict[str, list[Configuration]]:
    """Every configuration with a pass forward or backward, by model; in the records' order."""
    found: dict[str, list[Configuration]] = {}
    for record in records:
        for configuration in _of_record(record).values():
            found.setdefault(configuration.cell.model, []).append(configuration)
    return found


def _of_record(record: Record) -> Mapping[str, Configuration]:
    found: dict[str, Configuration] = {}
    for row in record.rows:
        if row.cell.work not in (Work.FORWARD, Work.FORWARD_BACKWARD):
            continue
        cell = replace(row.cell, work=Work.FORWARD)
        known = found.get(cell.key, Configuration(record=record, cell=cell))
        is_forward = row.cell.work is Work.FORWARD
        found[cell.key] = replace(known, forward=row) if is_forward else replace(known, backward=row)
    return found


def device_of(record: Record, device: Device) -> str:
    """The column Device: what computed, and where."""
    gpu = fact_text(record.machine, "before", "gpu", "name") if device is Device.GPU else ""
    return f"{device.upper()}, {gpu or record.device}"


def offered_by(record: Record) -> str:
    """The most that the CPU offers to kernels of networks, in the words of limits; empty where it isn't known."""
    flags = fact_texts(record.machine, "before", "cpu", "flags")
    steps = supported_instruction_sets(flags)
    if steps:
        return str(steps[-1])
    return next((word for flag, word in _ARM_STEPS.items() if flag in flags), "")


def quantized_of(cell: Cell) -> str:
    """The column Quantized: how numbers are narrower than float32; empty where they aren't."""
    return _QUANTIZED.get(cell.variant, "")


def fused_of(cell: Cell) -> str:
    """The column Fused-BN: the fused kernel of a training framework, or BatchNorm folded into the convolutions; where
    a framework has one program for both forms, what becomes of it.
    """
    if cell.engine in _ONE_NORM:
        return _ONE_NORM[cell.engine]
    fused = "On" if kind_of_engine(cell.engine) is EngineKind.KERAS else "folded"
    return fused if is_fused(cell) else ""


def is_fused(cell: Cell) -> bool:
    """Whether BatchNorm has a kernel of its own, as 2017's did where it was fused, or needs none: it is folded."""
    if kind_of_engine(cell.engine) is EngineKind.KERAS:
        return cell.batch_norm is BatchNorm.FUSED and cell.engine not in _ONE_NORM
    return cell.variant is not Variant.UNFUSED


def norm_of(cell: Cell) -> str:
    """What a training framework makes of BatchNorm, in a row's name: the form that was asked for, if it has two."""
    if cell.batch_norm is None:
        return ""
    if cell.engine in _ONE_NORM:
        return f"BN {_ONE_NORM[cell.engine]} ({cell.batch_norm} asked for)"
    return f"{cell.batch_norm} BN"


def engine_of(cell: Cell, row: Row | None) -> str:
    """The engine's title, with its version where a process has told it."""
    versions = (fact_text(process.facts, "version") for process in (row.processes if row else ()))
    return " ".join(filter(None, (title_of_engine(cell.engine), next(versions, ""))))


def precision_of(cell: Cell, row: Row | None) -> str:
    """What a row was computed in, where that is more than its variant says: as ``float32, TF32 in convolutions``."""
    told = (fact_text(process.facts, "precision") for process in (row.processes if row else ()))
    word = next(told, "")
    return "" if word.lower() in (cell.variant, *_SAME.get(cell.variant, _PLAIN)) else word


def title_of_engine(name: str) -> str:
    """As the catalogue has it; an engine that only a newer mnbench knows is shown by its name."""
    return ENGINES[name].title if name in ENGINES else name


def kind_of_engine(name: str) -> EngineKind | None:
    """None for an engine that only a newer mnbench knows."""
    return ENGINES[name].kind if name in ENGINES else None


def limit_of(cell: Cell) -> str:
    """As ``≤ AVX2``; empty where the process might use whatever the CPU has."""
    return "" if cell.instruction_set is None else f"≤ {_INSTRUCTION_SETS[cell.instruction_set]}"


def details_of(cell: Cell) -> str:
    """What else there is to say of a cell, beside its engine and variant: as ``XLA, 2 threads, batch 8``."""
    compilers = {Compiler.XLA: "XLA" if cell.engine != "keras-jax" else ""}  # JAX has no other
    threads = "" if cell.threads is None else f"{cell.threads} thread{'s' if cell.threads > 1 else ''}"
    words = (
        compilers.get(cell.compiler, "") if cell.compiler else "",
        threads if cell.device is Device.CPU else "",
        f"batch {cell.batch}" if cell.batch > 1 else "",
        "" if cell.use_xnnpack else "without XNNPACK",
    )
    return ", ".join(word for word in words if word)


def _known(word: str) -> InstructionSet | str:
    return next((each for each in InstructionSet if str(each) == word.lower()), word)
