"""The check of mnbench's bars: what holds a bar and what doesn't, and each fresh process on a small model."""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import check_mnbench
from check_mnbench import (
    AGREEMENT,
    OVERHEAD,
    RESULT,
    Ask,
    agreement_bar,
    asker,
    duration_bar,
    jobs,
    main,
    overhead_bar,
    overlap_bar,
    ratio_bar,
    slowdown_bars,
    without_places,
)
from mnbench.cell import Cell, Work
from mnbench.job import Budget, Job
from mnbench.record import Process, Record, Row, Status
from mnbench.record_file import write_record
from mnbench.statistics import Interval
from mninfer.errors import InputError
from support.networks import shapes_float

pytestmark = pytest.mark.smoke

CELL = Cell(work=Work.FORWARD, model="shapes", engine="litert")
JOB = Job(cell=CELL, budget=Budget(seconds=1, warm_up_seconds=0))
needs_litert = pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason="LiteRT is not installed")


def process_json(samples_ns: list[int]) -> dict[str, Any]:
    return Process(round=0, samples_ns=tuple(samples_ns)).to_json()


def answers(**by_kind: Any) -> Ask:
    """Instead of processes: what each kind answers, in turn with a spread of a tenth of a per cent."""
    count = {"calls": 0}

    def ask(kind: str, job: Job, argument: float) -> Any:
        count["calls"] += 1
        wobble = 1 + 0.001 * (count["calls"] % 3)
        base = by_kind[kind.replace("-", "_")] * wobble
        if kind == "overhead":
            return {"harness": [base] * 5, "bare": [1000.0 * wobble] * 5}
        return base if kind == "litert-benchmark" else process_json([round(base * 1e6 * (1 + argument))] * 5)

    return ask


def record_of(medians_by_model: dict[str, list[float]]) -> Record:
    rows = tuple(
        Row(
            cell=replace(CELL, model=name),
            status=Status.MEASURED,
            processes=tuple(
                Process(round=i, samples_ns=(round(ms * 1e6),), conditions={"before": {"load_average": 0.5 + i}})
                for i, ms in enumerate(medians)
            ),
        )
        for name, medians in medians_by_model.items()
    )
    return Record(device="pi", command="", plan="", rows=rows)


@pytest.mark.parametrize(
    ("middle", "width", "is_held"),
    [(1.009, 0.005, True), (1.011, 0.005, False), (1.0, 0.02, False), (0.9, 0.005, True)],
)
def test_a_ratio_holds_if_it_is_within_and_known(middle: float, width: float, is_held: bool) -> None:
    ratio = Interval(middle, middle * (1 - width), middle * (1 + width))
    assert ratio_bar("overhead", "m", OVERHEAD, ratio, is_one_sided=True).is_held is is_held


def test_agreement_is_asked_of_both_sides() -> None:
    low = Interval(0.95, 0.949, 0.951)
    assert not ratio_bar("litert-benchmark", "m", AGREEMENT, low, is_one_sided=False).is_held
    assert ratio_bar("litert-benchmark", "m", AGREEMENT, low, is_one_sided=True).is_held


def test_a_slow_harness_is_found_out() -> None:
    assert overhead_bar(answers(overhead=1004.0), JOB, 5).is_held
    bar = overhead_bar(answers(overhead=1030.0), JOB, 5)
    assert not bar.is_held
    assert bar.found["middle"] == pytest.approx(1.03, rel=1e-3)


def test_a_program_that_finds_something_else_is_told() -> None:
    assert agreement_bar(answers(slowed=4.0, litert_benchmark=4.05), JOB, 5).is_held
    bar = agreement_bar(answers(slowed=4.0, litert_benchmark=4.4), JOB, 5)
    assert not bar.is_held
    assert bar.found["theirs_ms"]["middle"] == pytest.approx(4.4, rel=5e-3)


def test_a_slowdown_is_called_slower_and_the_same_is_not() -> None:
    same, slower = slowdown_bars(answers(slowed=4.0), JOB, 5)
    assert (same.is_held, same.found["verdict"]) == (True, "can't tell")
    assert (slower.is_held, slower.found["verdict"]) == (True, "slower")
    assert slower.found["ratio"]["middle"] == pytest.approx(1.1, abs=0.005)


def test_what_could_not_be_told_holds_nothing() -> None:
    """Intervals so wide that neither verdict says anything."""
    values = iter([3.0, 5.0, 4.0, 6.0, 3.5, 5.5, 4.5, 2.5, 3.0])

    def ask(kind: str, job: Job, argument: float) -> Any:
        return process_json([round(next(values) * 1e6)])

    same, slower = slowdown_bars(ask, JOB, 3)
    assert (same.is_held, slower.is_held) == (False, False)
    assert same.text.endswith(": not known well enough")
    assert same.to_json()["asked"] == '"can\'t tell" of the same run once more'


def test_overlap_counts_the_cells_that_both_have() -> None:
    first = record_of({"a": [4.0, 4.1, 4.2], "b": [9.0, 9.1, 9.2], "only here": [1.0, 1.0, 1.0]})
    second = record_of({"a": [4.1, 4.15, 4.2], "b": [12.0, 12.1, 12.2]})
    bar = overlap_bar(first, second)
    assert (bar.found["cells"], bar.found["share"], bar.is_held) == (2, 0.5, False)
    assert bar.found["apart"] == ["b/forward/litert/float32/t1"]
    assert bar.found["load"][0] == {"median": 1.5, "most": 2.5}
    assert overlap_bar(first, first).is_held
    assert not overlap_bar(first, record_of({})).is_held, "nothing in common holds nothing"


