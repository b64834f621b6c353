import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from mnbench import record as records
from mnbench.cell import Cell, Variant, Work
from mnbench.comparing import RowComparison, compare
from mnbench.doubts import doubts_of_row
from mnbench.machine.likeness import changed_packages, changed_runtime, unlike_facts
from mnbench.machine.meanwhile import Meanwhile
from mnbench.record import Doubt, Process, Record, Row, Status
from mnbench.statistics import Interval, Verdict, verdict
from mninfer.errors import InputError
from support.records import missing_row, pi_record, row_of, slowed, workstation_record

pytestmark = pytest.mark.smoke

CELLS = [
    Cell(work=Work.FORWARD, model="net", engine="litert", variant=variant)
    for variant in (Variant.FLOAT32, Variant.INT8, Variant.DYNAMIC)
]
FACTS = {"cpu": {"model": "Xeon", "cores_usable": 4, "governor": "performance"}, "packages": {"numpy": "2.4.0"}}


def record(*rows: Row, facts: Mapping[str, Any] = FACTS, **more: Any) -> Record:
    machine = {"before": facts, "after": facts}
    return Record(**{"device": "Xeon", "command": "", "plan": "", "rows": rows, "machine": machine} | more)


def rows_of(*medians_ms: float, seed: int = 0) -> tuple[Row, ...]:
    return tuple(row_of(cell, median, seed=seed) for cell, median in zip(CELLS, medians_ms, strict=False))


# What is compared.


def test_each_row_is_told_faster_slower_or_neither() -> None:
    comparison = compare(record(*rows_of(10, 20, 30)), record(*rows_of(11, 18, 30, seed=1)))
    assert [row.verdict for row in comparison.rows] == [Verdict.SLOWER, Verdict.FASTER, Verdict.CANT_TELL]
    assert [row.ratio.middle for row in comparison.rows] == pytest.approx([1.1, 0.9, 1.0], rel=0.02)
    assert comparison.rows[0].before.middle == pytest.approx(10, rel=0.01)
    assert comparison.rows[0].after.middle == pytest.approx(11, rel=0.01)


@pytest.mark.parametrize("seed", range(10))
def test_a_whole_record_again_is_neither_and_ten_percent_slower_is_slower(seed: int) -> None:
    """A/A and the injected slowdown, over the 40 or so rows of a table."""
    before, again = workstation_record(seed=seed), workstation_record(seed=seed + 100)
    assert {row.verdict for row in compare(before, again).rows} == {Verdict.CANT_TELL}
    assert {row.verdict for row in compare(before, slowed(again, 1.1)).rows} == {Verdict.SLOWER}
    assert {row.verdict for row in compare(slowed(before, 1.1), again).rows} == {Verdict.FASTER}


def test_rows_are_matched_by_their_cells_not_by_their_place() -> None:
    before = record(*rows_of(10, 20, 30))
    after = replace(before, rows=before.rows[::-1])
    comparison = compare(before, after)
    assert [row.key for row in comparison.rows] == [cell.key for cell in CELLS]
    assert all(row.ratio.middle == pytest.approx(1) for row in comparison.rows)


def test_rows_that_one_has_no_figure_of_are_listed_with_the_reason() -> None:
    before = record(*rows_of(10, 20), missing_row(CELLS[2], "not installed"))
    after = record(
        rows_of(10)[0], missing_row(CELLS[1], "it crashed", Status.FAILED), row_of(CELLS[2], 3.0), device="Xeon"
    )
    unmatched = {row.key: row.reason for row in compare(before, after).unmatched}
    assert unmatched == {CELLS[1].key: "failed after: it crashed", CELLS[2].key: "missing before: not installed"}


def test_rows_that_one_was_not_asked_for_are_listed() -> None:
    unmatched = compare(record(*rows_of(10, 20)), record(*rows_of(10))).unmatched
    assert [(row.key, row.reason) for row in unmatched] == [(CELLS[1].key, "not asked for after")]


def test_rows_that_neither_has_a_figure_of_are_no_matter() -> None:
    missing = missing_row(CELLS[1], "not installed")
    assert compare(record(*rows_of(10), missing), record(*rows_of(10), missing)).unmatched == ()


def test_doubts_of_either_are_told_once() -> None:
    throttled, short = Doubt("throttled", "hot"), Doubt("too-short", "1 process")
    before = record(row_of(CELLS[0], 10, doubts=[throttled]), doubts=(Doubt("governor", "ondemand"),))
    after = record(row_of(CELLS[0], 10, doubts=[throttled, short]), doubts=(Doubt("governor", "ondemand"),))
    comparison = compare(before, after)
    assert comparison.rows[0].doubts == (throttled, short)
    assert comparison.doubts == (Doubt("governor", "ondemand"),)


