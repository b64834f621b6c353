"""The environment that a cell's process starts in: what a framework reads before the first line of ours can tell it.

Pure: a cell goes in, variables come out. Here too is how far the limits of instruction sets reach, for tables to say.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Work
from mninfer.errors import InputError

__all__ = [
    "ENGINES_WITH_LIMITS",
    "KERAS_BACKENDS",
    "environment_of",
    "instruction_set_note",
    "supported_instruction_sets",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """One step, in the words of each library; ``flags``: what the CPU must have, as /proc/cpuinfo spells it."""

    one_dnn: str
    xla: str
    aten: str
    mkl: str
    flags: frozenset[str]


# oneDNN: "CPU Dispatcher Control" of its developer guide. AVX512_CORE would leave out bf16 and fp16, which AVX-512 CPUs
# may have: the step below AMX is AVX512_CORE_FP16. XLA: xla_cpu_max_isa, cpu_features.cc; its lowest is SSE4_2, and
# AVX512_BF16 its step below AMX. ATen: ATEN_CPU_CAPABILITY, "default" being SSE2 to SSE4. MKL obeys on Intel alone.
_LIMITS = {
    InstructionSet.SSE41: _Limit(
        one_dnn="SSE41", xla="SSE4_2", aten="default", mkl="SSE4_2", flags=frozenset({"sse4_1", "sse4_2"})
    ),
    InstructionSet.AVX2: _Limit(
        one_dnn="AVX2", xla="AVX2", aten="avx2", mkl="AVX2", flags=frozenset({"avx", "avx2", "fma"})
    ),
    InstructionSet.AVX512: _Limit(
        one_dnn="AVX512_CORE_FP16",
        xla="AVX512_BF16",
        aten="avx512",
        mkl="AVX512",
        flags=frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ),
    InstructionSet.AMX: _Limit(
        one_dnn="AVX512_CORE_AMX", xla="AMX", aten="avx512", mkl="AVX512", flags=frozenset({"amx_tile", "amx_bf16"})
    ),
}

_NOTHING: Mapping[str, str] = MappingProxyType({})
_BELOW_AVX512 = (InstructionSet.SSE41, InstructionSet.AVX2)
# Seen with ONEDNN_VERBOSE=1: TensorFlow 2.21 hands a convolution, FusedBatchNormV3 and a ReLU6 to oneDNN 3.7 as one
# convolution with four binary post-ops, for which only its AVX-512 kernels exist; below, x64:gemm takes 14 ms, not 0.7.
_SLOW_FUSED = "below AVX-512 oneDNN has no fast kernel for a convolution fused with BatchNorm, as TensorFlow asks for"

KERAS_BACKENDS = {"keras-tensorflow": "tensorflow", "keras-jax": "jax", "keras-torch": "torch"}
ENGINES_WITH_LIMITS = tuple(KERAS_BACKENDS)


def environment_of(cell: Cell, user: Mapping[str, str] = _NOTHING) -> dict[str, str]:
    """What is to be set for ``cell``, above what the environment of the ``user`` holds.

    Where a variable is a list of switches, what the user has set there holds for limited rows and others alike.

    Raise InputError where an instruction set is asked of an engine that has no switch for it: it would be measured
    unlimited under a name that says otherwise.
    """
    _check_limit(cell)
    kind = engine_entry(cell.engine).kind
    if kind is EngineKind.RUNTIME or kind is EngineKind.DEVICE:
        return {}  # measured as a user runs it
    return {**_quiet(), **_threads(cell), **_devices(cell), **(_keras(cell, user) if kind is EngineKind.KERAS else {})}


def instruction_set_note(cell: Cell) -> str:
    """What the limit of ``cell`` covers, and what it does not; empty without a limit."""
    if cell.instruction_set is None:
        return ""
    _check_limit(cell)
    limit = _LIMITS[cell.instruction_set]
    if cell.engine == "keras-jax":
        return f"XLA compiles for {limit.xla} at most; ready-made kernels that it calls (Eigen's) are not limited"
    if cell.engine == "keras-torch":
        return f"oneDNN is limited to {limit.one_dnn}, ATen to {limit.aten}, MKL to {limit.mkl} (on Intel alone)"
    note = (
        f"oneDNN is limited to {limit.one_dnn}; TensorFlow's other kernels (Eigen) are built with AVX and not limited"
    )
    if cell.compiler is Compiler.XLA:
        return f"{note}; XLA compiles for {limit.xla} at most"
    is_slow = cell.instruction_set in _BELOW_AVX512 and cell.batch_norm is BatchNorm.FUSED
    return f"{note}; {_SLOW_FUSED}" if is_slow and cell.work is Work.FORWARD else note


def supported_instruction_sets(flags: Collection[str]) -> tuple[InstructionSet, ...]:
    """The steps that a CPU with these flags of /proc/cpuinfo can be limited to, lowest first; none off x86."""
    steps: list[InstructionSet] = []
    for step, limit in _LIMITS.items():
        if not limit.flags <= set(flags):
            break  # each builds on the one before
        steps.append(step)
    return tuple(steps)


def _check_limit(cell: Cell) -> None:
    if cell.instruction_set is None:
        return
    if cell.engine not in ENGINES_WITH_LIMITS:
        raise InputError(
            f'{engine_entry(cell.engine).title} has no switch that limits it to "{cell.instruction_set}"',
            hints=f"only {', '.join(ENGINES_WITH_LIMITS)} can be limited",
        )
    if cell.device is not Device.CPU:
        raise InputError(f'"{cell.instruction_set}" is an instruction set of a CPU, and the cell is one of a GPU')


def _quiet() -> dict[str, str]:
    """TensorFlow and XLA tell every user about their build on stderr; 3 leaves what ends the process."""
    return {"TF_CPP_MIN_LOG_LEVEL": "3"}


def _threads(cell: Cell) -> dict[str, str]:
    """Thread pools are sized when a library is loaded; None leaves each its default, one thread per core."""
    if cell.threads is None:
        return {}
    count = str(cell.threads)
    return {
        "OMP_NUM_THREADS": count,  # torch, ncnn, OpenCV where built with OpenMP
        "TF_NUM_INTRAOP_THREADS": count,  # process_util.cc; oneDNN in TensorFlow runs on this pool, too
        "TF_NUM_INTEROP_THREADS": "1",  # one branch after the other: MobileNets hardly have parallel ones
        "PJRT_NPROC": count,  # XLA's CPU client, as jaxlib has it: DefaultThreadPoolSize in xla/pjrt/utils.cc
    }


def _devices(cell: Cell) -> dict[str, str]:
    """A GPU that is not to be measured is not to be seen: a framework would move there by itself."""
    if cell.device is Device.GPU:
        return {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}  # TensorFlow beside JAX would take all memory for itself
    return {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


def _keras(cell: Cell, user: Mapping[str, str]) -> dict[str, str]:
    variables = {"KERAS_BACKEND": KERAS_BACKENDS[cell.engine]}
    if cell.instruction_set is None:
        return variables
    limit = _LIMITS[cell.instruction_set]
    variables["TF_ENABLE_ONEDNN_OPTS"] = "1"  # what is limited has to run; else it is the user's choice
    variables["ONEDNN_MAX_CPU_ISA"] = limit.one_dnn
    # Last: of two that say the same thing, XLA takes the last. What doesn't begin with a dash is the name of a file for
    # XLA (parse_flags_from_env.h), and ours would be a part of it.
    theirs = user.get("XLA_FLAGS", "").strip()
    theirs = theirs if theirs.startswith("-") else ""
    variables["XLA_FLAGS"] = f"{theirs} --xla_cpu_max_isa={limit.xla}".strip()
    if cell.engine == "keras-torch":
        variables |= {"ATEN_CPU_CAPABILITY": limit.aten, "MKL_ENABLE_INSTRUCTIONS": limit.mkl}
    return variables
