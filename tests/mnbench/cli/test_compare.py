import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnbench.cell import Cell, Work
from mnbench.cli.main import main
from mnbench.record import Doubt, Record, Status
from mnbench.record_file import write_record
from support.commands import Cli, in_this_process
from support.records import pi_record, row_of, slowed, workstation_record

pytestmark = pytest.mark.smoke

Write = Callable[..., Path]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return written(tmp_path, "before.json", workstation_record())


@pytest.fixture
def slower(tmp_path: Path) -> Path:
    return written(tmp_path, "slower.json", slowed(workstation_record(seed=3), 1.1))


@pytest.fixture
def again(tmp_path: Path) -> Path:
    return written(tmp_path, "again.json", workstation_record(seed=7))


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    return written(tmp_path, "pi.json", pi_record())


def written(folder: Path, name: str, record: Record) -> Path:
    write_record(record, folder / name)
    return folder / name


def test_a_slowdown_is_shown_and_is_no_failure_by_itself(cli: Cli, before: Path, slower: Path) -> None:
    outcome = cli("compare", before, slower)
    assert (outcome.code, outcome.err) == (0, "")
    line = next(line for line in outcome.out.splitlines() if "forward/litert/int8/t1" in line)
    assert line.split()[1:4] == ["4.09", "±", "0.03"]
    assert line.endswith("slower")
    assert "0 faster, 39 slower, 0 can't tell" in outcome.out


def test_a_regression_ends_in_three_after_the_table(cli: Cli, before: Path, slower: Path) -> None:
    outcome = cli("compare", before, slower, "--fail-over", "5%")
    assert outcome.code == 3
    assert "39 slower" in outcome.out
    assert outcome.err.startswith("Error: 39 rows are slower by more than 5%: ")
    assert '" by 11%; ' in outcome.err
    assert outcome.err.splitlines()[0].endswith("; and 36 more")


@pytest.mark.parametrize("limit", ["20%", "12.5 %", " 15%"])
def test_a_slowdown_below_the_limit_is_none(limit: str, cli: Cli, before: Path, slower: Path) -> None:
    assert cli("compare", before, slower, "--fail-over", limit).code == 0


def test_the_same_again_is_no_regression(cli: Cli, before: Path, again: Path) -> None:
    outcome = cli("compare", before, again, "--fail-over", "5%")
    assert (outcome.code, outcome.err) == (0, "")
    assert "0 faster, 0 slower, 39 can't tell" in outcome.out


def test_a_gate_does_not_pass_what_it_cannot_know(cli: Cli, tmp_path: Path) -> None:
    """One process to a row is compatible with any slowdown."""
    lone = row_of(Cell(work=Work.FORWARD, model="m", engine="litert"), 10.0, num_rounds=1)
    path = written(tmp_path, "lone.json", replace(workstation_record(), rows=(lone,)))
    assert cli("compare", path, path).code == 0
    outcome = cli("compare", path, path, "--fail-over", "5%")
    assert outcome.code == 3
    assert "1 can't tell" in outcome.out
    assert outcome.err.startswith(
        f'Error: 1 row is not known well enough, and may be slower by more than 5%: "{lone.cell.key}" by up to anything'
    )
    assert "--rounds" in outcome.err


def test_a_wide_interval_passes_with_a_note_unless_its_middle_is_over(cli: Cli, tmp_path: Path) -> None:
    cell = Cell(work=Work.FORWARD, model="m", engine="mnn")
    before, slower = (
        written(tmp_path, f"{name}.json", replace(workstation_record(), rows=(row_of(cell, ms, drift=0.3),)))
        for name, ms in (("before", 10.0), ("slower", 11.0))
    )
    outcome = cli("compare", before, before, "--fail-over", "5%")
    assert outcome.code == 0
    assert outcome.err.startswith(
        f'not known well enough to see that a row is slower by more than 5%: "{cell.key}", by up to '
    )
    assert "1 can't tell" in outcome.out
    outcome = cli("compare", before, slower, "--fail-over", "5%")
    assert outcome.code == 3
    assert "1 can't tell" in outcome.out
    assert "1 row is not known well enough, and may be slower by more than 5%" in outcome.err


