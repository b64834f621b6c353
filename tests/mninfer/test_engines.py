"""Engines: the same numbers from all that are installed, and what is said where one is missing or refuses."""

import ctypes.util
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from mninfer.engines import EngineConfig, choose, open_engine
from mninfer.engines.install import Platform, install_hints
from mninfer.engines.protocol import default_threads
from mninfer.errors import EngineError, MissingDependencyError, UnsupportedModelError
from support.boards import needs_xnnpack
from support.builder import GraphBuilder
from support.network import forward, normalize
from support.networks import SHAPES_SIZE, shapes_float, shapes_int8, shapes_network
from support.pictures import shape_pictures

PACKAGES = {"litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime", "tensorflow": "tensorflow"}
INSTALLED = [name for name, package in PACKAGES.items() if find_spec(package)]

needs_litert = pytest.mark.skipif("litert" not in INSTALLED, reason="ai-edge-litert is not installed here")


def picture_tensor() -> np.ndarray:
    return normalize(shape_pictures(1, seed=7)[0])


@pytest.mark.parametrize("name", INSTALLED)
def test_an_engine_computes_what_numpy_computes(name: str) -> None:
    engine = open_engine(shapes_float(), engine=name, threads=1)
    (probabilities,) = engine.run([picture_tensor()])
    assert np.allclose(probabilities, forward(shapes_network(), picture_tensor()), atol=1e-5)
    assert engine.name == name
    assert engine.version[0].isdigit()


@pytest.mark.parametrize("name", INSTALLED)
def test_tensors_are_described(name: str) -> None:
    engine = open_engine(shapes_int8(), engine=name)
    assert engine.inputs[0].shape == engine.inputs[0].shape_signature == (1, *SHAPES_SIZE, 3)
    assert engine.inputs[0].dtype == engine.outputs[0].dtype == "uint8"
    assert engine.outputs[0].quantization is not None
    assert engine.outputs[0].quantization.scales == (1 / 256,)


def test_outputs_survive_the_next_run() -> None:
    engine = open_engine(shapes_float())
    (first,) = engine.run([picture_tensor()])
    kept = first.copy()
    engine.run([-picture_tensor()])
    assert (first == kept).all()


@pytest.mark.parametrize("name", INSTALLED)
def test_the_three_steps_of_a_run_can_be_taken_apart(name: str) -> None:
    engine = open_engine(shapes_float(), engine=name)
    engine.set_inputs([picture_tensor()])
    for _ in range(3):
        engine.invoke()
    (first,) = engine.get_outputs()
    kept = first.copy()
    (whole,) = engine.run([picture_tensor()])
    assert (whole == kept).all()
    engine.run([-picture_tensor()])
    assert (first == kept).all()


def test_auto_is_the_best_that_is_installed() -> None:
    assert open_engine(shapes_float()).name == INSTALLED[0]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match='"lite-rt"; did you mean "litert"'):
        open_engine(b"", engine="lite-rt")


@pytest.mark.parametrize("engine", ["auto", "litert", "tflite-runtime", "tensorflow"])
def test_a_missing_engine_comes_with_its_install_line(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError) as caught:
        open_engine(b"", engine=engine)
    assert "installed" in caught.value.what
    assert caught.value.hints == install_hints(Platform.current(), engine)
    assert str(Platform.current().python[1]) in str(caught.value.where)


def test_an_engine_that_does_not_load_is_not_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ImportError("GLIBC_2.35 not found")

    monkeypatch.setattr(choose, "import_module", broken)
    with pytest.raises(MissingDependencyError, match=r"installed but does not load: GLIBC_2\.35 not found"):
        open_engine(b"")


def test_tflite_runtime_says_that_it_needs_numpy_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from mninfer.engines import tflite_runtime

    monkeypatch.setitem(sys.modules, "tflite_runtime", SimpleNamespace(__version__="2.14.0"))
    monkeypatch.setattr(tflite_runtime.np, "__version__", "2.1.3")
    with pytest.raises(MissingDependencyError, match=r"tflite-runtime 2\.14\.0 needs numpy 1, and numpy 2\.1\.3"):
        tflite_runtime.open_engine(b"", EngineConfig(threads=1))


def test_threads_are_the_cores_that_there_are_four_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mninfer.engines.protocol.quota_cores", lambda: None)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)), raising=False)
    assert default_threads() == 4
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3}, raising=False)
    assert default_threads() == 1


