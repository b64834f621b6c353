"""Every doubt has its mark and its words, every gap its reason."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def text_of(*texts: str) -> str:
    rows = [row_of(CELL, 10.0, num_rounds=1, doubts=(Doubt("code", text),)) for text in texts]
    (note,) = footnotes_of(rows, []).notes()
    return note.text.removeprefix("code: ")


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (("hot", "hot"), "hot"),
        (("53% of the cores", "9% of the cores", "75% of the cores"), "9–75% of the cores"),
        (("2 of 5 processes", "3 of 5 processes"), "2–3 of 5 processes"),
        (("at 2400 MHz and 600 MHz", "at 2400.5 MHz and 600 MHz"), "at 2400–2400.5 MHz and 600 MHz"),
        (("once", "3 times", "5 times"), "once; 3–5 times"),
        (("a", "b", "c", "d", "e"), "a; b; c; and 2 more like it (--format csv has each)"),
        (("1 #", "1 2"), "1 #; 1 2"),
        (("1 \0", "1 2", "1 3"), "1 \0; 1 2–3"),
        (("int8 is not int16x8", "int8 is not int8x4"), "int8 is not int16x8; int8 is not int8x4"),
    ],
)
def test_a_kind_of_doubt_in_few_words(texts: tuple[str, ...], shown: str) -> None:
    assert text_of(*texts) == shown


@given(st.lists(st.text(alphabet="0123456789. %ab-#\0", max_size=12), min_size=1, max_size=4))
def test_any_words_can_be_told(texts: list[str]) -> None:
    assert text_of(*texts) is not None
    assert text_of(texts[0]) == texts[0]


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
