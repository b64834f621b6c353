"""Results of mnbench as they might have been measured, by seed: no machine, no clock, every kind of row.

``workstation_record`` has the rows of the table of 2017, the peers, and photo to label; ``gpu_record`` a GPU's;
``pi_record`` a doubtful small board's. ``row_of`` makes one row around a given median.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work
from mnbench.record import Agreement, Doubt, MeasuredModel, Process, Record, Row, Status

__all__ = [
    "MODEL",
    "board_record",
    "gpu_record",
    "many_records",
    "missing_row",
    "pi_record",
    "process_of",
    "row_of",
    "slowed",
    "workstation_record",
]

MODEL = "mobilenet_v1_1.0_224"
OTHER_MODEL = "mobilenet_v2_1.0_224"
NUM_ROUNDS = 5

# Milliseconds of one thread, as a workstation's are; sizes in bytes.
FLATBUFFERS = {
    Variant.FLOAT32: (11.2, 16_900_000),
    Variant.UNFUSED: (15.8, 17_100_000),
    Variant.FP16: (11.3, 8_500_000),
    Variant.DYNAMIC: (6.9, 4_400_000),
    Variant.INT8: (4.1, 4_500_000),
    Variant.INT16X8: (61.0, 4_600_000),
}
PEERS = {
    "onnxruntime": (11.6, 4.6),
    "openvino": (11.6, 3.9),
    "mnn": (12.6, 17.2),
    "ncnn": (14.9, 9.1),
    "opencv": (19.5, 13.0),
}
PARTS = {"decode": 1.9, "preprocess": 0.35, "invoke": 4.1, "postprocess": 0.06}
KERAS = {  # (instruction set, BatchNorm, work): milliseconds
    (None, BatchNorm.COMPOSED, Work.FORWARD): 17.4,
    (None, BatchNorm.COMPOSED, Work.FORWARD_BACKWARD): 71.0,
    (None, BatchNorm.FUSED, Work.FORWARD): 14.6,
    (None, BatchNorm.FUSED, Work.FORWARD_BACKWARD): 54.2,
    (InstructionSet.AVX2, BatchNorm.COMPOSED, Work.FORWARD): 41.0,
    (InstructionSet.AVX2, BatchNorm.COMPOSED, Work.FORWARD_BACKWARD): 109.0,
    (InstructionSet.AVX2, BatchNorm.FUSED, Work.FORWARD): 38.1,
    (InstructionSet.AVX2, BatchNorm.FUSED, Work.FORWARD_BACKWARD): 89.4,
}

X86_FLAGS = ("sse4_1", "sse4_2", "avx", "fma", "avx2")
ARM_FLAGS = ("asimd", "asimdhp", "asimddp")
SPREAD = Doubt("spread-too-wide", "the middle half of the samples spans 14 % of the median: something else ran, too")
THROTTLED = Doubt("throttled", "the CPU was throttled 3 times while this was measured: it may be faster when cool")
LOADED = Doubt("load-by-others", "other processes took 9 % of the CPU")
GOVERNOR = Doubt("governor", "the governor is ondemand, not performance: the frequency follows the load")


def process_of(
    median_ms: float,
    *,
    round_number: int = 1,
    seed: int = 0,
    num_samples: int = 40,
    parts_ms: Mapping[str, float] | None = None,
    facts: Mapping[str, Any] | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> Process:
    """One process's samples: about log-normal around ``median_ms``, with a few that took longer, as they are."""
    random = Random(f"{seed} {round_number} {median_ms}")
    factors = [_factor(random) for _ in range(num_samples)]
    parts = {name: tuple(round_ns(ms * each) for each in factors) for name, ms in (parts_ms or {}).items()}
    sums = [sum(values) for values in zip(*parts.values(), strict=True)]
    return Process(
        round=round_number,
        samples_ns=tuple(sums) if sums else tuple(round_ns(median_ms * each) for each in factors),
        warm_up_ns=tuple(round_ns(median_ms * each) for each in (6.0, 1.4, 1.1, 1.0, 1.0, 1.0, 1.0, 1.0)),
        parts_ns=parts,
        open_ns=round_ns(9.0 + median_ms),
        facts=facts if facts is not None else {"version": "0.1.0"},
        conditions=conditions if conditions is not None else {"resident_bytes": 61 << 20, "peak_bytes": 74 << 20},
    )


def round_ns(ms: float) -> int:
    return round(ms * 1e6)


