"""Peers as workloads: threads and precisions as told, inputs and outputs by the flatbuffer's own numbers."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.job import Budget, Job
from mnbench.peers.engines.protocol import precision_told
from mnbench.peers.peer import PEERS
from mnbench.peers.prepared import PreparedFile, record_path
from mnbench.peers.workload import open_workload
from mninfer.errors import EngineError, InputError, MissingDependencyError, UnsupportedModelError, VariantError
from mninfer.tensors import Quantization, TensorSpec
from support.pretended_peers import pretended_modules, scores

pytestmark = pytest.mark.smoke

NAMES = ("onnxruntime", "openvino", "mnn", "ncnn", "opencv", "mediapipe")
SHAPE = (1, 4, 4, 3)
PICTURE = np.linspace(-1, 1, 48, dtype=np.float32).reshape(SHAPE)
Opener = Callable[..., tuple[Any, Any]]


def tensor(name: str, shape: tuple[int, ...], dtype: str, *quantization: float) -> TensorSpec:
    numbers = Quantization((quantization[0],), (int(quantization[1]),)) if quantization else None
    return TensorSpec(name=name, shape=shape, shape_signature=shape, dtype=dtype, quantization=numbers)


def prepared_for(name: str, dtype: str = "float32") -> PreparedFile:
    is_float = dtype == "float32"
    return PreparedFile(
        peer=name,
        variant="float32" if is_float else "int8",
        source="0" * 64,
        made_by={"tf2onnx": "1.17.0"},
        input=tensor("image", SHAPE, dtype, *(() if is_float else (1 / 127.5, 128))),
        outputs=(tensor("scores", (1, 5), "float32"),),
        mean=(127.5,) * 3,
        std=(127.5,) * 3,
    )


def job_in(folder: Path, name: str, prepared: PreparedFile, *, threads: int | None = 2) -> Job:
    """Of two threads, where the peer can have two."""
    most = PEERS[name].most_threads if name in PEERS else None
    threads = threads if most is None or threads is None else min(threads, most)
    file = folder / "model.bin"
    file.write_bytes(b"a model")
    record_path(file).write_text(json.dumps(prepared.to_json()))
    np.save(folder / "input.npy", PICTURE)
    return Job(
        cell=Cell(work=Work.FORWARD, model="small", engine=name, variant=Variant(prepared.variant), threads=threads),
        budget=Budget(seconds=1.0, warm_up_seconds=1.0),
        input=folder / "input.npy",
        file=file,
    )


@pytest.fixture
def pretend_peer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    def enter(name: str) -> Any:
        modules, told = pretended_modules(name)
        for module, value in modules.items():
            monkeypatch.setitem(sys.modules, module, value)
        for engine in ("mnn_engine", "mediapipe_engine"):
            monkeypatch.setattr(f"mnbench.peers.engines.{engine}.version", lambda _: "1.0")
        return told

    return enter


@pytest.mark.parametrize("name", NAMES)
def test_a_peer_computes_the_jobs_input_and_tells_what_is_in_effect(
    name: str, tmp_path: Path, pretend_peer: Callable[[str], Any]
) -> None:
    pretend_peer(name)
    workload = open_workload(job_in(tmp_path, name, prepared_for(name)))
    for _ in range(3):
        workload.run()
    (output,) = workload.outputs()
    picture = np.rint(PICTURE * 127.5 + 127.5) if name == "mediapipe" else PICTURE
    np.testing.assert_allclose(output, scores(picture), rtol=1e-6)
    assert output.dtype == np.float32
    assert output.shape == (1, 5)
    facts = workload.facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["threads"] == (None if name == "mediapipe" else 2)
    # Theirs, where they tell; the two that do pretend to run their convolutions in integers.
    assert facts["precision"] == ("int8" if name in ("onnxruntime", "openvino") else "float32, asked for")
    assert facts["version"]
    assert facts["made_by"] == {"tf2onnx": "1.17.0"}
    assert workload.parts_ns() == {}
    workload.close()


def test_more_threads_than_a_peer_has_are_not_measured_under_their_name(tmp_path: Path) -> None:
    job = job_in(tmp_path, "mediapipe", prepared_for("mediapipe"))
    two = replace(job, cell=replace(job.cell, threads=2))
    with pytest.raises(VariantError, match="MediaPipe has no option for threads: one computes, and 2 were"):
        open_workload(two)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_peer_says_against_a_file_is_an_error_of_ours(
    name: str, tmp_path: Path, pretend_peer: Callable[[str], Any]
) -> None:
    pretend_peer(name)
    job = job_in(tmp_path, name, prepared_for(name))
    assert job.file is not None
    job.file.write_bytes(b"broken")
    with pytest.raises(EngineError, match="refused the model: ") as error:
        open_workload(job)
    assert "\n" not in error.value.what
    assert str(tmp_path) in str(error.value.where)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "mnn", "ncnn", "mediapipe"])
def test_a_peer_that_is_not_here_comes_with_its_command(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {"mnn": "MNN", "mediapipe": "mediapipe.tasks.python.vision"}.get(name, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError) as error:
        open_workload(job_in(tmp_path, name, prepared_for(name)))
    assert error.value.hints == (f"mnbench peers install {name}",)


def test_onnxruntime_gets_its_threads_and_tells_its_operators(
    tmp_path: Path, pretend_peer: Callable[[str], Any]
) -> None:
    told = pretend_peer("onnxruntime")
    workload = open_workload(job_in(tmp_path, "onnxruntime", prepared_for("onnxruntime"), threads=1))
    options, providers = told["sessions"][0]
    assert (options["intra_op_num_threads"], options["inter_op_num_threads"]) == (1, 1)
    assert "enable_profiling" not in options
    assert providers == ["CPUExecutionProvider"]
    assert workload.facts()["operators"] == {"QLinearConv": 2}


def test_openvino_is_told_float32_and_one_stream(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("openvino")
    workload = open_workload(job_in(tmp_path, "openvino", prepared_for("openvino")))
    assert told["device"] == "CPU"
    assert told["config"]["INFERENCE_PRECISION_HINT"] == "f32"
    assert told["config"]["NUM_STREAMS"] == 1
    assert told["config"]["INFERENCE_NUM_THREADS"] == 2
    assert workload.facts()["version"] == "2026.4.1"
    assert workload.facts()["operators"] == {"Convolution u8": 2, "Softmax f32": 1}


def test_threads_that_nobody_states_are_left_to_the_peer(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("openvino")
    open_workload(job_in(tmp_path, "openvino", prepared_for("openvino"), threads=None))
    assert "INFERENCE_NUM_THREADS" not in told["config"]


def test_mnn_is_told_high_precision_and_the_ends_names(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("mnn")
    open_workload(job_in(tmp_path, "mnn", prepared_for("mnn")))
    assert told["config"] == {"backend": "CPU", "precision": "high", "memory": "normal", "numThread": 2}
    assert told["names"] == (["image"], ["scores"])


def test_ncnn_computes_in_no_16_bits_and_finds_both_files(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("ncnn")
    workload = open_workload(job_in(tmp_path, "ncnn", prepared_for("ncnn")))
    options = told["net"].opt
    halves = {name: value for name, value in options.items() if "16" in name}
    assert halves
    assert not any(halves.values())
    assert options["num_threads"] == 2
    assert options["use_vulkan_compute"] is False
    assert told["param"] == str(tmp_path / "model.param")
    told["fails"] = True
    with pytest.raises(EngineError, match=r"failed while it ran the model: codes \[-100\]"):
        workload.run()


def test_opencv_is_given_its_input_with_each_run(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("opencv")
    workload = open_workload(job_in(tmp_path, "opencv", prepared_for("opencv")))
    assert (told["threads"], told["engine"]) == (2, 2)
    workload.run()
    assert "input" not in told  # forward takes it: a second run without would fail
    workload.run()


def test_mediapipe_gets_the_very_pixels(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("mediapipe")
    workload = open_workload(job_in(tmp_path, "mediapipe", prepared_for("mediapipe", "uint8")))
    workload.run()
    np.testing.assert_array_equal(told["pixels"], np.floor(PICTURE[0] * 127.5 + 0.5) + 128 - (PICTURE[0] == 1))
    assert told["options"]["max_results"] == -1
    assert workload.facts()["precision"] == "int8, asked for"
    assert any("no option for threads" in limit for limit in workload.facts()["limits"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mean": ()}, "takes uint8, or float32 with its normalization in the file"),
        ({"input": tensor("image", SHAPE, "int8", 0.5, 0)}, "takes uint8, or float32"),
    ],
)
def test_mediapipe_refuses_what_it_would_read_wrongly(
    change: dict[str, Any], words: str, tmp_path: Path, pretend_peer: Callable[[str], Any]
) -> None:
    pretend_peer("mediapipe")
    with pytest.raises(UnsupportedModelError, match=words):
        open_workload(job_in(tmp_path, "mediapipe", replace(prepared_for("mediapipe"), **change)))


@pytest.mark.parametrize(
    ("products", "facts"),
    [
        ([], {}),
        ([("float32", 28)], {"precision": "float32"}),
        ([("float32", 1), ("int8", 26), ("int8", 1)], {"precision": "int8 × 27, float32 × 1"}),
    ],
)
def test_products_of_several_kinds_are_all_told(products: list[tuple[str, int]], facts: dict[str, str]) -> None:
    assert precision_told(products) == facts


def test_an_engine_whose_operators_say_nothing_was_asked(
    tmp_path: Path, pretend_peer: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_peer("openvino")
    workload = open_workload(job_in(tmp_path, "openvino", prepared_for("openvino")))
    monkeypatch.setattr(workload._engine, "_operators", lambda: {"Subgraph f32": 3})
    assert workload.facts()["precision"] == "float32, asked for"


def test_integers_go_in_quantized_and_come_out_real(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    told = pretend_peer("onnxruntime")
    prepared = replace(prepared_for("onnxruntime", "uint8"), outputs=(tensor("scores", (5,), "uint8", 0.5, 3),))
    workload = open_workload(job_in(tmp_path, "onnxruntime", prepared))
    workload.run()
    assert told["input"].dtype == np.uint8
    assert (told["input"].min(), told["input"].max()) == (1, 255)  # -1 / scale + 128: the middle of 1
    workload._engine._outputs = [np.array([[3, 4, 5, 6, 7]], np.uint8)]
    np.testing.assert_array_equal(workload.outputs()[0], np.float32([0, 0.5, 1, 1.5, 2]))


def test_a_file_without_its_record_is_refused(tmp_path: Path, pretend_peer: Callable[[str], Any]) -> None:
    pretend_peer("mnn")
    job = job_in(tmp_path, "mnn", prepared_for("mnn"))
    assert job.file is not None
    record_path(job.file).write_text("{")
    with pytest.raises(InputError, match="no record that can be read"):
        open_workload(job)
    record_path(job.file).unlink()
    with pytest.raises(InputError, match="no record that can be read"):
        open_workload(job)


def test_another_peers_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made for onnxruntime, not for opencv"):
        open_workload(job_in(tmp_path, "opencv", prepared_for("onnxruntime")))


def test_an_input_of_another_size_is_refused(tmp_path: Path) -> None:
    prepared = replace(prepared_for("mnn"), input=tensor("image", (1, 8, 8, 3), "float32"))
    with pytest.raises(UnsupportedModelError, match=r"takes \[1, 8, 8, 3\], the input is \[1, 4, 4, 3\]"):
        open_workload(job_in(tmp_path, "mnn", prepared))


def test_a_job_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no model file"):
        open_workload(replace(job_in(tmp_path, "mnn", prepared_for("mnn")), file=None))
