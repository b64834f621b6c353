"""--batch saturating: what it is found for, what is kept of a search, and the whole of it on a CPU."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnbench import launching
from mnbench.cell import Cell, Device, Work
from mnbench.cli import saturating
from mnbench.cli.main import main
from mnbench.cli.run_progress import RunProgress
from mnbench.cli.saturating import is_saturating, settled_batches, with_known_batches
from mnbench.job import Job
from mnbench.launching import Launch
from mnbench.record import Record, Row, Status
from mnbench.record_file import read_record
from support.commands import Cli, in_this_process

CELL = Cell(work=Work.FORWARD_BACKWARD, model="mobilenet_v1_1.0_224", engine="keras-jax", device=Device.GPU)
OPTIONS: dict[str, Any] = {
    "preset": "gpu", "models": (), "rounds": 5, "pace": 1.0, "batch": None,
    "engines": None, "devices": None, "threads": None, "variants": None, "works": None,
}  # fmt: skip
PRETRAINED = Path(__file__).parents[3] / "models/pretrained/mobilenet_v1_025_cifar10.h5"


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("preset", "batch", "is_asked"),
    [("gpu", None, True), ("gpu", "1,8", False), ("table", None, False), ("table", "8,saturating", True)],
)
def test_it_is_asked_for_or_the_presets_wish(preset: str, batch: str | None, is_asked: bool) -> None:
    assert is_saturating({"preset": preset, "batch": batch}) is is_asked
    known = with_known_batches({"preset": preset, "batch": batch})["batch"]
    assert known == {"8,saturating": "8", "1,8": "1,8"}.get(str(batch), "1")


@pytest.mark.smoke
def test_other_engines_than_the_presets_have_no_such_batch() -> None:
    """``--preset gpu --engines litert``: nobody gave --batch."""
    assert settled_batches({**OPTIONS, "engines": "litert"}, None, RunProgress())["batch"] == "1"


@pytest.mark.smoke
def test_a_run_that_goes_on_has_the_batches_that_it_began_with() -> None:
    rows = tuple(Row(cell=replace(CELL, batch=batch), status=Status.PENDING) for batch in (64, 1))
    previous = Record(device="d", command="", plan="", rows=rows)
    assert settled_batches(OPTIONS, previous, RunProgress())["batch"] == "1,64"


@pytest.mark.smoke
@pytest.mark.parametrize("batch", [("--batch", "1,saturating"), ("--preset", "gpu")])
def test_it_is_not_found_on_another_device(cli: Cli, batch: tuple[str, ...]) -> None:
    outcome = cli("run", "--engines", "keras-jax", *batch, "--on", "ssh:nowhere")
    assert outcome.code == 2
    assert "found on this one alone" in outcome.err


FOUND = {"batch": 8, "ending": "flat", "reason": "", "pictures_per_second": {}}
ENDED = {**FOUND, "ending": "ended", "reason": "the process was ended at a batch of 16"}


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("written", "told", "batch", "words"),
    [
        (FOUND, None, 8, "from a batch of 8 on it is no faster per picture"),
        (ENDED, "killed by SIGKILL", 8, "the largest batch was 8: the process was ended at a batch of 16"),
        (ENDED, "hung: ended after 600 s", 8, "the largest batch was 8"),
        ({"error": "no GPU\ntry: buy one"}, None, None, "no saturating batch of a/cell: no GPU"),
        (None, "killed by SIGSEGV", None, "no saturating batch of a/cell: killed by SIGSEGV"),
    ],
)
def test_what_a_search_has_written_counts_however_it_ended(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: dict[str, Any] | None,
    told: str | None,
    batch: int | None,
    words: str,
) -> None:
    def run_apart(module: str, job: Job, launch: Launch, *, limit_s: float) -> Path | str:
        assert module == "mnbench.workloads.keras.saturation"
        path = launch.scratch / "outcome.json"
        if written is not None:
            path.write_text(json.dumps(written), encoding="utf-8")
        return told or path

    monkeypatch.setattr(launching, "run_apart", run_apart)
    monkeypatch.setattr("mnbench.jobs.job_for", lambda *_, **__: None)
    monkeypatch.setattr("mnbench.jobs.launch_for", lambda _, scratch: Launch(scratch=scratch, variables={}))
    bundle: Any = None
    found, sentence = saturating._search(CELL, bundle, pace=1.0)
    assert found == batch
    assert words.replace("a/cell", CELL.key) in sentence


@pytest.mark.slow
def test_the_saturating_batch_is_found_and_measured(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As --preset gpu does it, on a CPU: real weights, one framework. The search is ended soon, and leaves word."""
    pytest.importorskip("keras", reason="needs Keras: make test")
    pytest.importorskip("jax", reason="needs JAX: make test")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(saturating, "_LIMIT_S", 12.0)
    options = ("--engines", "keras-jax", "--batch", "1,saturating", "--rounds", "1", "--pace", "0.05")
    outcome = cli("run", "--models", PRETRAINED, *options, "-o", tmp_path / "r.json", "--strict")
    assert outcome.code == 0, outcome.err
    assert "looking for the batch that saturates the CPU" in outcome.err
    record = read_record(tmp_path / "r.json")
    batches = sorted({row.cell.batch for row in record.rows})
    assert batches[0] == 1
    assert 1 <= batches[-1] <= 1024
    assert len(record.rows) == 2 * len(batches)
    assert {row.cell.work for row in record.rows} == {Work.FORWARD, Work.FORWARD_BACKWARD}
    forward = [row for row in record.rows if row.cell.work is Work.FORWARD]
    assert all(row.agreement is not None and row.agreement.is_held for row in forward)