@pytest.mark.parametrize("threads", [0, 1025, 2**31])
def test_threads_that_no_engine_should_start_are_a_misuse(threads: int) -> None:
    """A million were started; what fits no C int was an error of the engine's, with the whole model in its text."""
    with pytest.raises(ValueError, match=f"threads must be 1 or more, up to 1024, not {threads}"):
        open_engine(shapes_float(), threads=threads)


def test_threads_may_be_any_whole_number() -> None:
    open_engine(shapes_float(), threads=np.int64(2)).close()
    with pytest.raises(TypeError, match="float"):
        open_engine(shapes_float(), threads=1.5)  # type: ignore[arg-type]


def test_an_empty_delegate_is_a_misuse_and_not_none() -> None:
    with pytest.raises(ValueError, match="delegate is empty"):
        open_engine(shapes_float(), delegate="")


def test_what_the_engine_cannot_run_is_an_engine_error() -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    b.operator("SomethingOfMyOwn", [x], [y])
    with pytest.raises(EngineError, match=r"refused the model: .*SomethingOfMyOwn"):
        open_engine(b.build([x], [y]))


def test_arrays_that_do_not_fit_are_an_engine_error() -> None:
    engine = open_engine(shapes_float())
    with pytest.raises(EngineError, match="failed to run"):
        engine.run([np.zeros((1, 2, 2, 3), np.float32)])


def test_a_closed_engine_says_so() -> None:
    engine = open_engine(shapes_float())
    engine.close()
    for step in (lambda: engine.run([picture_tensor()]), engine.invoke, engine.get_outputs):
        with pytest.raises(ValueError, match="closed"):
            step()


class TestOpenSizes:
    @needs_xnnpack
    def test_an_open_batch_becomes_one_and_the_delegate_applies(self) -> None:
        engine = open_engine(shapes_float(dynamic_batch=True), threads=1)
        assert engine.inputs[0].shape == (1, *SHAPES_SIZE, 3)
        assert engine.inputs[0].shape_signature == (-1, *SHAPES_SIZE, 3)
        coverage = engine.coverage()
        assert coverage.num_delegated == coverage.num_operators
        assert np.allclose(engine.run([picture_tensor()])[0], forward(shapes_network(), picture_tensor()), atol=1e-5)

    @staticmethod
    def any_size() -> bytes:
        b = GraphBuilder()
        x = b.activation("picture", (1, 1, 1, 3), signature=(-1, -1, -1, 3))
        y = b.activation("output", (1, 1, 1, 3), signature=(-1, -1, -1, 3))
        b.operator("RELU6", [x], [y])
        return b.build([x], [y])

    def test_an_open_size_must_be_stated(self) -> None:
        with pytest.raises(
            UnsupportedModelError, match=r'input "picture" has no fixed size: \[-1, -1, -1, 3\]'
        ) as caught:
            open_engine(self.any_size())
        assert "input_size" in caught.value.hints[0]

    def test_a_stated_size_is_what_runs(self) -> None:
        engine = open_engine(self.any_size(), input_shapes=((1, 5, 7, 3),))
        assert engine.inputs[0].shape == engine.outputs[0].shape == (1, 5, 7, 3)

    def test_a_stated_size_against_the_file_is_refused(self) -> None:
        with pytest.raises(UnsupportedModelError, match=r"cannot run as \[1, 9, 9, 3\]"):
            open_engine(shapes_float(), input_shapes=((1, 9, 9, 3),))


