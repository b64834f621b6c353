"""Profiling in a process of its own: whatever happens there, the row's samples stand."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnbench.cell import Cell, Work
from mnbench.job import Budget, Job
from mnbench.launching import Launch
from mnbench.profiling import Profile, apart
from mnbench.profiling.apart import has_operators, profile_apart
from support.network import float_model, initial_network

pytestmark = pytest.mark.smoke

CELL = Cell(work=Work.FORWARD, model="m", engine="litert")
PATH = os.pathsep.join(place for place in sys.path if place)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    from importlib.util import find_spec

    engine = "litert" if find_spec("ai_edge_litert") else "tflite-runtime"
    (tmp_path / "model.tflite").write_bytes(float_model(initial_network([(8, 2), (16, 1)], 5, seed=0), (32, 32)))
    np.save(tmp_path / "input.npy", np.zeros((1, 32, 32, 3), np.float32))
    return Job(
        cell=replace(CELL, engine=engine),
        budget=Budget(seconds=0.02, warm_up_seconds=0.02, least_samples=2),
        input=tmp_path / "input.npy",
        file=tmp_path / "model.tflite",
    )


def launch(scratch: Path, python: str = sys.executable) -> Launch:
    return Launch(scratch=scratch, python=python, variables={"PYTHONPATH": PATH})


def test_the_profile_comes_back(job: Job, tmp_path: Path) -> None:
    facts = profile_apart(job, launch(tmp_path))
    assert list(facts) == ["profile"], facts
    assert len(Profile.from_json(facts["profile"]).operators) > 3


def test_a_model_that_can_t_be_profiled_is_a_reason(job: Job, tmp_path: Path) -> None:
    np.save(tmp_path / "input.npy", np.zeros((1, 48, 48, 3), np.float32))
    (reason,) = profile_apart(job, launch(tmp_path)).values()
    assert "in the sizes that the file declares" in reason


def fake_python(folder: Path, body: str) -> str:
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\nimport os, sys, signal\njob, outcome = sys.argv[3:]\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
        ("open(outcome, 'w').write('{}')", "can't be read"),
        ("open(outcome, 'w').write('[]')", "can't be read"),
        ("open(outcome, 'w').write('7')", "can't be read"),
        ("open(outcome, 'w').write('{\"profile\": {\"whole_ns\": NaN}}')", "can't be read"),
        ("open(outcome, 'w').write('{\"profile\": []}')", "can't be read"),
    ],
)
def test_whatever_the_process_does_there_is_a_reason(job: Job, tmp_path: Path, body: str, words: str) -> None:
    facts = profile_apart(job, launch(tmp_path, fake_python(tmp_path, body)))
    assert list(facts) == ["profile_reason"]
    assert words in facts["profile_reason"]


def test_it_is_kept_on_as_many_cores_as_the_row_was(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[int | None] = []
    monkeypatch.setattr(apart, "pin_to_fastest", pinned.append)
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()))
    assert apart.main([str(tmp_path / "job.json"), str(tmp_path / "outcome.json")]) == 0
    assert pinned == [1]
    assert "profile" in json.loads((tmp_path / "outcome.json").read_text())


def test_what_has_operators() -> None:
    assert has_operators(CELL)
    assert not has_operators(replace(CELL, work=Work.IMPORT))
    assert not has_operators(replace(CELL, work=Work.PHOTO_TO_LABEL, engine="mninfer"))
    assert not has_operators(replace(CELL, engine="onnxruntime"))