def test_nothing_in_common_is_an_error_that_names_what_there_is() -> None:
    with pytest.raises(InputError) as error:
        compare(record(*rows_of(10)), record(missing_row(CELLS[0], "not installed")))
    assert str(error.value).startswith(
        'no row is measured in both results: "net/forward/litert/float32/t1" before, nothing after'
    )


def test_one_process_tells_nothing() -> None:
    lone = record(row_of(CELLS[0], 20, num_rounds=1))
    comparison = compare(record(*rows_of(10)), lone)
    assert comparison.rows[0].verdict is Verdict.CANT_TELL
    assert comparison.regressions(0.0) == ()
    assert comparison.to_json()["rows"][0]["ratio"]["high"] is None


# Recorded: one and the same, measured again and again on a machine that others used, too.


def recorded_rows() -> list[Row]:
    runs = json.loads((Path(__file__).parent / "recorded" / "busy_machine.json").read_text(encoding="utf-8"))["runs"]
    return [
        Row(
            cell=CELLS[0],
            status=Status.MEASURED,
            processes=tuple(
                Process(round=number, samples_ns=tuple(each["samples_ns"]), conditions=each["conditions"])
                for number, each in enumerate(run)
            ),
        )
        for run in runs
    ]


def share_of_others(row: Row) -> float:
    return Meanwhile.share_of_others(Meanwhile.of(process.conditions) for process in row.processes) or 0.0


def test_the_same_again_is_neither_whatever_others_did() -> None:
    rows = recorded_rows()
    pairs = [compare(record(a), record(b)).rows[0] for a, b in permutations(rows, 2)]
    assert len(pairs) == 240
    assert {each.verdict for each in pairs} == {Verdict.CANT_TELL}
    assert sum(verdict(each.ratio) is not Verdict.CANT_TELL for each in pairs) == 34, "but for the margin's growth"


@pytest.mark.parametrize(("factor", "least"), [(1.1, 0.6), (1.2, 0.85)])
def test_what_became_slower_is_found_where_others_did_little(factor: float, least: float) -> None:
    """Of all pairs of the twelve runs that others took at most 14 % from; and no run is called the opposite."""
    rows = [row for row in recorded_rows() if share_of_others(row) < 0.15]
    pairs = permutations(zip(rows, slowed(record(*rows), factor).rows, strict=True), 2)
    found = [compare(record(before), record(after)).rows[0].verdict for (before, _), (_, after) in pairs]
    assert len(found) == 132
    assert found.count(Verdict.SLOWER) >= least * len(found)
    assert Verdict.FASTER not in found


def test_a_busy_machine_s_rows_are_doubted() -> None:
    """All but the quietest of the runs, whose load stayed below the threshold."""
    doubted = ["load-by-others" in {doubt.code for doubt in doubts_of_row(row)} for row in recorded_rows()]
    assert doubted.count(True) == 15


# What a regression is.


@pytest.mark.parametrize(("factor", "limit", "is_one"), [(1.1, 0.05, True), (1.1, 0.2, False), (0.9, 0.05, False)])
def test_a_regression_is_slower_by_more_than_the_limit(factor: float, limit: float, is_one: bool) -> None:
    comparison = compare(record(*rows_of(10)), record(*rows_of(10 * factor, seed=1)))
    assert bool(comparison.regressions(limit)) is is_one


def test_the_worst_regression_comes_first() -> None:
    found = compare(record(*rows_of(10, 10, 10)), record(*rows_of(12, 15, 11, seed=1))).regressions(0.05)
    assert [row.key for row in found] == [CELLS[1].key, CELLS[0].key, CELLS[2].key]


@pytest.mark.parametrize(
    ("changes", "limit", "is_open", "seems_so"),
    [
        ({}, 0.05, False, False),
        ({"drift": 0.1}, 0.1, True, False),
        ({"drift": 0.3}, 0.05, False, True),
        ({"drift": 0.1}, 1.0, False, False),
        ({"num_rounds": 1}, 1000.0, False, True),
    ],
)
def test_what_is_not_known_well_enough_for_the_limit_is_undecided_or_seems_over_it(
    changes: dict[str, Any], limit: float, is_open: bool, seems_so: bool
) -> None:
    comparison = compare(record(*rows_of(10)), record(row_of(CELLS[0], 10, seed=1, **changes)))
    assert comparison.regressions(limit) == ()
    assert (bool(comparison.undecided(limit)), bool(comparison.likely(limit))) == (is_open, seems_so)


