"""A terminal of any width gets every word, no line too long, and no control character."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnbench.showing.as_text import as_text
from mnbench.showing.lettering import padded, width_of
from mnbench.showing.rendering import Layout, tables_of
from mnbench.showing.table import Column, Entry, Line, Note, Table
from support.records import many_records, pi_record

pytestmark = pytest.mark.smoke

TABLES = {layout: tables_of(many_records(), layout) for layout in Layout}
SMALL = Table(
    title="a title",
    columns=(
        Column(head="Device", is_text=True, is_ditto=True),
        Column(head="Forward"),
        Column(head="Remark", is_text=True),
    ),
    lines=(
        Line((Entry(text="CPU"), Entry(text="3.2 ± 0.1", beside="19"), Entry(text="one"))),
        Line((Entry(text="CPU"), Entry(text="13.20 ± 0.01", marks=("a", "b")), Entry(text="two"))),
        Line((Entry(text="GPU"), Entry(), Entry(text="three")), starts_group=True),
    ),
    notes=(Note("a", "hot"), Note("", "all of it")),
)


def test_figures_end_below_one_another_whatever_stands_beside_them() -> None:
    assert as_text([SMALL]).splitlines() == [
        "a title",
        "",
        "Device                  Forward  Remark",
        "------  -----------------------  ------",
        "CPU        3.2 ± 0.1 (19)        one",
        "        13.20 ± 0.01      [a,b]  two",
        "",
        "GPU                -             three",
        "",
        "[a] hot",
        "all of it",
    ]


def test_a_narrower_one_has_the_device_above_and_the_published_below() -> None:
    assert as_text([SMALL], 24).splitlines()[1:] == [
        "",
        "     Forward  Remark",
        "------------  ------",
        "CPU",
        "   3.2 ± 0.1  one",
        "        (19)",
        "13.20 ± 0.01  two",
        "       [a,b]",
        "",
        "GPU",
        "           -  three",
        "",
        "[a] hot",
        "all of it",
    ]


def test_the_narrowest_has_blocks() -> None:
    assert as_text([SMALL], 19).splitlines()[2:7] == [
        "Device: CPU",
        "Forward: 3.2 ± 0.1",
        "  (19)",
        "Remark: one",
        "",
    ]


@pytest.mark.parametrize("layout", list(Layout))
@settings(max_examples=15)
@given(width=st.integers(20, 240))
def test_no_line_is_wider_than_the_terminal(layout: Layout, width: int) -> None:
    for line in as_text(TABLES[layout], width).splitlines():
        assert width_of(line) <= width, line


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("width", [40, 80, 100, 160, None])
def test_every_figure_is_there_in_one_piece(layout: Layout, width: int | None) -> None:
    text = as_text(TABLES[layout], width)
    for table in TABLES[layout]:
        figures = {
            entry.text
            for line in table.lines
            for column, entry in zip(table.columns, line.entries, strict=True)
            if not column.is_text and " ± " in entry.text
        }
        squeezed = re.sub(r"\s+", " ", text)
        assert not {figure for figure in figures if figure not in squeezed}


@pytest.mark.parametrize("width", [40, 80, None])
def test_no_control_character_reaches_the_terminal(width: int | None) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jpi\r\n\x9b31m\u202egnp"
    record = pi_record()
    doubts = tuple(replace(doubt, text=f"{doubt.text}{evil}") for doubt in record.doubts)
    models = tuple(replace(model, title=evil, weights=evil) for model in record.models)
    record = replace(record, device=evil, command=evil, started=evil, doubts=doubts, models=models)
    for layout in Layout:
        text = as_text(tables_of([record], layout), width)
        assert all(line.isprintable() for line in text.split("\n"))
        assert "\\x1b" in text


def test_wide_letters_take_two_places() -> None:
    assert width_of("樹莓派") == 6
    assert width_of("e\u0301") == 1
    assert padded("樹", 4, is_left=True) == "樹  "
    table = replace(SMALL, lines=(Line((Entry(text="樹莓派"), Entry(text="1"), Entry(text="x"))),), notes=())
    head, rule, line = as_text([table]).splitlines()[2:]
    assert width_of(line.removesuffix("x")) == head.index("Remark")
    assert rule.index("-", 7) == head.index("Forward")