def _factor(random: Random) -> float:
    return random.lognormvariate(0.0, 0.012) * (random.uniform(1.1, 1.5) if random.random() < 0.04 else 1.0)


def row_of(
    cell: Cell,
    median_ms: float,
    *,
    seed: int = 0,
    num_rounds: int = NUM_ROUNDS,
    drift: float = 0.008,
    doubts: Sequence[Doubt] = (),
    **details: Any,
) -> Row:
    """A measured row; its processes' medians lie about ``drift`` (a share) around ``median_ms``.

    ``details``: size_bytes and agreement of the row; facts, conditions and parts_ms of each process.
    """
    random = Random(f"{seed} {cell.key}")
    size_bytes, agreement = details.pop("size_bytes", None), details.pop("agreement", None)
    processes = tuple(
        process_of(median_ms * random.lognormvariate(0.0, drift), round_number=number, seed=seed, **details)
        for number in range(1, num_rounds + 1)
    )
    return Row(
        cell=cell,
        status=Status.MEASURED,
        processes=processes,
        size_bytes=size_bytes,
        agreement=agreement,
        doubts=tuple(doubts),
    )


def missing_row(cell: Cell, reason: str, status: Status = Status.MISSING) -> Row:
    """A row without a figure."""
    return Row(cell=cell, status=status, reason=reason)


def slowed(record: Record, factor: float) -> Record:
    """The same, every sample ``factor`` times as long."""
    return replace(record, rows=tuple(_slowed_row(row, factor) for row in record.rows))


def _slowed_row(row: Row, factor: float) -> Row:
    processes = tuple(
        replace(process, samples_ns=tuple(round(each * factor) for each in process.samples_ns))
        for process in row.processes
    )
    return replace(row, processes=processes)


def workstation_record(*, seed: int = 0, factor: float = 1.0, device: str = "Xeon 8488C") -> Record:
    """A complete run on a CPU: the rows of 2017, each variant, peers, photo to label, gaps and doubts."""
    rows = (
        *_keras_rows(seed, factor),
        *_flatbuffer_rows(seed, factor),
        *_other_engines(seed, factor),
        *_peer_rows(seed, factor),
        *_whole_process_rows(seed, factor),
        *_gaps(),
    )
    return _record(device, rows, machine=_machine(f"Intel(R) {device}", 2, "performance"))


def board_record() -> Record:
    """The least that is one: a row, of one process."""
    cell = Cell(work=Work.FORWARD, model="small", engine="litert")
    process = Process(round=0, samples_ns=(5, 6, 7))
    row = Row(cell=cell, status=Status.MEASURED, processes=(process,))
    return Record(device="a board", command="mnbench run", plan="0", rows=(row,))


def gpu_record(*, seed: int = 0, factor: float = 1.0, device: str = "NVIDIA H100") -> Record:
    """Keras on JAX on a GPU: both BatchNorms, one picture and the batch that saturates, float32 and bf16."""
    rows = []
    for batch, norm, variant, forward, backward in (
        (1, BatchNorm.COMPOSED, Variant.FLOAT32, 1.12, 3.4),
        (1, BatchNorm.FUSED, Variant.FLOAT32, 1.05, 3.1),
        (256, BatchNorm.FUSED, Variant.FLOAT32, 11.8, 44.0),
        (256, BatchNorm.FUSED, Variant.BF16, 5.6, 21.5),
    ):
        for work, ms in ((Work.FORWARD, forward), (Work.FORWARD_BACKWARD, backward)):
            cell = _keras_cell(work, norm, engine="keras-jax", device=Device.GPU, batch=batch, variant=variant)
            facts = {"version": "0.10.0", "precision": "tf32" if variant is Variant.FLOAT32 else str(variant)}
            rows.append(row_of(cell, ms * factor, seed=seed, facts=facts, conditions={"energy_joules": 0.35 * ms}))
    machine = _machine("AMD EPYC 9454", 16, None) | {
        "gpu": {"name": device, "driver": "580.65", "memory_bytes": 80 << 30}
    }
    return _record(device, tuple(rows), machine=machine)


