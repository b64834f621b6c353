"""From a cell to the order of a process, and how that process is started."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mnbench import jobs
from mnbench.cell import Cell, Device, InstructionSet, Variant, Work
from mnbench.jobs import job_for, launch_for
from mnbench.kit import make_kit
from mninfer.errors import MissingDependencyError, UnsupportedModelError

pytestmark = pytest.mark.smoke

FLOAT = Cell(work=Work.FORWARD, model="m", engine="litert")


@pytest.fixture
def bundle(tmp_path: Path) -> Any:
    return SimpleNamespace(
        model=SimpleNamespace(name="m"),
        network={"architecture": "mobilenet_v1"},
        photo=tmp_path / "photo.jpg",
        file_for=lambda cell: tmp_path / f"{cell.variant}.tflite",
        input_for=lambda batch: tmp_path / f"input_b{batch}.npy",
    )


def test_a_job_names_what_its_cell_needs(bundle: Any, tmp_path: Path) -> None:
    job = job_for(FLOAT, bundle, pace=2.0, outputs=tmp_path / "o.npz", is_profiled=True)
    assert job.file == tmp_path / "float32.tflite"
    assert job.input == tmp_path / "input_b1.npy"
    assert job.picture is None
    assert job.is_profiled
    assert job.budget.seconds == pytest.approx(1.6)
    photo = Cell(work=Work.PHOTO_TO_LABEL, model="m", engine="mninfer")
    assert job_for(photo, bundle, pace=1.0, outputs=None).picture == tmp_path / "photo.jpg"


def test_a_peers_file_is_made_by_its_own_tool(bundle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def convert(name: str, variant: Variant, file: Path, folder: Path) -> Path:
        asked.append((name, variant, file.name, folder.name))
        return folder / "made.onnx"

    monkeypatch.setattr(jobs, "convert", convert)
    job = job_for(Cell(work=Work.FORWARD, model="m", engine="onnxruntime"), bundle, pace=1.0, outputs=None)
    assert asked == [("onnxruntime", "float32", "float32.tflite", "m")]
    assert job.file is not None
    assert job.file.name == "made.onnx"


def test_a_form_that_could_not_be_made_says_why(bundle: Any) -> None:
    bundle.file_for = lambda cell: None
    bundle.missing = {"int16x8": "Quantization to 16x8-bit not yet supported for op: 'HARD_SWISH'."}
    cell = Cell(work=Work.FORWARD, model="m", engine="litert", variant=Variant.INT16X8)
    with pytest.raises(UnsupportedModelError, match=r"no int16x8 of m: Quantization .*'HARD_SWISH'"):
        job_for(cell, bundle, pace=1.0, outputs=None)
    with pytest.raises(UnsupportedModelError, match="no int8@b8 of m was prepared") as caught:
        job_for(replace(cell, variant=Variant.INT8, batch=8, engine="openvino"), bundle, pace=1.0, outputs=None)
    assert caught.value.hints == ("mnbench prepare --variants int8 --batch 8",)


def test_an_import_and_a_training_framework_need_no_flatbuffer(bundle: Any) -> None:
    bundle.file_for = lambda cell: None
    for cell in (
        Cell(work=Work.IMPORT, model="m", engine="mninfer"),
        Cell(work=Work.FORWARD, model="m", engine="keras-tensorflow", threads=None),
    ):
        assert job_for(cell, bundle, pace=1.0, outputs=None).file is None


def test_a_peer_that_is_not_installed_is_missing(bundle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNBENCH_PEERS", str(tmp_path / "none"))
    jobs._own_python.cache_clear()
    with pytest.raises(MissingDependencyError) as caught:
        job_for(Cell(work=Work.FORWARD, model="m", engine="ncnn"), bundle, pace=1.0, outputs=None)
    assert "mnbench peers install ncnn" in str(caught.value)
    jobs._own_python.cache_clear()


def test_a_process_of_this_python_gets_its_cells_variables(tmp_path: Path) -> None:
    launch = launch_for(Cell(work=Work.FORWARD, model="m", engine="keras-jax", threads=None), tmp_path)
    assert launch.python == sys.executable
    assert launch.variables["KERAS_BACKEND"] == "jax"
    assert launch.variables["JAX_PLATFORMS"] == "cpu"
    gpu = Cell(work=Work.FORWARD, model="m", engine="keras-jax", threads=None, device=Device.GPU)
    assert "JAX_PLATFORMS" not in launch_for(gpu, tmp_path).variables


def test_the_users_switches_of_xla_hold_in_a_limited_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=there")
    limited = Cell(work=Work.FORWARD, model="m", engine="keras-jax", instruction_set=InstructionSet.AVX2)
    assert launch_for(limited, tmp_path).variables["XLA_FLAGS"] == "--xla_dump_to=there --xla_cpu_max_isa=AVX2"


def test_a_process_of_a_peers_python_sees_our_packages_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_own_python", lambda _: Path(sys.executable))
    launch = launch_for(Cell(work=Work.FORWARD, model="m", engine="onnxruntime"), tmp_path)
    kit = Path(launch.variables["PYTHONPATH"])
    assert {path.name for path in kit.iterdir()} == {"mnbench", "mninfer"}
    assert not list(kit.rglob("*.pyc"))


def test_a_kit_is_enough_for_the_worker(tmp_path: Path) -> None:
    """The modules that a peer's worker reads need the standard library and numpy alone."""
    kit = make_kit(tmp_path / "kit")
    code = "import sys, mnbench.worker, mnbench.peers.workload as w; print(w.__file__, *sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(kit), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    place, *modules = done.stdout.split()
    assert place == str(kit / "mnbench" / "peers" / "workload.py")
    foreign = {"click", "cv2", "tensorflow", "keras", "jax", "matplotlib", "ai_edge_litert", "mnmodels", "mnconvert"}
    assert not foreign & set(modules)


def test_a_kit_is_made_anew(tmp_path: Path) -> None:
    kit = make_kit(tmp_path / "kit")
    (kit / "mnbench" / "old.py").write_text("")
    make_kit(kit)
    assert not (kit / "mnbench" / "old.py").exists()
