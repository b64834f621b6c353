"""What a cell's process finds in its environment, and which limits a CPU can be given."""

import pytest

from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Work
from mnbench.process_environment import (
    ENGINES_WITH_LIMITS,
    environment_of,
    instruction_set_note,
    supported_instruction_sets,
)
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

_HASWELL = {"sse4_1", "sse4_2", "avx", "avx2", "fma"}
_SKYLAKE = _HASWELL | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
_SAPPHIRE_RAPIDS = _SKYLAKE | {"amx_tile", "amx_bf16", "amx_int8"}


def cell(engine: str = "keras-tensorflow", **fields: object) -> Cell:
    return Cell(work=Work.FORWARD, model="mobilenet_v1", engine=engine, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("engine", "backend"), [("keras-tensorflow", "tensorflow"), ("keras-jax", "jax"), ("keras-torch", "torch")]
)
def test_the_backend_is_chosen_before_keras_is_imported(engine: str, backend: str) -> None:
    assert environment_of(cell(engine))["KERAS_BACKEND"] == backend


def test_only_keras_has_a_backend() -> None:
    assert "KERAS_BACKEND" not in environment_of(cell("litert"))


def test_pools_have_as_many_threads_as_the_cell() -> None:
    environment = environment_of(cell(threads=3))
    assert (environment["TF_NUM_INTRAOP_THREADS"], environment["PJRT_NPROC"]) == ("3", "3")


def test_no_number_of_threads_leaves_each_pool_its_default() -> None:
    assert not {"TF_NUM_INTRAOP_THREADS", "PJRT_NPROC", "OMP_NUM_THREADS"} & set(environment_of(cell(threads=None)))


def test_a_gpu_that_is_not_measured_is_not_seen() -> None:
    on_cpu, on_gpu = environment_of(cell("keras-jax")), environment_of(cell("keras-jax", device=Device.GPU))
    assert (on_cpu["CUDA_VISIBLE_DEVICES"], on_cpu["JAX_PLATFORMS"]) == ("-1", "cpu")
    assert not {"CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"} & set(on_gpu)


@pytest.mark.parametrize(
    ("step", "one_dnn", "xla"),
    [
        (InstructionSet.SSE41, "SSE41", "SSE4_2"),
        (InstructionSet.AVX2, "AVX2", "AVX2"),
        (InstructionSet.AVX512, "AVX512_CORE_FP16", "AVX512_BF16"),
        (InstructionSet.AMX, "AVX512_CORE_AMX", "AMX"),
    ],
)
@pytest.mark.parametrize("engine", ENGINES_WITH_LIMITS)
def test_a_limit_is_given_in_each_library_s_own_words(
    engine: str, step: InstructionSet, one_dnn: str, xla: str
) -> None:
    environment = environment_of(cell(engine, instruction_set=step))
    assert environment["ONEDNN_MAX_CPU_ISA"] == one_dnn
    assert environment["XLA_FLAGS"] == f"--xla_cpu_max_isa={xla}"
    assert ("ATEN_CPU_CAPABILITY" in environment) is (engine == "keras-torch")


def test_the_users_own_flags_hold_beside_a_limit() -> None:
    """As they do in the row without one: the two would differ by more than the limit."""
    limited = cell("keras-jax", instruction_set=InstructionSet.AVX2)
    user = {"XLA_FLAGS": "--xla_dump_to=there --xla_cpu_max_isa=SSE4_2"}
    flags = environment_of(limited, user)["XLA_FLAGS"].split()
    assert flags == ["--xla_dump_to=there", "--xla_cpu_max_isa=SSE4_2", "--xla_cpu_max_isa=AVX2"]
    assert "XLA_FLAGS" not in environment_of(cell("keras-jax"), user)

    named = environment_of(limited, {"XLA_FLAGS": "/etc/xla.flags"})  # a file's name, which ours would be a part of
    assert named["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX2"


def test_without_a_limit_nothing_is_limited() -> None:
    assert not {"ONEDNN_MAX_CPU_ISA", "XLA_FLAGS", "ATEN_CPU_CAPABILITY"} & set(environment_of(cell("keras-torch")))
    assert instruction_set_note(cell()) == ""


def test_the_runtime_itself_is_measured_as_users_run_it() -> None:
    assert environment_of(cell("mninfer")) == {}


def test_an_engine_without_a_switch_refuses_a_limit() -> None:
    limited = cell("litert", instruction_set=InstructionSet.AVX2)
    for ask in (environment_of, instruction_set_note):
        with pytest.raises(InputError, match='LiteRT has no switch that limits it to "avx2"') as caught:
            ask(limited)
        assert "keras-tensorflow" in str(caught.value)


def test_a_gpu_has_no_instruction_set_of_a_cpu() -> None:
    with pytest.raises(InputError, match='"avx2" is an instruction set of a CPU'):
        environment_of(cell("keras-jax", device=Device.GPU, instruction_set=InstructionSet.AVX2))


def test_the_note_says_what_is_not_limited() -> None:
    graph = instruction_set_note(cell(instruction_set=InstructionSet.SSE41))
    xla = instruction_set_note(cell(instruction_set=InstructionSet.SSE41, compiler=Compiler.XLA))
    assert graph.startswith("oneDNN is limited to SSE41; TensorFlow's other kernels")
    assert "not limited" in graph
    assert xla == f"{graph}; XLA compiles for SSE4_2 at most"
    assert "oneDNN" not in instruction_set_note(cell("keras-jax", instruction_set=InstructionSet.SSE41))


@pytest.mark.parametrize(
    ("step", "norm", "is_told"),
    [
        (InstructionSet.AVX2, BatchNorm.FUSED, True),
        (InstructionSet.AVX2, BatchNorm.COMPOSED, False),
        (InstructionSet.AVX512, BatchNorm.FUSED, False),
    ],
)
def test_the_note_warns_of_the_slow_fused_forward_pass(step: InstructionSet, norm: BatchNorm, is_told: bool) -> None:
    note = instruction_set_note(cell(instruction_set=step, batch_norm=norm))
    assert ("no fast kernel" in note) is is_told


def test_onednn_is_the_user_s_choice_where_nothing_is_limited() -> None:
    assert "TF_ENABLE_ONEDNN_OPTS" not in environment_of(cell())
    assert environment_of(cell(instruction_set=InstructionSet.AVX2))["TF_ENABLE_ONEDNN_OPTS"] == "1"


@pytest.mark.parametrize(
    ("flags", "steps"),
    [
        (set(), ()),
        ({"asimd", "bf16"}, ()),  # an ARM CPU
        ({"sse4_1", "sse4_2", "avx"}, (InstructionSet.SSE41,)),
        (_HASWELL, (InstructionSet.SSE41, InstructionSet.AVX2)),
        (_SKYLAKE, (InstructionSet.SSE41, InstructionSet.AVX2, InstructionSet.AVX512)),
        (_SAPPHIRE_RAPIDS, tuple(InstructionSet)),
        (_SAPPHIRE_RAPIDS - {"avx512vl"}, (InstructionSet.SSE41, InstructionSet.AVX2)),
    ],
)
def test_a_cpu_can_be_limited_to_what_it_has(flags: set[str], steps: tuple[InstructionSet, ...]) -> None:
    assert supported_instruction_sets(flags) == steps