class TestCoverage:
    @needs_xnnpack
    def test_every_operator_of_a_float_model_is_taken(self) -> None:
        engine = open_engine(shapes_float())
        coverage = engine.coverage()
        assert coverage.num_delegated == coverage.num_operators == engine_operators(shapes_float())
        assert coverage.delegate == "XNNPACK"
        assert engine.uses_xnnpack

    @needs_xnnpack
    def test_what_xnnpack_does_not_take_is_not_counted(self) -> None:
        b = GraphBuilder()
        x, y, z = (b.activation(name, (1, 4)) for name in "xyz")
        b.operator("RELU6", [x], [y])
        b.operator("FLOOR_DIV", [y, x], [z])
        engine = open_engine(b.build([x], [z]))
        assert (engine.coverage().num_operators, engine.coverage().num_delegated) == (2, 1)

    @pytest.mark.parametrize(("taken", "is_xnnpack"), [("floats", False), ("integers", True)])
    def test_what_computes_in_integers_is_xnnpacks_only_where_it_takes_integers(
        self, taken: str, is_xnnpack: bool
    ) -> None:
        """tflite-runtime's takes the float end of an integer network, and `check` then asked for equal integers."""
        engine = open_engine(shapes_float())
        delegate = {"floats": ([2], [3]), "integers": ([0], [1])}[taken]
        nodes = [
            {"op_name": "CONV_2D", "inputs": [0], "outputs": [1]},
            {"op_name": "DEQUANTIZE", "inputs": [1], "outputs": [2]},
            {"op_name": "SOFTMAX", "inputs": [2], "outputs": [3]},
            {"op_name": "DELEGATE", "inputs": delegate[0], "outputs": delegate[1]},
        ]
        dtypes = (np.int8, np.int8, np.float32, np.float32)
        engine._interpreter = SimpleNamespace(  # type: ignore[attr-defined]
            _get_ops_details=lambda: nodes,
            get_tensor_details=lambda: [{"index": i, "dtype": dtype} for i, dtype in enumerate(dtypes)],
        )
        assert engine.coverage().num_delegated == 1
        assert engine.uses_xnnpack is is_xnnpack

    def test_an_engine_that_does_not_tell_gives_none(self) -> None:
        engine = open_engine(shapes_float())
        engine._interpreter = SimpleNamespace()  # type: ignore[attr-defined]
        assert engine.coverage().num_delegated is None
        assert not engine.uses_xnnpack


def engine_operators(data: bytes) -> int:
    from mninfer.model_file.check import check_model

    return len(check_model(data).operators)


class TestDelegates:
    def test_a_library_that_is_not_there_is_named(self) -> None:
        with pytest.raises(MissingDependencyError, match=r'"libedgetpu-none\.so\.1" cannot be loaded') as caught:
            open_engine(shapes_float(), delegate="libedgetpu-none.so.1")
        assert "Edge TPU runtime" in caught.value.hints[0]

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the name of a library that is there")
    def test_a_library_that_is_no_delegate_is_named(self) -> None:
        library = ctypes.util.find_library("c") or "libc.so.6"
        with pytest.raises(EngineError, match="is no TFLite delegate"):
            open_engine(shapes_float(), delegate=library)


class TestWithoutXnnpack:
    @pytest.mark.parametrize("name", INSTALLED)
    def test_the_engines_own_kernels_compute_the_same(self, name: str) -> None:
        for data in (shapes_float(), shapes_float(dynamic_batch=True)):
            engine = open_engine(data, engine=name, threads=1, use_xnnpack=False)
            assert not engine.uses_xnnpack
            assert engine.coverage().num_delegated in {0, None}
            (probabilities,) = engine.run([picture_tensor()])
            assert np.allclose(probabilities, forward(shapes_network(), picture_tensor()), atol=1e-5)

    def test_load_passes_it_on(self) -> None:
        import mninfer

        assert not mninfer.load(shapes_float(), use_xnnpack=False).engine.uses_xnnpack


@needs_litert
class TestCompiledModel:
    """LiteRT's GPU accelerator. Where no GPU is, its mechanics are tested on the CPU."""

    def test_it_computes_the_same(self) -> None:
        from mninfer.engines.litert_gpu import CompiledModelEngine

        engine = CompiledModelEngine(shapes_int8(), accelerator="CPU", threads=1)
        pictures = shape_pictures(1, seed=5)[0]
        assert (engine.run([pictures])[0] == open_engine(shapes_int8()).run([pictures])[0]).all()
        assert engine.inputs == open_engine(shapes_int8()).inputs
        engine.close()
        with pytest.raises(ValueError, match="closed"):
            engine.run([pictures])

    def test_several_outputs_come_in_the_graphs_order(self) -> None:
        from mninfer.engines.litert_gpu import CompiledModelEngine
        from support.networks import red_detector

        engine = CompiledModelEngine(red_detector(), accelerator="CPU", threads=1)
        picture = np.random.default_rng(0).uniform(0, 1, (1, 64, 64, 3)).astype(np.float32)
        expected = open_engine(red_detector()).run([picture])
        assert [output.shape for output in engine.run([picture])] == [output.shape for output in expected]

    @pytest.mark.parametrize(
        ("request_", "message"),
        [
            ({"delegate": "libedgetpu.so.1"}, 'takes no delegate, and "libedgetpu.so.1" was asked for'),
            ({"use_xnnpack": False}, "cannot be switched off"),
            ({"input_shapes": ((1, 9, 9, 3),)}, r"cannot run as \[1, 9, 9, 3\]"),
        ],
    )
    def test_what_it_cannot_do_is_said(self, request_: dict, message: str) -> None:
        with pytest.raises((EngineError, UnsupportedModelError), match=message):
            open_engine(shapes_float(), engine="litert-gpu", **request_)

    def test_what_litert_stumbles_over_is_an_engine_error(self) -> None:
        from mninfer.engines.litert_gpu import CompiledModelEngine

        with pytest.raises(EngineError, match="could not set the model up"):
            CompiledModelEngine(b"no model at all, of any kind", accelerator="CPU", threads=1)

    def test_without_a_gpu_it_says_so_and_does_not_fall_back(self) -> None:
        def open_or_skip() -> None:
            open_engine(shapes_float(), engine="litert-gpu")
            pytest.skip("there is a GPU here")

        with pytest.raises(EngineError, match="could not load the model on a GPU") as caught:
            open_or_skip()
        assert any("auto" in hint for hint in caught.value.hints)