def test_a_regression_is_not_undecided_besides() -> None:
    comparison = compare(record(*rows_of(10)), record(*rows_of(20, seed=1)))
    assert comparison.regressions(0.05)
    assert comparison.undecided(0.05) == comparison.likely(0.05) == ()


def test_what_others_load_explains_is_undecided_all_the_same() -> None:
    """Of twice the time the margin explains all; whether the program became slower, too, nobody has shown."""
    row = RowComparison(
        key="k", before=Interval(1, 1, 1), after=Interval(2, 2, 2), ratio=Interval(2, 1.9, 2.1), margin=1.2
    )
    assert row.verdict is Verdict.CANT_TELL
    assert row.may_be_regression(0.05)
    assert not row.seems_regression(0.05)
    assert replace(row, margin=0.5, ratio=Interval(2, 1.4, 2.9)).seems_regression(0.05)


@pytest.mark.parametrize("doubted", ["before", "after", "both"])
def test_what_computes_something_else_is_neither_faster_nor_slower(doubted: str) -> None:
    mismatch = Doubt("mismatch", "its outputs are others")
    before = record(row_of(CELLS[0], 10, doubts=[mismatch] if doubted != "after" else []))
    after = record(row_of(CELLS[0], 5, seed=1, doubts=[mismatch] if doubted != "before" else []))
    comparison = compare(before, after)
    assert comparison.rows[0].verdict is Verdict.OTHER_OUTPUTS
    assert comparison.to_json()["rows"][0]["verdict"] == "other outputs"
    assert bool(comparison.lost) is (doubted == "after")
    assert compare(after, before).regressions(0.05) == compare(after, before).undecided(0.05) == ()


def test_a_limit_of_nothing_asks_for_a_verdict_all_the_same() -> None:
    assert compare(record(*rows_of(10)), record(*rows_of(10.05, seed=1))).regressions(0.0) == ()


# Machines.


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cpu": {**FACTS["cpu"], "model": "EPYC"}}, 'CPU "Xeon" and "EPYC"'),
        ({"cpu": {**FACTS["cpu"], "cores_usable": 2}}, "usable cores 4 and 2"),
        ({"cpu": {**FACTS["cpu"], "governor": "powersave"}}, 'governor "performance" and "powersave"'),
    ],
)
def test_unlike_machines_are_refused_unless_told(changes: dict[str, Any], words: str) -> None:
    before, after = record(*rows_of(10)), record(*rows_of(10), facts=FACTS | changes)
    with pytest.raises(InputError) as error:
        compare(before, after)
    assert error.value.what == f"the results are of unlike machines: {words}"
    assert error.value.hints[0].startswith("--allow-unlike-machines")
    assert compare(before, after, allow_unlike=True).unlike == (words,)


def test_a_workstation_is_no_pi() -> None:
    with pytest.raises(InputError, match='CPU "Intel') as error:
        compare(workstation_record(), pi_record())
    assert error.value.where == "Xeon 8488C and Raspberry Pi 5"


def test_like_machines_may_have_other_names_and_libraries() -> None:
    before, after = record(*rows_of(10)), record(*rows_of(10), device="renamed", facts=FACTS | {"memory_bytes": 1})
    assert compare(before, after).unlike == ()


def test_results_without_a_machine_go_by_their_device() -> None:
    foreign = record(*rows_of(10), facts={}, device="Pixel 8")
    assert compare(foreign, foreign).unlike == ()
    with pytest.raises(InputError, match='device "Pixel 8" and "Xeon"'):
        compare(foreign, record(*rows_of(10)))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"gpu": None}, {"gpu": {"name": "H100"}}, ('GPU none and "H100"',)),
        ({"gpu": {"name": "H100"}}, {"gpu": {"name": "H200"}}, ('GPU "H100" and "H200"',)),
        ({"gpu": None}, {}, ()),  # an older record doesn't say
        ({"emulator": None}, {"emulator": "qemu-user"}, ('emulator none and "qemu-user"',)),
        ({"cpu": {"quota_cores": 1}}, {"cpu": {"quota_cores": None}}, ("cores of the container's share 1 and none",)),
        ({"cpu": "nonsense"}, {"cpu": {"model": "Xeon"}}, ()),
        ({"cpu": {"flags": ["avx", "avx2"]}}, {"cpu": {"flags": ["avx2", "avx"]}}, ()),
        (
            {"cpu": {"model": "EPYC", "flags": ["avx2"]}},
            {"cpu": {"model": "EPYC", "flags": ["avx2", "avx512f"]}},
            ("instructions that one CPU alone has: avx512f",),
        ),
        (
            {"cpu": {"model": "EPYC", "flags": ["avx2"]}},
            {"cpu": {"model": "Pi", "flags": ["asimd"]}},
            ('CPU "EPYC" and "Pi"',),
        ),
        ({"cpu": {"model": "EPYC", "flags": ["avx2"]}}, {"cpu": {"model": "EPYC"}}, ()),  # a record without them
        ({"cpu": {"model": "M2", "flags": []}}, {"cpu": {"model": "M2", "flags": ["neon"]}}, ()),  # a Mac tells none
        ({"cpu": {"flags": "avx2"}}, {"cpu": {"flags": [1, None]}}, ()),
    ],
)  # fmt: skip
def test_what_one_does_not_tell_is_no_difference(
    before: dict[str, Any], after: dict[str, Any], words: tuple[str, ...]
) -> None:
    assert unlike_facts(before, after) == words
    assert unlike_facts(before, before) == ()