def pi_record(*, seed: int = 0, factor: float = 8.0, device: str = "Raspberry Pi 5") -> Record:
    """A small board: throttled, interrupted, one row that doesn't agree with the reference."""
    rows = tuple(
        replace(row, doubts=(*row.doubts, THROTTLED)) if row.cell.threads == 4 else row
        for row in _flatbuffer_rows(seed, factor, threads=(1, 4))
    )
    wrong = Agreement(
        is_held=False, reference="litert", sqnr_db=3.1, text="3.1 dB against litert; 20 dB are expected of int8"
    )
    broken = Cell(work=Work.FORWARD, model=MODEL, engine="tflite-runtime", variant=Variant.INT8)
    mismatch = Doubt("mismatch", "its outputs are not those of litert: 3.1 dB")
    pending = Cell(work=Work.COLD_START, model=MODEL, engine="mninfer", variant=Variant.INT8)
    interrupted = Doubt("interrupted", "the run was interrupted: 1 row is pending")
    more = (
        row_of(broken, 54.0 * factor, seed=seed, agreement=wrong, doubts=(mismatch,), facts={"version": "2.14.0"}),
        missing_row(pending, "", Status.PENDING),
    )
    record = _record(device, (*rows, *more), machine=_machine("Cortex-A76", 4, "ondemand", board=device))
    return replace(record, is_complete=False, doubts=(GOVERNOR, interrupted))


def many_records() -> tuple[Record, ...]:
    """Three devices, two of them of one kind of CPU."""
    return (
        workstation_record(),
        workstation_record(seed=1, factor=2.4, device="Core i5-6200U"),
        gpu_record(),
        pi_record(),
    )


def _keras_cell(work: Work, norm: BatchNorm, engine: str = "keras-tensorflow", **more: Any) -> Cell:
    compiler = Compiler.XLA if engine == "keras-jax" else Compiler.GRAPH
    return Cell(**{"work": work, "model": MODEL, "engine": engine, "batch_norm": norm, "compiler": compiler} | more)


def _keras_rows(seed: int, factor: float) -> list[Row]:
    note = "oneDNN only: what TensorFlow computes by Eigen is not limited"
    rows = []
    for (instruction_set, norm, work), ms in KERAS.items():
        cell = _keras_cell(work, norm, threads=2, instruction_set=instruction_set)
        facts = {"version": "2.21.0", "instruction_set": str(instruction_set or "avx2"), "instruction_set_note": note}
        rows.append(row_of(cell, ms * factor, seed=seed, facts=facts))
    for work, ms in ((Work.FORWARD, 21.7), (Work.FORWARD_BACKWARD, 66.0)):
        cell = _keras_cell(work, BatchNorm.FUSED, engine="keras-jax", threads=2)
        rows.append(row_of(cell, ms * factor, seed=seed, facts={"version": "0.10.0"}))
    return rows


def _flatbuffer_rows(seed: int, factor: float, threads: Sequence[int] = (1, 2)) -> list[Row]:
    rows = []
    for variant, (ms, size_bytes) in FLATBUFFERS.items():
        for number in threads:
            cell = Cell(work=Work.FORWARD, model=MODEL, engine="litert", variant=variant, threads=number)
            rows.append(
                row_of(
                    cell,
                    ms * factor / number**0.85,
                    seed=seed,
                    size_bytes=size_bytes,
                    facts=_coverage("2.1.6", 31, 0 if variant is Variant.INT16X8 else 31),
                    agreement=_agreement(variant),
                    doubts=(SPREAD,) if (variant, number) == (Variant.INT16X8, 2) else (),
                )
            )
    return rows


def _other_engines(seed: int, factor: float) -> list[Row]:
    rows = []
    for variant, ms in ((Variant.FLOAT32, 11.6), (Variant.INT8, 54.0)):
        cell = Cell(work=Work.FORWARD, model=MODEL, engine="tflite-runtime", variant=variant)
        coverage = _coverage("2.14.0", 31, 31 if variant is Variant.FLOAT32 else 0)
        rows.append(row_of(cell, ms * factor, seed=seed, facts=coverage, size_bytes=FLATBUFFERS[variant][1]))
    plain = Cell(work=Work.FORWARD, model=MODEL, engine="litert", use_xnnpack=False)
    rows.append(row_of(plain, 29.0 * factor, seed=seed, size_bytes=16_900_000, facts=_coverage("2.1.6", 31, 0)))
    smaller = Cell(work=Work.FORWARD, model=OTHER_MODEL, engine="litert", variant=Variant.INT8)
    rows.append(row_of(smaller, 3.3 * factor, seed=seed, size_bytes=4_000_000, facts=_coverage("2.1.6", 66, 66)))
    return rows