def test_one_row_that_regressed_is_one(cli: Cli, before: Path, tmp_path: Path) -> None:
    record = workstation_record(seed=7)
    worse = slowed(record, 1.1)
    key = "mobilenet_v1_1.0_224/forward/litert/int8/t1"
    rows = tuple((worse.row(key) or row) if row.cell.key == key else row for row in record.rows)
    after = written(tmp_path, "after.json", replace(record, rows=rows))
    outcome = cli("compare", before, after, "--fail-over", "5%")
    assert outcome.code == 3
    assert outcome.err.splitlines()[0] == f'Error: 1 row is slower by more than 5%: "{key}" by 10%'


@pytest.mark.parametrize("limit", ["5", "0.05", "-5%", "five%", "%", "nan%", "inf%", "1e3%"])
def test_a_limit_is_a_percentage_with_its_sign(limit: str, cli: Cli, before: Path) -> None:
    outcome = cli("compare", before, before, "--fail-over", limit)
    assert outcome.code == 2
    assert f'"{limit}" is no percentage: write 5% or 2.5%' in outcome.err


def test_unlike_machines_are_refused_unless_told(cli: Cli, before: Path, pi: Path) -> None:
    refused = cli("compare", before, pi)
    assert (refused.code, refused.out) == (1, "")
    assert 'unlike machines: CPU "Intel(R) Xeon 8488C" and "Cortex-A76"; usable cores 2 and 4' in refused.err
    assert "try:   --allow-unlike-machines" in refused.err
    told = cli("compare", before, pi, "--allow-unlike-machines")
    assert told.code == 0
    assert 'unlike machines: CPU "Intel(R) Xeon 8488C" and "Cortex-A76"' in told.out


def test_doubts_of_rows_and_of_runs_are_shown(cli: Cli, pi: Path) -> None:
    out = cli("compare", pi, pi).out
    assert "litert/int16x8/t4 [1]" in out
    assert "[1] throttled: the CPU was throttled 3 times" in out
    assert "[2] mismatch: its outputs are not those of litert" in out
    assert "governor: the governor is ondemand" in out
    assert "interrupted: the run was interrupted" in out


def test_rows_in_only_one_are_listed(cli: Cli, before: Path, pi: Path) -> None:
    out = cli("compare", before, pi, "--allow-unlike-machines").out
    below = out.partition("Not compared")[2]
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in below.splitlines()[3:]}
    assert lines["mobilenet_v1_1.0_224/forward/litert/float32/t4"] == "not asked for before"
    assert lines["mobilenet_v1_1.0_224/cold-start/mninfer/int8/t1"] == "pending after"
    assert lines["mobilenet_v1_1.0_224/forward/onnxruntime/int8/t1"] == "not asked for after"


def test_everything_as_json(cli: Cli, before: Path, slower: Path) -> None:
    outcome = cli("compare", before, slower, "--json", "--fail-over", "5%")
    told = json.loads(outcome.out)
    assert outcome.code == 3
    assert {row["verdict"] for row in told["rows"]} == {"slower"}
    assert told["rows"][0]["ratio"]["low"] > 1.02


