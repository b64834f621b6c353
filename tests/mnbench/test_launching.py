"""A worker's process: measured, refused, crashed, hung; there is always an outcome."""

import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.job import Budget, Job
from mnbench.launching import Launch, run_worker
from mnbench.record import Status
from mninfer.errors import OutputError
from support.network import float_model, initial_network

pytestmark = pytest.mark.smoke

SHORT = Budget(seconds=0.05, warm_up_seconds=0.02, least_samples=3)
PATH = os.pathsep.join(place for place in sys.path if place)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    network = initial_network([(8, 2), (16, 1)], 5, seed=0)
    (tmp_path / "model.tflite").write_bytes(float_model(network, (32, 32)))
    np.save(tmp_path / "input.npy", np.zeros((1, 32, 32, 3), np.float32))
    return Job(
        cell=Cell(work=Work.FORWARD, model="m", engine="litert", variant=Variant.FLOAT32),
        budget=SHORT,
        input=tmp_path / "input.npy",
        file=tmp_path / "model.tflite",
        outputs=tmp_path / "outputs.npz",
    )


def launch(scratch: Path, **changes: object) -> Launch:
    return Launch(**{"scratch": scratch, "variables": {"PYTHONPATH": PATH}, **changes})  # type: ignore[arg-type]


def installed_engine() -> str:
    from importlib.util import find_spec

    return "litert" if find_spec("ai_edge_litert") else "tflite-runtime"


def with_engine(job: Job, engine: str) -> Job:
    from dataclasses import replace

    return replace(job, cell=replace(job.cell, engine=engine))


def test_a_cell_is_measured(job: Job, tmp_path: Path) -> None:
    outcome = run_worker(with_engine(job, installed_engine()), launch(tmp_path))
    assert outcome.status is Status.MEASURED, outcome.reason
    assert outcome.process is not None
    assert len(outcome.process.samples_ns) >= SHORT.least_samples
    assert outcome.process.facts["version"]
    assert outcome.process.conditions["peak_bytes"] > 1 << 20
    with np.load(tmp_path / "outputs.npz") as outputs:
        assert outputs["output_0"].shape == (1, 5)


def test_a_damaged_model_is_a_reason(job: Job, tmp_path: Path) -> None:
    job.file.write_bytes(b"TFL3 and nothing else")  # type: ignore[union-attr]
    outcome = run_worker(with_engine(job, installed_engine()), launch(tmp_path))
    assert outcome.status is Status.FAILED
    assert outcome.reason
    assert "Traceback" not in outcome.reason


def test_an_engine_that_is_not_there_is_missing(job: Job, tmp_path: Path) -> None:
    absent = "tflite-runtime" if installed_engine() == "litert" else "litert"
    outcome = run_worker(with_engine(job, absent), launch(tmp_path))
    assert outcome.status is Status.MISSING
    assert absent in outcome.reason


def fake_python(folder: Path, body: str) -> str:
    """A Python of others, that does what the test says with the paths of job and outcome."""
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\nimport os, sys, json, time, signal\njob, outcome = sys.argv[3:]\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV"),
        ("print('no such thing: libfoo.so', file=sys.stderr); sys.exit(7)", "exit code 7: no such thing: libfoo.so"),
        ("pass", "ended with exit code 0"),
        ("open(outcome, 'w').write('[1')", "can't be read"),
        ("open(outcome, 'w').write('[' * 100000)", "can't be read"),
        ('open(outcome, \'w\').write(\'{"status": "measured", "reason": "", "process": NaN}\')', "can't be read"),
        ('open(outcome, \'w\').write(\'{"status": "missing", "reason": "", "more": [-1e999]}\')', "can't be read"),
        ("json.dump({'status': 'measured', 'reason': '', 'process': {}}, open(outcome, 'w'))", "can't be read"),
        ("json.dump({'status': 'fine', 'reason': ''}, open(outcome, 'w'))", "can't be read"),
    ],
)
def test_whatever_a_process_does_there_is_an_outcome(job: Job, tmp_path: Path, body: str, words: str) -> None:
    outcome = run_worker(job, launch(tmp_path, python=fake_python(tmp_path, body)))
    assert outcome.status is Status.FAILED
    assert words in outcome.reason
    assert not outcome.is_hung


def test_the_last_words_of_one_that_talked_a_lot_are_told(job: Job, tmp_path: Path) -> None:
    body = "os.ftruncate(2, 64 << 20); os.lseek(2, 64 << 20, 0); os.write(2, b'\\nout of memory\\n'); sys.exit(1)"
    tracemalloc.start()
    try:
        outcome = run_worker(job, launch(tmp_path, python=fake_python(tmp_path, body)))
        most_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.reason == "ended with exit code 1: out of memory"
    assert most_bytes < 16 << 20


def is_running(status: Path) -> bool:
    try:
        return "zombie" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_a_process_that_hangs_is_ended_with_its_children(job: Job, tmp_path: Path) -> None:
    note = tmp_path / "child.txt"
    body = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(note)!r}, "w").write(str(child.pid))
time.sleep(60)"""
    outcome = run_worker(job, launch(tmp_path, python=fake_python(tmp_path, body), grace_s=3.0))
    assert outcome.status is Status.FAILED
    assert outcome.is_hung, outcome.reason
    status = Path(f"/proc/{note.read_text()}/status")
    if Path("/proc/self/status").exists():
        deadline = time.monotonic() + 10  # it has been killed: a busy machine takes a moment to end it
        while is_running(status) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_running(status)


def test_an_old_outcome_is_not_taken_for_a_new_one(job: Job, tmp_path: Path) -> None:
    (tmp_path / "outcome.json").write_text(json.dumps({"status": "missing", "reason": "long ago"}))
    assert "long ago" not in run_worker(job, launch(tmp_path, python=fake_python(tmp_path, "pass"))).reason


def test_a_python_that_is_gone_is_a_reason(job: Job, tmp_path: Path) -> None:
    outcome = run_worker(job, launch(tmp_path, python=str(tmp_path / "removed" / "python3")))
    assert outcome.status is Status.FAILED
    assert outcome.reason == "python3 could not be started: No such file or directory"


def test_a_scratch_folder_that_is_gone_is_an_error_with_a_way_out(job: Job, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"(?s)can't be written: No such file.*try:.*TMPDIR="):
        run_worker(job, launch(tmp_path / "gone"))


@pytest.mark.skipif(os.name == "nt", reason="sends Control-C")
def test_control_c_in_the_midst_of_starting_leaves_no_process(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> Any:
        started.append(start(*arguments, **options))
        os.kill(os.getpid(), signal.SIGINT)
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_worker(job, launch(tmp_path, python=fake_python(tmp_path, "time.sleep(60)")))
    assert started[0].poll() == -signal.SIGKILL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