def test_beside_the_share_that_overlaps_stands_how_wide_the_intervals_are() -> None:
    narrow, wide = record_of({"a": [4.0, 4.0, 4.04]}), record_of({"a": [4.0, 6.0, 5.0], "b": [1.0], "c": [2.0]})
    bar = overlap_bar(narrow, wide)
    first, second = bar.found["median_half_width"]
    assert first < 0.02
    assert second > 0.4
    assert bar.text == f"1 of 1 cells, in the median known to ± {100 * first:.1f} % and ± {100 * second:.1f} %"
    alone = overlap_bar(wide, record_of({"b": [9.0], "c": [2.0]}))
    assert (alone.found["cells"], alone.is_held) == (0, False), "of one process an interval has no ends"


@pytest.mark.parametrize(
    ("command", "elapsed_s", "name", "is_held"),
    [
        ("mnbench run --preset quick -o quick.json --force", 34.1, "duration: quick", True),
        ("mnbench run --preset quick", 90.1, "duration: quick", False),
        ("mnbench run --device-name 'Pi 5' -o table.json", 759.5, "duration: table", True),
        ("mnbench run --preset table", 901.0, "duration: table", False),
    ],
)
def test_a_preset_takes_no_longer_than_is_promised(command: str, elapsed_s: float, name: str, is_held: bool) -> None:
    machine = {"before": {"cpu": {"model": "Xeon", "cores_usable": 2}}}
    record = replace(record_of({}), command=command, elapsed_s=elapsed_s, machine=machine)
    bar = duration_bar(record, Path("a.json"))
    assert (bar.name, bar.is_held) == (name, is_held)
    assert bar.text.endswith(" s on Xeon, 2 cores")
    assert bar.to_json()["asked"].startswith(f"at most {bar.limit:.0f} s")


@pytest.mark.parametrize(
    ("command", "is_complete"),
    [
        ("mnbench run --preset quick --pace 0.1", True),
        ("mnbench run --preset quick --rounds 1", True),
        ("mnbench run --preset zoo", True),
        ("mnbench import log.txt", True),
        ("mnbench run --preset quick", False),
    ],
)
def test_no_other_run_says_how_long_a_preset_takes(command: str, is_complete: bool) -> None:
    record = replace(record_of({}), command=command, elapsed_s=1.0, is_complete=is_complete)
    with pytest.raises(InputError, match="not of a whole run of --preset quick or --preset table"):
        duration_bar(record, Path("a.json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "4"], '"4" is no number of 5 or more'),
        (["--rounds", "-1"], '"-1" is no number of 5 or more'),
        (["--rounds", "many"], '"many" is no number of 5 or more'),
        (["--only-records"], "nothing to check"),
    ],
)
def test_what_it_can_not_do_is_a_usage_error(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_mnbench.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_recorded_path_is_the_repositorys_or_a_name() -> None:
    assert without_places(str(RESULT)) == "benchmarks/results/mnbench_check.json"
    assert without_places("/home/me/a.json") == "a.json"
    assert without_places("--rounds") == "--rounds"


def test_two_records_are_judged_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_record(record_of({"a": [4.0, 4.1, 4.2]}), first)
    write_record(record_of({"a": [8.0, 8.1, 8.2]}), second)
    out = tmp_path / "out.json"

    def run(*records: Path) -> int:
        arguments = ["--only-records", "--out", str(out), "--records", *map(str, records)]
        monkeypatch.setattr(sys, "argv", ["check_mnbench.py", *arguments])
        return main()

    assert run(first, first) == 0
    assert run(first, second) == 3
    result = json.loads(out.read_text())
    assert [bar["is_held"] for bar in result["bars"]] == [False]
    assert str(tmp_path) not in result["command"]
    assert "1 of 1 bars are not held" in capsys.readouterr().err
    assert run(first, tmp_path / "gone.json") == 1


@pytest.mark.slow
@needs_litert
def test_each_fresh_process_answers(tmp_path: Path) -> None:
    model = tmp_path / "shapes.tflite"
    model.write_bytes(shapes_float())
    (job,) = jobs([model], tmp_path, runs=20)
    job = replace(job, budget=replace(job.budget, warm_up_seconds=0.05))
    ask = asker(tmp_path)
    blocks = ask("overhead", job, 2)
    assert {name: len(values) for name, values in blocks.items()} == {"harness": 2, "bare": 2}
    assert all(value > 1000 for values in blocks.values() for value in values)
    usual, longer = (Process.from_json(ask("slowed", job, share), "answer") for share in (0.0, 9.0))
    assert min(longer.samples_ns) > 3 * min(usual.samples_ns)
    assert len(usual.samples_ns) == 20
    assert float(ask("litert-benchmark", job, 20)) >= 0
    with pytest.raises(SystemExit, match="overhead of shapes failed"):
        ask("overhead", replace(job, file=tmp_path / "gone.tflite"), 2)


@needs_litert
def test_models_of_its_own_are_mobilenets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_mnbench, "written_models", lambda folder: iter([_small(folder)]))
    (job,) = jobs([], tmp_path)
    assert job.cell.key == "small/forward/litert/float32/t1"


def _small(folder: Path) -> Path:
    path = folder / "small.tflite"
    path.write_bytes(shapes_float())
    return path


def test_a_place_that_takes_no_file_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_mnbench, "measured_bars", lambda *_: pytest.fail("it measures"))
    monkeypatch.setattr(sys, "argv", ["check_mnbench.py", "--out", str(tmp_path / "none" / "check.json")])
    assert main() == 1
    assert "make the folder first" in capsys.readouterr().err


def test_a_process_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(check_mnbench, "WORKER", worker)
    monkeypatch.setattr(check_mnbench, "PROCESS_SECONDS", 0.5)
    with pytest.raises(SystemExit, match=r"overhead of shapes was not done after 0\.5 s"):
        asker(tmp_path)("overhead", JOB, 2)
