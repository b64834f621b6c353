"""The page: whole, self-contained, escaped, and showing what it was given."""

import re
from html.parser import HTMLParser

import pytest

from mnconvert.config import ConvertConfig, Variant
from mnconvert.conversion import Failed
from mnconvert.report.compose import compose_page, operator_rows
from mnconvert.report.html import Page, render_page
from mnconvert.report.rows import variant_row
from mninfer.errors import CalibrationError
from support.conversions import failed, made
from support.networks import shapes_int8

pytestmark = pytest.mark.smoke

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Checks that elements close in order; collects text and what might be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not {"src", "href", "onload", "xlink:href"} & {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def read(page: Page) -> Reader:
    reader = Reader()
    reader.feed(render_page(page))
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def page() -> Page:
    bad = failed(made(is_per_tensor=True), "SQNR 3.1 dB")
    none = Failed(config=ConvertConfig(variant=Variant.INT16X8), error=CalibrationError("no range known"))
    outcomes = (made("none"), made(), bad, none)
    rows = [variant_row(each, file=None, latency_ms=1.5) for each in outcomes]
    return compose_page("shapes <&> friends", outcomes, rows)


def test_it_shows_every_variant_the_inside_of_the_integer_ones_and_all_operators(page: Page) -> None:
    reader = read(page)
    for text in ("none", "int8 per tensor", "int16x8", "no range known", "SQNR 3.1 dB", "a thing to know"):
        assert text in reader.text
    assert reader.text.count("Inside int8") == 2
    assert reader.text.count("CONV_2D") >= 3
    assert "beta ± 6 s, clipped by ReLU6" in reader.text
    assert reader.names.count("svg") > 10
    assert reader.names.count("dt") == reader.names.count("dd") == len(page.facts) > 4
    assert "&lt;" not in render_page(page).replace("shapes &lt;&amp;&gt; friends", "")  # no markup of ours was escaped


def test_it_asks_for_nothing_from_anywhere(page: Page) -> None:
    text = render_page(page)
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\(|https?:", text)


def test_names_of_strangers_stay_text(page: Page) -> None:
    from dataclasses import replace

    evil = '<script>alert("x")</script>\x1b[2J'
    text = render_page(replace(page, title=evil, notes=(evil,), facts=((evil, evil),)))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


def test_the_same_conversions_give_the_same_page(page: Page) -> None:
    assert render_page(page) == render_page(page)


def test_light_and_dark_and_narrow_are_provided_for(page: Page) -> None:
    text = render_page(page)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "max-width: 600px" in text
    variables = set(re.findall(r"var\((--[a-z-]+)\)", text))
    light, dark = re.search(r":root \{(.*?)\}.*?:root \{(.*?)\}", text, re.DOTALL).groups()  # type: ignore[union-attr]
    assert variables - {"--kind"} <= set(re.findall(r"(--[a-z-]+):", light))
    assert set(re.findall(r"(--[a-z-]+):", light)) == set(re.findall(r"(--[a-z-]+):", dark))


def test_one_variant_has_no_charts_beside_it() -> None:
    outcomes = (made(),)
    reader = read(compose_page("one", outcomes, [variant_row(made(), file="a.tflite")]))
    assert "The file" in reader.text
    assert "integer arithmetic" not in reader.text


def test_operator_rows_are_the_graphs() -> None:
    rows = operator_rows(shapes_int8())
    assert [row.index for row in rows] == list(range(len(rows)))
    convolution = next(row for row in rows if row.name == "CONV_2D")
    assert convolution.input_shape == (1, 48, 48, 3)
    assert convolution.dtype == "int8"
    assert convolution.macs > 0
    assert convolution.runtime is not None
