"""What can't be measured as its cell says is refused before a framework is started."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench.cell import Cell, Compiler, InstructionSet, Variant, Work
from mnbench.job import Budget, Job
from mnbench.workloads.keras import open_workload, opening
from mninfer.errors import EngineError, InputError, MissingDependencyError, UnsupportedModelError
from mnmodels import backend

pytestmark = pytest.mark.smoke


@pytest.fixture(autouse=True)
def cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU with AVX-512 and without narrow floats, and no framework."""
    flags = ("sse4_1", "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl")
    monkeypatch.setattr(opening, "_cpu_flags", lambda: flags)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", sys.modules.get("tensorflow"))  # put back what is hidden
    monkeypatch.setattr(backend, "find_spec", lambda _: None)


def job(tmp_path: Path, engine: str = "keras-tensorflow", **cell: Any) -> Job:
    path = tmp_path / "input.npy"
    np.save(path, np.zeros((1, 32, 32, 3), np.float32))
    return Job(
        cell=Cell(work=Work.FORWARD, model="small", engine=engine, **cell),
        budget=Budget(seconds=1, warm_up_seconds=1),
        input=path,
        network={"architecture": "mobilenet_v1"},
    )


@pytest.mark.parametrize("engine", ["keras-tensorflow", "keras-jax", "keras-torch"])
def test_a_framework_that_is_not_there_is_named_with_its_install_line(tmp_path: Path, engine: str) -> None:
    with pytest.raises(MissingDependencyError, match="is not installed") as caught:
        open_workload(job(tmp_path, engine))
    assert caught.value.hints[0].startswith("python -m pip install ")


def test_a_device_that_got_flatbuffers_alone_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over ssh our light packages travel: mnmodels isn't one of them."""
    monkeypatch.setattr(opening, "find_spec", lambda name: None if name == "mnmodels" else object())
    with pytest.raises(MissingDependencyError, match="mnmodels is not installed") as caught:
        open_workload(job(tmp_path))
    assert caught.value.hints[0].startswith("python -m pip install ")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"engine": "keras-jax", "compiler": Compiler.GRAPH}, "JAX has no graph executor"),
        ({"engine": "keras-torch", "compiler": Compiler.XLA}, "torch is measured without XLA"),
        ({"variant": Variant.INT8}, 'no variant "int8"'),
        ({"variant": Variant.FP16}, "this CPU has no instructions for float16"),
    ],
)
def test_what_the_framework_or_the_cpu_lacks_is_refused(tmp_path: Path, cell: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        open_workload(job(tmp_path, **cell))


@pytest.mark.parametrize(
    ("engine", "variable"), [("keras-tensorflow", "ONEDNN_MAX_CPU_ISA"), ("keras-jax", "XLA_FLAGS")]
)
def test_a_process_that_is_not_limited_measures_no_limited_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, variable: str
) -> None:
    for name in opening._LIMITS:
        monkeypatch.delenv(name, raising=False)
    limited = job(tmp_path, engine, instruction_set=InstructionSet.AVX2)
    with pytest.raises(EngineError, match="and this process has") as caught:
        open_workload(limited)
    assert "environment_of(cell)" in caught.value.hints[0]
    for name, value in opening.environment_of(limited.cell).items():
        monkeypatch.setenv(name, f"{value} --more" if name == variable == "XLA_FLAGS" else value)
    with pytest.raises(MissingDependencyError):  # so far and no further
        open_workload(limited)


def test_an_input_has_to_be_there_and_of_the_cell_s_batch(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no input"):
        open_workload(replace(job(tmp_path), input=None))
    with pytest.raises(InputError, match="holds 1 pictures, the cell's batch is 4"):
        open_workload(job(tmp_path, batch=4))