def _peer_rows(seed: int, factor: float) -> list[Row]:
    rows = []
    for engine, times in PEERS.items():
        for variant, ms in zip((Variant.FLOAT32, Variant.INT8), times, strict=True):
            cell = Cell(work=Work.FORWARD, model=MODEL, engine=engine, variant=variant)
            doubts = (LOADED,) if engine == "ncnn" else ()
            facts = {"version": "1.24.0", "precision": "f32" if variant is Variant.FLOAT32 else "int8"}
            rows.append(row_of(cell, ms * factor, seed=seed, facts=facts, doubts=doubts, size_bytes=16_800_000))
    return rows


def _whole_process_rows(seed: int, factor: float) -> list[Row]:
    photo = Cell(work=Work.PHOTO_TO_LABEL, model=MODEL, engine="mninfer", variant=Variant.INT8)
    cold = Cell(work=Work.COLD_START, model=MODEL, engine="mninfer", variant=Variant.INT8)
    imported = Cell(work=Work.IMPORT, model=MODEL, engine="mninfer", threads=None)
    parts_ms = {name: ms * factor for name, ms in PARTS.items()}
    return [
        row_of(photo, sum(parts_ms.values()), seed=seed, parts_ms=parts_ms, size_bytes=4_500_000),
        row_of(cold, 182.0 * factor, seed=seed, num_samples=8),
        row_of(imported, 48.0 * factor, seed=seed, num_samples=8),
    ]


def _gaps() -> list[Row]:
    """What could not be measured, and why."""
    gpu = Cell(work=Work.FORWARD, model=MODEL, engine="litert-gpu", variant=Variant.FLOAT32, device=Device.GPU)
    executorch = Cell(work=Work.FORWARD, model=MODEL, engine="executorch", variant=Variant.FLOAT32)
    bf16 = _keras_cell(Work.FORWARD_BACKWARD, BatchNorm.FUSED, variant=Variant.BF16, threads=2)
    return [
        missing_row(gpu, "the GPU accelerator does not load: no OpenCL library"),
        missing_row(executorch, "ExecuTorch is not installed: mnbench peers install executorch"),
        missing_row(bf16, "the process was killed by signal 9 after 61 s", Status.FAILED),
    ]


def _coverage(version: str, num_operators: int, num_delegated: int) -> dict[str, Any]:
    coverage = {"num_operators": num_operators, "num_delegated": num_delegated, "delegate": "XNNPACK"}
    return {"version": version, "coverage": coverage}


def _agreement(variant: Variant) -> Agreement:
    sqnr_db = {Variant.FLOAT32: 118.0, Variant.FP16: 61.0, Variant.INT8: 22.4}.get(variant, 35.0)
    return Agreement(is_held=True, reference="litert", sqnr_db=sqnr_db, text=f"{sqnr_db:.1f} dB, the same first class")


def _machine(cpu: str, cores: int, governor: str | None, **more: Any) -> dict[str, Any]:
    """As machine/ tells it, ``before`` and ``after``; ``more`` is the same in both."""
    facts = {
        "cpu": {
            "model": cpu,
            "cores_online": cores,
            "cores_usable": cores,
            "governor": governor,
            "flags": list(ARM_FLAGS if cpu.startswith("Cortex") else X86_FLAGS),
        },
        "system": "Linux 6.8",
        "python": "CPython 3.11.2",
        "memory_bytes": 8 << 30,
        **more,
    }
    return {"before": facts, "after": facts}


def _record(device: str, rows: Sequence[Row], *, machine: Mapping[str, Any]) -> Record:
    accuracy = {"float32": _top1(70.9), "int8": _top1(70.6), "fp16": _top1(70.9)}
    files = {str(variant): {"sha256": f"{i:064x}", "size_bytes": size} for i, (variant, (_, size)) in _numbered()}
    titles = {MODEL: "MobileNet V1 1.0/224", OTHER_MODEL: "MobileNet V2 1.0/224"}
    models = tuple(
        MeasuredModel(
            name=name,
            title=title,
            weights="random, seed 0",
            input_shape=(224, 224, 3),
            files=files if name == MODEL else {},
            accuracy=accuracy if name == MODEL else {},
        )
        for name, title in titles.items()
    )
    return Record(
        device=device,
        command="mnbench run --preset table -o result.json",
        plan="0" * 16,
        rows=tuple(rows),
        models=models,
        machine=machine,
        started="2026-11-21T20:00:00Z",
        elapsed_s=812.0,
    )


def _numbered() -> Any:
    return enumerate(FLATBUFFERS.items())


def _top1(percent: float) -> dict[str, Any]:
    return {"top1_percent": percent, "n": 1000, "standard_error": 1.4, "source": "mnmodels evaluate, 1000 pictures"}
