"""One page: every tag closed, nothing asked for from elsewhere, nothing of a record that is markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mnbench.record import Record
from mnbench.showing.as_html import as_html
from mnbench.showing.rendering import Format, Layout, rendered, tables_of
from support.records import many_records, pi_record

pytestmark = pytest.mark.smoke

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """The open tags, the names of all, the cells of each line, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.widths: list[int] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.widths.append(0)
        if tag in ("th", "td"):
            self.widths[-1] += int(dict(attrs).get("colspan") or 1)
        if tag == "table":
            self.widths.append(-1)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("layout", list(Layout))
def test_the_page_is_well_formed(layout: Layout) -> None:
    page = as_html(tables_of(many_records(), layout), title="x")
    reader = Reader(page)
    assert reader.open == []
    assert page.startswith("<!DOCTYPE html>")
    tables = " ".join(map(str, reader.widths)).split("-1")
    assert all(len(set(table.split())) == 1 for table in tables if table.strip()), "as many cells on every line"


@pytest.mark.parametrize("layout", list(Layout))
def test_it_asks_for_nothing_from_elsewhere(layout: Layout) -> None:
    page = rendered(many_records(), layout, Format.HTML)
    reader = Reader(page)
    assert not reader.names & {"script", "link", "img", "iframe", "object", "a"}
    assert not {"src", "href", "style", "onclick"} & reader.attributes
    assert not re.search(r"url\(|@import|https?:", page)


def hostile(text: str) -> Record:
    record = pi_record()
    return replace(
        record,
        device=text,
        command=text,
        started=text,
        models=tuple(replace(model, title=text, weights=text) for model in record.models),
        doubts=tuple(replace(doubt, code=text, text=text) for doubt in record.doubts),
        rows=tuple(
            replace(
                row, reason=text if row.reason else "", doubts=tuple(replace(each, text=text) for each in row.doubts)
            )
            for row in record.rows
        ),
        machine={"before": {"cpu": {"model": text}, "system": text}},
    )


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style></title></td><svg/onload=x>"]
)
def test_what_comes_from_a_record_is_text(layout: Layout, text: str) -> None:
    plain = Reader(rendered([pi_record()], layout, Format.HTML))
    reader = Reader(rendered([hostile(text)], layout, Format.HTML))
    assert reader.names == plain.names
    assert reader.attributes == plain.attributes
    assert any(text in each for each in reader.text)


def test_control_characters_are_spelled() -> None:
    page = rendered([replace(pi_record(), device="\x1b[31m\u202epi")], Layout.OF_2017, Format.HTML)
    assert "\\x1b[31m\\u202epi" in page
    assert all(line.isprintable() for line in page.split("\n"))


def test_light_and_dark_have_every_colour() -> None:
    page = rendered([pi_record()], Layout.OF_2017, Format.HTML)
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    assert set(re.findall(r"--\w+", light)) == set(re.findall(r"--\w+", dark))
    assert set(re.findall(r"var\((--\w+)\)", page)) <= set(re.findall(r"--\w+", light))