def test_a_file_that_is_no_result(cli: Cli, before: Path, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.json"
    nonsense.write_text('{"kind": "other"}')
    outcome = cli("compare", before, nonsense)
    assert outcome.code == 1
    assert "this is no result of mnbench" in outcome.err
    assert f"where: {nonsense}" in outcome.err


def test_a_file_that_is_not_there(cli: Cli, before: Path, tmp_path: Path) -> None:
    outcome = cli("compare", tmp_path / "gone.json", before)
    assert outcome.code == 1
    assert f"where: {tmp_path / 'gone.json'}" in outcome.err


def test_two_results_are_needed(cli: Cli, before: Path) -> None:
    assert cli("compare", before).code == 2


def test_a_name_in_a_record_can_move_no_cursor(cli: Cli, tmp_path: Path) -> None:
    hostile = written(tmp_path, "hostile.json", replace(workstation_record(), device="\x1b[2J\u202e"))
    out = cli("compare", hostile, hostile).out
    assert "\x1b" not in out
    assert "\u202e" not in out


KEY = "mobilenet_v1_1.0_224/forward/litert/int8/t1"
FAILED = {"status": Status.FAILED, "reason": "killed by SIGSEGV", "processes": ()}
MISMATCH = {"doubts": (Doubt("mismatch", "its outputs are others"),)}


def with_row(record: Record, **changes: Any) -> Record:
    rows = tuple(replace(row, **changes) if row.cell.key == KEY else row for row in record.rows)
    return replace(record, rows=rows)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [(FAILED, "failed: killed by SIGSEGV"), (MISMATCH, "mismatch: its outputs are others")],
)
def test_a_row_that_was_lost_is_a_failure(
    cli: Cli, before: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    after = written(tmp_path, "after.json", with_row(workstation_record(seed=7), **changes))
    assert cli("compare", before, after).code == 0
    outcome = cli("compare", before, after, "--fail-over", "50%", "--json")
    assert outcome.code == 3
    assert outcome.err.splitlines()[0] == f'Error: 1 row is no longer measured: "{KEY}", {reason}'
    assert json.loads(outcome.out)["lost"] == [{"row": KEY, "reason": reason}]
    assert cli("compare", after, after, "--fail-over", "50%").code == 0
    assert cli("compare", after, before, "--fail-over", "50%").code == 0


def test_a_gate_that_has_nothing_to_judge_does_not_pass(cli: Cli, tmp_path: Path) -> None:
    record = with_row(workstation_record(), **MISMATCH)
    path = written(
        tmp_path,
        "other.json",
        replace(record, rows=tuple(row for row in record.rows if row.doubts[:1] == MISMATCH["doubts"])),
    )
    outcome = cli("compare", path, path, "--fail-over", "5%")
    assert outcome.code == 3
    assert "1 other outputs" in outcome.out
    assert outcome.err.startswith("Error: no row can be judged: all have other outputs")


def test_the_margin_that_decided_is_shown(cli: Cli, before: Path, tmp_path: Path) -> None:
    """Others took a tenth of the cores in the second run alone: what they explain is no verdict."""
    assert "Margin" not in cli("compare", before, before).out
    loaded = {"before": busy(0.0, 0.0, 0.0), "after": busy(12.0, 10.0, 20.0)}
    row = row_of(Cell(work=Work.FORWARD, model="m", engine="litert"), 10.0)
    busier = row_of(row.cell, 11.0, conditions=loaded)
    paths = [
        written(tmp_path, f"{name}.json", replace(workstation_record(), rows=(each,)))
        for name, each in (("quiet", row), ("busy", busier))
    ]
    out = cli("compare", *paths).out
    head, line = (next(line for line in out.splitlines() if word in line) for word in ("Margin ", row.cell.key))
    assert "Verdict" in head
    assert line.endswith("can't tell")
    assert line.split()[-3].endswith("%")
    assert "took more of the cores in one run" in out


def busy(busy_s: float, own_s: float, total_s: float) -> dict[str, float]:
    return {"cores_busy_s": busy_s, "own_cpu_s": own_s, "cores_total_s": total_s, "cores_stolen_s": 0.0}


def test_a_row_that_was_not_asked_for_again_is_not_lost(cli: Cli, before: Path, tmp_path: Path) -> None:
    record = workstation_record(seed=7)
    fewer = replace(record, rows=tuple(row for row in record.rows if row.cell.key != KEY))
    assert cli("compare", before, written(tmp_path, "after.json", fewer), "--fail-over", "50%").code == 0


def test_slower_and_lost_are_told_together(cli: Cli, before: Path, tmp_path: Path) -> None:
    after = written(tmp_path, "after.json", with_row(slowed(workstation_record(seed=3), 1.1), **FAILED))
    error = cli("compare", before, after, "--fail-over", "5%").err
    assert "1 row is no longer measured" in error
    assert "38 rows are slower by more than 5%" in error
