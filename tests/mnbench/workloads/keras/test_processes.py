"""Whole processes of the worker: limits that take effect, threads, a framework that is alone, refusals."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench.cell import Cell, Device, InstructionSet, Work
from mnbench.machine.cpu import read_cpu
from mnbench.machine.host import Host
from mnbench.process_environment import environment_of, supported_instruction_sets
from support.commands import environment_for
from support.keras_passes import job_for, pictures, saved_network

pytest.importorskip("keras", reason="needs Keras: make test")

_STEPS = supported_instruction_sets(read_cpu(Host())["flags"])


@dataclass(frozen=True, slots=True)
class Done:
    """What the worker wrote, and what the framework's own code said."""

    outcome: dict[str, Any]
    said: str
    outputs: list[Any]

    @property
    def facts(self) -> dict[str, Any]:
        assert self.outcome["status"] == "measured", self.outcome["reason"]
        facts: dict[str, Any] = self.outcome["process"]["facts"]
        return facts


def cell_of(engine: str, **fields: Any) -> Cell:
    pytest.importorskip(engine.removeprefix("keras-"), reason="needs that framework: make test")
    return replace(job_for(engine, Work.FORWARD).cell, batch=1, **fields)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_network(tmp_path_factory.mktemp("small") / "small.keras")


def worker(folder: Path, cell: Cell, file: Path, **variables: str) -> Done:
    np.save(folder / "input.npy", pictures(cell.batch))
    job = replace(job_for(cell.engine), cell=cell, file=file, input=folder / "input.npy")
    job = replace(job, outputs=folder / "outputs.npz")
    (folder / "job.json").write_text(json.dumps(job.to_json()), encoding="utf-8")
    environment = environment_for(**environment_of(cell))
    for name, value in variables.items():
        environment[name] = f"{value} {environment.get(name, '')}".strip() if name == "XLA_FLAGS" else value
    done = subprocess.run(
        [sys.executable, "-m", "mnbench.worker", str(folder / "job.json"), str(folder / "outcome.json")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
    if outcome["status"] != "measured":
        return Done(outcome, done.stdout, [])
    with np.load(folder / "outputs.npz") as outputs:
        return Done(outcome, done.stdout, [outputs[name] for name in outputs])


def needs(step: InstructionSet) -> None:
    if step not in _STEPS:
        pytest.skip(f"this CPU has no {step}")


def kernels(said: str) -> set[str]:
    """The instruction sets in the names of the kernels that oneDNN told to have run."""
    names = [line.split(",")[6] for line in said.splitlines() if line.startswith("onednn_verbose") and ",exec," in line]
    assert names
    return {found for name in names for found in re.findall(r"sse41|avx\w*", name)}


@pytest.mark.parametrize(
    ("step", "highest"), [(InstructionSet.SSE41, "sse41"), (InstructionSet.AVX2, "avx2"), (None, "avx512")]
)
def test_onednn_s_kernels_are_those_of_the_limit(
    tmp_path: Path, small: Path, step: InstructionSet | None, highest: str
) -> None:
    needs(step or InstructionSet.AVX512)
    done = worker(tmp_path, cell_of("keras-tensorflow", instruction_set=step, threads=1), small, ONEDNN_VERBOSE="1")
    found = kernels(done.said)
    order = ("sse41", "avx2", "avx512")
    assert any(name.startswith(highest) for name in found)
    assert all(name.startswith(order[: order.index(highest) + 1]) for name in found)
    assert "nthr:1" in done.said
    assert done.facts["instruction_set"] == str(step or _STEPS[-1])
    assert ("instruction_set_note" in done.facts) is (step is not None)


@pytest.mark.parametrize(
    ("step", "registers"), [(InstructionSet.SSE41, {"xmm"}), (InstructionSet.AVX2, {"xmm", "ymm"})]
)
def test_xla_s_programs_use_the_registers_of_the_limit(
    tmp_path: Path, small: Path, step: InstructionSet, registers: set[str]
) -> None:
    needs(step)
    if shutil.which("objdump") is None:
        pytest.skip("needs objdump, of binutils")
    dump = tmp_path / "dump"
    done = worker(tmp_path, cell_of("keras-jax", instruction_set=step), small, XLA_FLAGS=f"--xla_dump_to={dump}")
    assert done.facts["instruction_set_note"].startswith("XLA compiles for ")
    objects = [str(path) for path in dump.glob("*jit_forward*.o")]
    code = subprocess.run(["objdump", "-d", *objects], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"%([xyz]mm)\d", code)) == registers
    assert ("vaddps" in code) is (step is not InstructionSet.SSE41)


def test_jax_runs_beside_a_tensorflow_that_can_t_be_imported(tmp_path: Path, small: Path) -> None:
    """And finds its programs again: both processes compute the same."""
    pytest.importorskip("jax", reason="needs JAX: make test")
    from mnmodels.keras_file import load_keras

    model = load_keras(small).model
    (tmp_path / "poison" / "tensorflow").mkdir(parents=True)
    (tmp_path / "poison" / "tensorflow" / "__init__.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    variables = {
        "PYTHONPATH": f"{tmp_path / 'poison'}:{environment_for()['PYTHONPATH']}",
        "MNBENCH_SCRATCH": str(tmp_path / "scratch"),
    }
    first, second = (worker(tmp_path, cell_of("keras-jax"), small, **variables) for _ in range(2))
    assert first.facts == second.facts
    assert np.array_equal(first.outputs[0], second.outputs[0])
    assert np.allclose(first.outputs[0], np.asarray(model(pictures(1), training=False)), rtol=1e-4)
    assert list((tmp_path / "scratch").rglob("*jit_forward*"))


def test_forward_backward_in_a_process(tmp_path: Path, small: Path) -> None:
    done = worker(tmp_path, replace(cell_of("keras-tensorflow"), work=Work.FORWARD_BACKWARD), small)
    loss, norms = done.outputs
    assert loss.shape == (1,)
    assert norms.shape == (83,)
    assert (norms > 0).all()
    assert done.outcome["process"]["samples_ns"]


@pytest.mark.parametrize("engine", ["keras-tensorflow", "keras-jax"])
def test_a_gpu_that_is_not_there_is_missing(tmp_path: Path, small: Path, engine: str) -> None:
    done = worker(tmp_path, cell_of(engine, device=Device.GPU), small, CUDA_VISIBLE_DEVICES="-1", JAX_PLATFORMS="cpu")
    assert done.outcome["status"] == "missing"
    assert "sees no GPU in this machine" in done.outcome["reason"]
    assert "python -m pip install" in done.outcome["reason"]


def test_an_input_of_another_size_is_told(tmp_path: Path) -> None:
    options = {"alpha": 0.25, "input_shape": [64, 64, 3], "classes": 10}
    done = worker(tmp_path, cell_of("keras-tensorflow"), saved_network(tmp_path / "64.keras", options))
    assert done.outcome["status"] == "failed"
    assert "the input is [1, 32, 32, 3], the model wants ['batch', 64, 64, 3]" in done.outcome["reason"]