def test_what_else_changed_is_told() -> None:
    assert changed_packages(FACTS, {"packages": {"numpy": "2.5.0", "jax": "1"}}) == ("numpy 2.4.0 -> 2.5.0",)
    assert changed_packages(FACTS, {"packages": None}) == changed_packages({}, {}) == ()


def test_another_python_is_a_change() -> None:
    old, new = {"python": "CPython 3.11.2"}, {"python": "CPython 3.13.0"}
    assert changed_packages(old, new) == ("CPython 3.11.2 -> CPython 3.13.0",)
    assert changed_packages(old, {}) == changed_packages(old, old) == changed_packages(old, {"python": None}) == ()


def test_a_package_that_another_distribution_brings_is_a_change() -> None:
    old, new = {"opencv-python": "4.12", "numpy": "2.4"}, {"opencv-python-headless": "5.0", "numpy": "2.4", "jax": "1"}
    told = "opencv-python 4.12 -> opencv-python-headless 5.0"
    assert changed_packages({"packages": old}, {"packages": new}) == (told,)
    assert changed_packages({"packages": old}, {"packages": old | new}) == ()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (["tflite-runtime"], ["tflite-runtime", "ai-edge-litert"], ("tflite_runtime -> ai_edge_litert",)),
        (["ai-edge-litert"], ["tflite-runtime", "ai-edge-litert-nightly", "tensorflow"], ()),
        (["ai-edge-litert"], ["ai-edge-litert", "simplejpeg"], ("none -> simplejpeg",)),
        (["opencv-python", "simplejpeg"], ["simplejpeg"], ("cv2 -> none",)),
        (["jax"], ["jax", "openvino"], ()),
    ],
)
def test_what_mninfer_takes_by_itself_may_change(before: list[str], after: list[str], words: tuple[str, ...]) -> None:
    facts = [{"packages": dict.fromkeys(names, "1.0")} for names in (before, after)]
    assert changed_runtime(*facts) == words
    assert changed_runtime({}, facts[0]) == changed_runtime(facts[0], {"packages": "none"}) == ()


def test_another_engine_s_new_version_is_a_change() -> None:
    """It is in no package of this Python, but in the engine's own environment; older results don't tell of these."""
    old, new = ({"environments": {"onnxruntime": number, "pnnx": "1"}} for number in ("1.22.0", "1.23.0"))
    assert changed_packages(old, new) == ("onnxruntime 1.22.0 -> 1.23.0 in its environment",)
    assert changed_packages({}, new) == changed_packages(old, {"environments": {}}) == ()
    assert compare(record(*rows_of(10), facts=old), record(*rows_of(10), facts=new)).changes


def test_files_of_other_bytes_are_told() -> None:
    def model(sha256: str) -> records.MeasuredModel:
        files = {"int8": {"sha256": sha256}, "float32": {"sha256": "same"}}
        return records.MeasuredModel(name="net", title="Net", weights="", input_shape=(1,), files=files)

    before, after = (record(*rows_of(10), models=(model(sha256),)) for sha256 in ("one", "two"))
    assert compare(before, after).changes == ("net int8: another file",)


def test_a_comparison_is_json() -> None:
    told = json.loads(json.dumps(compare(workstation_record(), workstation_record(seed=1)).to_json(), allow_nan=False))
    assert list(told) == ["before", "after", "doubts", "rows", "unmatched", "lost", "unlike", "changes"]
    assert told["rows"][0]["verdict"] == "can't tell"
    assert told["before"] == "Xeon 8488C, 2026-11-21T20:00:00Z"
