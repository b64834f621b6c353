"""What one figure is of: a cell of the table, told completely enough to be measured again, and to be found again.

Pure data. Engines by name are in ``catalogue.py``; what came out of measuring is in ``record.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mnbench.fields import Fields

__all__ = ["BatchNorm", "Cell", "Compiler", "Device", "InstructionSet", "Variant", "Work"]


class Work(StrEnum):
    """What is timed."""

    FORWARD = "forward"
    FORWARD_BACKWARD = "forward-backward"  # the loss, and its gradients for all weights
    PHOTO_TO_LABEL = "photo-to-label"
    COLD_START = "cold-start"  # a whole process, from nothing to a label
    IMPORT = "import"  # a whole process that imports the runtime and ends

    @property
    def is_whole_process(self) -> bool:
        """Whether a program is started and ended in each run, on the cores that a user's would have."""
        return self in (Work.COLD_START, Work.IMPORT)


class Variant(StrEnum):
    """How numbers are stored and computed: the forms of a flatbuffer in mnconvert's words, and precisions."""

    FLOAT32 = "float32"
    UNFUSED = "unfused"  # float32, BatchNorm kept as operators of its own
    FP16 = "fp16"  # of a flatbuffer its weights alone; of a training framework what it computes in
    BF16 = "bf16"
    DYNAMIC = "dynamic"
    INT8 = "int8"
    INT16X8 = "int16x8"


class Device(StrEnum):
    """What computes."""

    CPU = "cpu"
    GPU = "gpu"


class BatchNorm(StrEnum):
    """How a training framework computes BatchNorm; a flatbuffer's is folded unless its variant is unfused."""

    COMPOSED = "composed"
    FUSED = "fused"


class Compiler(StrEnum):
    """What a training framework makes of its graph."""

    GRAPH = "graph"
    XLA = "xla"


class InstructionSet(StrEnum):
    """The most that a process may use of the CPU, where its engine has a switch for that."""

    SSE41 = "sse4.1"
    AVX2 = "avx2"
    AVX512 = "avx512"
    AMX = "amx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure. ``model`` is a name of the run's models; None means: the engine's own default, or not applicable."""

    work: Work
    model: str
    engine: str
    variant: Variant = Variant.FLOAT32
    device: Device = Device.CPU
    threads: int | None = 1
    batch: int = 1
    batch_norm: BatchNorm | None = None
    compiler: Compiler | None = None
    instruction_set: InstructionSet | None = None
    use_xnnpack: bool = True

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be 1 or more, not {self.threads}")
        if self.batch < 1:
            raise ValueError(f"a batch of {self.batch} pictures is none")

    @property
    def key(self) -> str:
        """The cell's name within a record, the same in every run: every field that is not the default, in order."""
        parts = [self.model, self.work, self.engine, self.variant]
        parts += [self.device] if self.device is not Device.CPU else []
        parts += [f"t{self.threads}"] if self.threads is not None else []
        parts += [f"b{self.batch}"] if self.batch != 1 else []
        parts += [str(part) for part in (self.batch_norm, self.compiler, self.instruction_set) if part is not None]
        parts += [] if self.use_xnnpack else ["plain-kernels"]
        return "/".join(parts)

    def to_json(self) -> dict[str, Any]:
        return {
            "work": str(self.work),
            "model": self.model,
            "engine": self.engine,
            "variant": str(self.variant),
            "device": str(self.device),
            "threads": self.threads,
            "batch": self.batch,
            "batch_norm": None if self.batch_norm is None else str(self.batch_norm),
            "compiler": None if self.compiler is None else str(self.compiler),
            "instruction_set": None if self.instruction_set is None else str(self.instruction_set),
            "use_xnnpack": self.use_xnnpack,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Cell":
        """Raise InputError naming the field that is wrong."""
        fields = Fields(value, "cell")
        return cls(
            work=fields.choice("work", Work),
            model=fields.text("model"),
            engine=fields.text("engine"),
            variant=fields.choice("variant", Variant),
            device=fields.choice("device", Device),
            threads=fields.optional("threads", fields.count),
            batch=fields.count("batch"),
            batch_norm=fields.optional_choice("batch_norm", BatchNorm),
            compiler=fields.optional_choice("compiler", Compiler),
            instruction_set=fields.optional_choice("instruction_set", InstructionSet),
            use_xnnpack=fields.flag("use_xnnpack"),
        )
