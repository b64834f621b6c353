"""A picture as SVG and as PNG: well-formed, escaped, the same bytes again; a missing matplotlib is told."""

import builtins
import sys
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from mnbench.drawing.entries import entries_of
from mnbench.drawing.kinds import Kind, draw
from mnbench.drawing.palette import DARK, LIGHT, VARIABLES
from mnbench.drawing.picture import (
    Anchor,
    Box,
    Colour,
    Group,
    Mark,
    Path,
    Picture,
    Segment,
    Shape,
    Words,
    moved,
)
from mnbench.drawing.png import encode_png
from mnbench.drawing.svg import encode_svg, inline_svg
from mninfer.errors import InputError, MissingDependencyError
from support.records import many_records

pytestmark = pytest.mark.smoke

NAME = 'a <b> & "c" $x^2$ \x1b[31m \ud800 模'


def all_shapes() -> Picture:
    items = (
        Segment(x1=0, y1=0, x2=100, y2=40, colour=Colour.AXIS, is_dashed=True),
        Path(points=((0, 0), (50, 10), (90, 30)), colour=Colour.BLUE),
        Box(x=10, y=10, width=40, height=12, colour=Colour.RED),
        Box(x=10, y=30, width=40, height=12, colour=Colour.RED, is_hollow=True),
        *(Mark(x=20.0 * i + 10, y=60, shape=shape, colour=Colour.GREEN) for i, shape in enumerate(Shape)),
        Group((Words(x=100, y=80, text=NAME, anchor=Anchor.END, is_bold=True),), told=NAME),
    )
    return Picture(title=NAME, about="", head=0.0, width=120, height=100, items=items)


def test_an_svg_is_well_formed_whatever_names_hold() -> None:
    root = ElementTree.fromstring(encode_svg(all_shapes()))
    assert root.attrib["viewBox"] == "0 0 120 100"
    (text,) = root.iter("{http://www.w3.org/2000/svg}text")
    assert text.text == 'a <b> & "c" $x^2$ \\x1b[31m \\ud800 模'
    (title,) = root.iter("{http://www.w3.org/2000/svg}title")
    assert title.text == text.text
    marks = [each for each in root.iter() if each.tag.endswith(("circle", "rect", "path"))]
    assert len(marks) == 1 + 1 + 2 + 4  # the path, the paper, boxes, marks


def test_an_svg_of_a_page_has_its_colours_from_the_page_and_leaves_the_head_out() -> None:
    picture = draw(Kind.LATENCY, entries_of(many_records()))
    inline, file = inline_svg(picture), encode_svg(picture).decode()
    assert "var(--plot-blue)" in inline
    assert "#" not in inline.replace("&#", "")
    assert "var(" not in file
    assert ">Latency<" in file
    assert ">Latency<" not in inline
    assert f'viewBox="8 {picture.head:g} ' in inline


def test_the_same_picture_is_the_same_bytes() -> None:
    first, second = (draw(Kind.LATENCY, entries_of(many_records())) for _ in range(2))
    assert encode_svg(first) == encode_svg(second)


def test_nothing_is_fetched() -> None:
    text = encode_svg(draw(Kind.LATENCY, entries_of(many_records()))).decode()
    assert "href" not in text
    assert "url(" not in text
    assert text.count("http") == 1  # the name space


def test_a_moved_picture_is_the_same_elsewhere() -> None:
    for item in all_shapes().items:
        there = moved(item, 7.0, -3.0)
        assert there != item
        assert moved(there, -7.0, 3.0) == item


def test_every_colour_is_there_by_day_and_by_night() -> None:
    assert set(LIGHT) == set(DARK) == set(VARIABLES) == set(Colour)


def test_series_can_be_told_from_the_paper() -> None:
    for palette in (LIGHT, DARK):
        paper = luminance(palette[Colour.PAPER])
        for colour in (Colour.INK, Colour.SOFT, Colour.DOUBT):
            assert contrast(luminance(palette[colour]), paper) >= 4.5, colour  # WCAG 2.2, 1.4.3: words
        for colour in (Colour.BLUE, Colour.SKY, Colour.GREEN, Colour.INDIGO, Colour.ORANGE, Colour.RED, Colour.PINK):
            assert contrast(luminance(palette[colour]), paper) >= 2.0, colour


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: float, b: float) -> float:
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def test_a_png_has_two_pixels_to_one_and_is_the_same_again() -> None:
    pytest.importorskip("matplotlib")
    import cv2
    import numpy as np

    data = encode_png(all_shapes())
    assert data == encode_png(all_shapes())
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (200, 240, 3)
    assert pixels[2 * 16, 2 * 40].tolist() == [0x00, 0x5E, 0xD5]  # the red box, blue first
    assert pixels[0, -1].tolist() == [255, 255, 255]


def test_a_picture_too_long_for_a_png_says_what_helps() -> None:
    with pytest.raises(InputError, match="100,000 pixels long") as caught:
        encode_png(replace(all_shapes(), height=100_000))
    assert any("--only" in hint for hint in caught.value.hints)


def test_without_matplotlib_a_png_is_an_error_with_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **named)

    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match="matplotlib") as caught:
        encode_png(all_shapes())
    assert "pip install" in caught.value.hints[0]
    assert ".svg" in caught.value.hints[1]
