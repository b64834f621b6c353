"""Every doubt has its mark and its words, every gap its reason."""

from dataclasses import replace

import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.record import Doubt, Status
from mnbench.showing.footnotes import footnotes_of
from mnbench.showing.table import Entry, Note, Tone
from support.records import missing_row, pi_record, row_of

pytestmark = pytest.mark.smoke

CELL = Cell(work=Work.FORWARD, model="v1", engine="litert")
HOT, BUSY = Doubt("throttled", "throttled 3 times"), Doubt("load-by-others", "9 % of the CPU")


def test_a_doubtful_figure_is_marked_and_its_doubts_are_spelled_out() -> None:
    rows = [row_of(CELL, 10.0, doubts=(BUSY, HOT)), row_of(CELL, 11.0, doubts=(HOT,)), row_of(CELL, 12.0)]
    footnotes = footnotes_of(rows, [])
    assert [footnotes.figure(row).marks for row in rows] == [("a", "b"), ("b",), ()]
    assert footnotes.notes() == (
        Note("a", "load-by-others: 9 % of the CPU"),
        Note("b", "throttled: throttled 3 times"),
    )


def test_a_kind_of_doubt_with_many_words_says_how_many() -> None:
    rows = [row_of(CELL, 10.0, doubts=(Doubt("throttled", f"{count} times"),)) for count in range(1, 6)]
    (note,) = footnotes_of(rows, []).notes()
    assert note.text == "throttled: 1 times; 2 times; 3 times; and 2 more like it (--format csv has each)"


def test_what_is_not_measured_says_why() -> None:
    rows = [
        missing_row(CELL, "no OpenCL library"),
        missing_row(CELL, "killed by signal 9", Status.FAILED),
        missing_row(CELL, "", Status.PENDING),
        missing_row(CELL, "no OpenCL library"),
    ]
    footnotes = footnotes_of(rows, [])
    assert [footnotes.figure(row) for row in rows] == [
        Entry(text="missing", marks=("1",), tone=Tone.SOFT),
        Entry(text="failed", marks=("2",), tone=Tone.BAD),
        Entry(text="pending", marks=("3",), tone=Tone.SOFT),
        Entry(text="missing", marks=("1",), tone=Tone.SOFT),
    ]
    assert [note.text for note in footnotes.notes()][:2] == ["no OpenCL library", "killed by signal 9"]
    assert "--resume" in footnotes.notes()[2].text


def test_a_row_that_failed_after_some_rounds_is_failed() -> None:
    row = replace(row_of(CELL, 10.0, num_rounds=2), status=Status.FAILED, reason="no memory in round 3")
    assert footnotes_of([row], []).figure(row).text == "failed"


def test_doubts_about_a_whole_run_name_its_device() -> None:
    record = pi_record()
    footnotes = footnotes_of([], [record])
    assert footnotes.marks(record.doubts) == ("a", "b")
    assert all("(all of Raspberry Pi 5)" in note.text for note in footnotes.notes())


def test_more_kinds_than_letters() -> None:
    rows = [row_of(CELL, 10.0, num_rounds=1, doubts=(Doubt(f"kind-{i}", "x"),)) for i in range(28)]
    marks = [footnotes_of(rows, []).figure(row).marks[0] for row in rows]
    assert marks[0] == "a"
    assert marks[25:] == ["z", "aa", "ab"]


def test_one_process_alone_has_no_interval() -> None:
    row = row_of(replace(CELL, variant=Variant.INT8), 10.0, num_rounds=1)
    assert footnotes_of([row], []).figure(row).text.endswith("± ?")
