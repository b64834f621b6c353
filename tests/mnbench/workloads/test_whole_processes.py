"""Cold start and import: whole processes of ours, their answer, their time, their memory."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

import mninfer
from mnbench.catalogue import ENGINES
from mnbench.cell import Cell, Work
from mnbench.job import Budget, Job
from mnbench.own_version import own_version
from mnbench.sampling import sample
from mnbench.workloads import cold_start, import_time
from mninfer.errors import EngineError, InputError, MissingDependencyError
from support.commands import environment_for

pytestmark = pytest.mark.smoke

BRIEF = Budget(seconds=0.01, warm_up_seconds=0.01, least_samples=2, most_samples=2)


@pytest.fixture(autouse=True)
def _packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", environment_for()["PYTHONPATH"])


@pytest.fixture
def cold_job(photo_job: Job) -> Job:
    return replace(photo_job, cell=replace(photo_job.cell, work=Work.COLD_START), budget=BRIEF)


def import_job(engine: str) -> Job:
    return Job(cell=Cell(work=Work.IMPORT, model="-", engine=engine, threads=None), budget=BRIEF)


@pytest.mark.slow
def test_a_cold_start_answers_and_is_timed_whole(cold_job: Job) -> None:
    workload = cold_start.open_workload(cold_job)
    samples = sample(workload.run, cold_job.budget, parts_of=workload.parts_ns)
    facts = workload.facts()
    workload.close()
    assert len(samples.samples_ns) == 2
    assert min(samples.samples_ns) > 20e6, "no Python with numpy starts in less"
    best = mninfer.load(cold_job.file or "").classify(cold_job.picture).best
    assert facts["answer"].startswith(best.label)
    assert facts["version"] == own_version()
    assert 20 << 20 < facts["process_peak_bytes"] < 1 << 30
    assert list(workload.outputs()) == []
    assert not samples.parts_ns


def test_a_cold_start_runs_as_the_cell_says(cold_job: Job, tmp_path: Path) -> None:
    """Told by what the command refuses, of a foreign file: the options reach it."""
    from support.networks import shapes_float

    (tmp_path / "bare.tflite").write_bytes(shapes_float())
    foreign = replace(cold_job, file=tmp_path / "bare.tflite")
    with pytest.raises(EngineError, match="nothing says how a picture becomes"):
        cold_start.open_workload(foreign)
    cold_start.open_workload(replace(foreign, network={"preprocess": "inception", "resize": "stretch"})).close()
    with pytest.raises(EngineError, match="blurred"):
        cold_start.open_workload(replace(foreign, network={"preprocess": "blurred"}))


def test_a_cold_start_without_xnnpack_is_refused(cold_job: Job) -> None:
    with pytest.raises(InputError, match="XNNPACK"):
        cold_start.open_workload(replace(cold_job, cell=replace(cold_job.cell, use_xnnpack=False)))


def test_a_command_that_says_nothing_is_an_error() -> None:
    with pytest.raises(EngineError, match="named no label"):
        cold_start.ColdStart([sys.executable, "-c", "pass"], 1)


def test_a_command_that_fails_later_is_an_error(cold_job: Job, photo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "photo.jpg"
    copy.write_bytes(photo.read_bytes())
    workload = cold_start.open_workload(replace(cold_job, picture=copy))
    copy.unlink()
    with pytest.raises(EngineError, match="exit code 1"):
        workload.run()
    workload.close()


def test_an_import_is_python_s_start_and_the_rest() -> None:
    workload = import_time.open_workload(import_job("mninfer"))
    samples = sample(workload.run, BRIEF, parts_of=workload.parts_ns)
    facts = workload.facts()
    workload.close()
    assert list(samples.parts_ns) == ["python", "import"]
    for whole, python, importing in zip(samples.samples_ns, *samples.parts_ns.values(), strict=True):
        assert 1e6 < python <= python + importing <= whole
    assert facts["statement"] == "from mninfer import load"
    assert facts["bare_peak_bytes"] < facts["process_peak_bytes"]


def test_an_engine_that_is_not_installed_is_missing() -> None:
    missing = next(name for name, entry in ENGINES.items() if entry.package and find_spec(entry.package) is None)
    with pytest.raises(MissingDependencyError, match=missing):
        import_time.open_workload(import_job(missing))
    with pytest.raises(MissingDependencyError, match="benchmark_model"):
        import_time.open_workload(import_job("benchmark_model"))


def test_an_import_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mninfer.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineError, match=r'python -c "from mninfer import load" ended with exit code 1'):
        import_time.open_workload(import_job("mninfer"))


@pytest.mark.parametrize("engine", sorted(name for name, entry in ENGINES.items() if entry.package))
def test_every_engine_has_a_line_that_imports_it(engine: str) -> None:
    statement = import_time.import_statement(engine)
    compile(statement, engine, "exec")
    assert ENGINES[engine].package in statement or "keras" in statement
