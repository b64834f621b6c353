"""Markdown in which a name from a record is a name, and the columns stay columns."""

import re

import pytest

from mnbench.showing.as_markdown import as_markdown
from mnbench.showing.rendering import Layout, tables_of
from mnbench.showing.table import Column, Entry, Line, Note, Table
from support.records import many_records

pytestmark = pytest.mark.smoke


def test_a_section() -> None:
    table = Table(
        title="V1",
        about="How to read it.",
        columns=(Column(head="Device", is_text=True), Column(head="ms")),
        lines=(
            Line((Entry(text="Pi 5"), Entry(text="3.2 ± 0.1", beside="19", marks=("a", "b")))),
            Line((Entry(text="Pi 4"), Entry())),
        ),
        notes=(Note("a", "hot"), Note("", "of 2017")),
    )
    assert as_markdown([table], level=3).splitlines() == [
        "### V1",
        "",
        "How to read it.",
        "",
        "| Device | ms |",
        "| --- | --: |",
        "| Pi 5 | 3.2 ± 0.1 (19) <sup>a,b</sup> |",
        "| Pi 4 | - |",
        "",
        "- <sup>a</sup> hot",
        "- of 2017",
    ]


@pytest.mark.parametrize("layout", list(Layout))
def test_every_line_has_as_many_columns_as_its_head(layout: Layout) -> None:
    for section in as_markdown(tables_of(many_records(), layout)).split("\n## "):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in section.splitlines() if line.startswith("|")}
        assert len(counts) == 1


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a|b", r"a\|b"),
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("`code` *b* _i_ ~~s~~ &amp;", r"\`code\` \*b\* \_i\_ \~\~s\~\~ \&amp;"),
        ("mobilenet_v1_1.0_224", "mobilenet_v1_1.0_224"),
        ("two\nlines\x1b[2J", r"two\\x0alines\\x1b\[2J"),
        ("http://e.example", "http:/&#8288;/e.example"),
        ("WWW.e.example", "WWW.&#8288;e.example"),
        ("@somebody", "@&#8288;somebody"),
    ],
)
def test_names_are_names(name: str, written: str) -> None:
    table = Table(title=name, columns=(Column(head="x", is_text=True),), lines=(Line((Entry(text=name),)),))
    lines = as_markdown([table]).splitlines()
    assert lines[0] == f"## {written}"
    assert lines[-1] == f"| {written} |"
