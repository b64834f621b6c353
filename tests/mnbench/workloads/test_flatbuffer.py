"""A flatbuffer as a workload: the outputs that mninfer gives, facts, and what is said of jobs that can't be."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mnbench.cell import Cell, Device, Work
from mnbench.job import Budget, Job
from mnbench.sampling import sample
from mnbench.workloads.flatbuffer import open_workload
from mnbench.workloads.inputs import quantize
from mninfer.engines import open_engine
from mninfer.errors import EngineError, InputError, MnError, UnsupportedModelError
from mninfer.tensors import Quantization, TensorSpec
from support.builder import GraphBuilder
from support.network import forward, normalize
from support.networks import SHAPES_SIZE, shapes_float, shapes_int8, shapes_network
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

ENGINE = "litert" if find_spec("ai_edge_litert") else "tflite-runtime"
BUDGET = Budget(seconds=0.05, warm_up_seconds=0.02)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """The float network of shapes with one picture."""
    (tmp_path / "model.tflite").write_bytes(shapes_float(dynamic_batch=True))
    np.save(tmp_path / "input.npy", pictures(1))
    cell = Cell(work=Work.FORWARD, model="shapes", engine=ENGINE)
    return Job(cell=cell, budget=BUDGET, file=tmp_path / "model.tflite", input=tmp_path / "input.npy")


def pictures(count: int) -> np.ndarray:
    return normalize(shape_pictures(count, seed=7)[0])


def with_file(job: Job, data: bytes) -> Job:
    assert job.file is not None
    job.file.write_bytes(data)
    return job


def test_the_outputs_are_what_numpy_computes(job: Job) -> None:
    workload = open_workload(job)
    workload.run()
    (probabilities,) = workload.outputs()
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities, forward(shapes_network(), pictures(1)), atol=1e-5)
    workload.close()


def test_an_integer_file_gets_the_pixels_and_gives_real_numbers(job: Job) -> None:
    workload = open_workload(with_file(job, shapes_int8()))
    workload.run()
    (probabilities,) = workload.outputs()
    (expected,) = open_engine(shapes_int8(), engine=ENGINE).run([shape_pictures(1, seed=7)[0]])
    assert np.allclose(probabilities, expected.astype(np.float32) / 256, atol=1e-6)


def test_the_engine_says_what_is_in_effect(job: Job) -> None:
    facts = open_workload(job).facts()
    coverage = facts["coverage"]
    assert facts["version"][0].isdigit()
    assert facts["threads"] == 1
    assert facts["xnnpack"] == (coverage["num_delegated"] > 0) == (coverage["delegate"] == "XNNPACK")
    plain = open_workload(replace(job, cell=replace(job.cell, use_xnnpack=False))).facts()
    assert not plain["xnnpack"]
    assert plain["coverage"]["num_delegated"] == 0


def test_a_batch_runs_where_the_file_leaves_it_open(job: Job) -> None:
    np.save(str(job.input), pictures(3))
    workload = open_workload(replace(job, cell=replace(job.cell, batch=3)))
    workload.run()
    (probabilities,) = workload.outputs()
    assert np.allclose(probabilities, forward(shapes_network(), pictures(3)), atol=1e-5)


def test_a_batch_that_the_file_has_not_is_refused(job: Job) -> None:
    np.save(str(job.input), pictures(3))
    with pytest.raises(UnsupportedModelError, match=r"cannot run as \[3, "):
        open_workload(with_file(replace(job, cell=replace(job.cell, batch=3)), shapes_float()))


def test_sampling_it_leaves_the_outputs_as_they_were(job: Job) -> None:
    workload = open_workload(job)
    taken = sample(workload.run, BUDGET, parts_of=workload.parts_ns)
    assert len(taken.samples_ns) >= BUDGET.least_samples
    assert not taken.parts_ns
    assert np.allclose(workload.outputs()[0], forward(shapes_network(), pictures(1)), atol=1e-5)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, *SHAPES_SIZE, 3), np.float64), r"float64\[1, .*not float32\[batch, height, width, 3\]"),
        (np.zeros((1, *SHAPES_SIZE), np.float32), "not float32"),
        (np.zeros((2, *SHAPES_SIZE, 3), np.float32), "holds 2 pictures, the cell's batch is 1"),
        (np.array([{}], dtype=object), "can't be read: .*allow_pickle"),
    ],
)
def test_an_input_of_another_kind_is_refused(job: Job, array: np.ndarray, message: str) -> None:
    np.save(str(job.input), array)
    with pytest.raises(InputError, match=message):
        open_workload(job)


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"no array"])
def test_a_damaged_input_is_refused(job: Job, data: bytes) -> None:
    assert job.input is not None
    job.input.write_bytes(data)
    with pytest.raises(InputError, match="the input can't be read"):
        open_workload(job)


def test_a_job_without_files_is_refused(job: Job) -> None:
    with pytest.raises(InputError, match="names no model file, or no input"):
        open_workload(replace(job, file=None))


def test_a_damaged_model_is_a_known_error(job: Job) -> None:
    with pytest.raises(MnError):
        open_workload(with_file(job, shapes_float()[:1000]))


def test_two_inputs_are_refused(job: Job) -> None:
    b = GraphBuilder()
    x, y, z = (b.activation(name, (1, *SHAPES_SIZE, 3)) for name in "xyz")
    b.operator("ADD", [x, y], [z], "AddOptions")
    with pytest.raises(UnsupportedModelError, match="the model has 2 inputs"):
        open_workload(with_file(job, b.build([x, y], [z])))


def test_a_gpu_has_an_engine_of_its_own(job: Job) -> None:
    with pytest.raises(EngineError, match=f"{ENGINE} does not compute on the gpu"):
        open_workload(replace(job, cell=replace(job.cell, device=Device.GPU)))


class TestQuantize:
    @staticmethod
    def spec(dtype: str, quantization: Quantization | None) -> TensorSpec:
        return TensorSpec(name="x", shape=(1,), shape_signature=(1,), dtype=dtype, quantization=quantization)

    def test_pixels_come_back_from_their_normalized_form(self) -> None:
        pixels = np.arange(256, dtype=np.uint8)
        spec = self.spec("uint8", Quantization((1 / 127.5,), (127,)))
        real = (pixels.astype(np.float32) - 127) / np.float32(127.5)
        assert (quantize(real, spec) == pixels).all()

    def test_what_is_out_of_range_is_clipped(self) -> None:
        spec = self.spec("int8", Quantization((0.01,), (0,)))
        assert quantize(np.float32([-9, 0, 9]), spec).tolist() == [-128, 0, 127]

    def test_floats_pass(self) -> None:
        values = np.float32([0.25, -1])
        assert quantize(values, self.spec("float32", None)) is values

    def test_integers_without_scale_are_refused(self) -> None:
        with pytest.raises(UnsupportedModelError, match='input "x" is uint8 without quantization'):
            quantize(np.zeros(1, np.float32), self.spec("uint8", None))