def platform_of(**facts: object) -> Platform:
    values = {
        "system": "Linux",
        "machine": "x86_64",
        "is_64bit": True,
        "python": (3, 11),
        "is_musl": False,
        "numpy_major": 2,
        "in_virtual_env": True,
    }
    return Platform(**(values | facts))  # type: ignore[arg-type]


INTEL_MAC = {"system": "Darwin", "machine": "x86_64"}
ARM32 = {"is_64bit": False, "numpy_major": 1}


@pytest.mark.parametrize(
    ("facts", "engine", "expected"),
    [
        ({}, "auto", "python -m pip install ai-edge-litert"),
        ({"machine": "aarch64", "python": (3, 13)}, "litert", "python -m pip install ai-edge-litert"),
        ({"system": "Darwin", "machine": "arm64"}, "auto", "python -m pip install ai-edge-litert"),
        ({"system": "Windows", "machine": "AMD64"}, "auto", "python -m pip install ai-edge-litert"),
        ({"in_virtual_env": False}, "auto", "in a virtual environment: python3 -m venv"),
        ({**ARM32, "machine": "armv7l"}, "auto", "sudo apt-get install python3-venv python3-numpy python3-opencv"),
        ({**ARM32, "machine": "aarch64"}, "auto", "pip install --no-deps"),
        ({**ARM32, "machine": "aarch64"}, "tflite-runtime", "--no-deps tflite-runtime==2.14.0 flatbuffers"),
        ({**ARM32, "machine": "armv7l", "python": (3, 13)}, "auto", "end at Python 3.11"),
        ({**INTEL_MAC}, "auto", '"ai-edge-litert==1.0.1"'),
        ({**INTEL_MAC, "python": (3, 12)}, "auto", '"tensorflow==2.16.2"'),
        ({**INTEL_MAC, "python": (3, 13)}, "auto", "use 3.11"),
        ({**INTEL_MAC}, "tensorflow", '"tensorflow==2.16.2"'),
        ({"is_musl": True}, "auto", "python:3.11-slim"),
        ({"python": (3, 15)}, "auto", "use 3.13"),
        ({"machine": "riscv64"}, "auto", "build LiteRT"),
        ({"system": "Windows", "machine": "x86", "is_64bit": False}, "auto", "install 64-bit Python"),
        ({}, "tflite-runtime", 'python -m pip install tflite-runtime "numpy<2"'),
        ({"numpy_major": 1}, "tflite-runtime", "python -m pip install tflite-runtime"),
        ({"python": (3, 13)}, "tflite-runtime", "no wheel for 64-bit Python 3.13 on Linux x86_64"),
        ({}, "tensorflow", "python -m pip install tensorflow"),
    ],
)
def test_the_install_line_fits_the_machine(facts: dict[str, object], engine: str, expected: str) -> None:
    assert expected in install_hints(platform_of(**facts), engine)[0]


def test_32_bit_python_on_a_64_bit_kernel_is_seen_by_its_bitness() -> None:
    assert platform_of(machine="aarch64", is_64bit=False).is_arm32
    assert not platform_of(machine="aarch64").is_arm32
    assert str(platform_of(machine="aarch64", is_64bit=False)) == "32-bit Python 3.11 on Linux aarch64"
