"""Widths of texts: never less than the font's, and shortening that keeps both ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.drawing.lettering import shortened, text_width, wrapped

pytestmark = pytest.mark.smoke

NAMES = (
    "Keras on TensorFlow · float32 · 2 threads · composed BN · ≤ AVX2",
    "MobileNet V3 large 0.75/224 on Xeon Platinum 8488C",
    "14.62 ± 0.13",
    "not there: ExecuTorch is not installed: mnbench peers install executorch",
)


@pytest.mark.parametrize("is_bold", [False, True])
@pytest.mark.parametrize("text", NAMES)
def test_the_font_that_pictures_are_painted_in_is_no_wider(text: str, is_bold: bool) -> None:
    manager = pytest.importorskip("matplotlib.font_manager")
    textpath = pytest.importorskip("matplotlib.textpath")
    font = manager.FontProperties(family="DejaVu Sans", weight="bold" if is_bold else "normal")
    drawn = textpath.TextPath((0, 0), text, size=12, prop=font).get_extents().width
    estimated = text_width(text, 12, is_bold=is_bold)
    assert drawn <= estimated + 0.5
    assert estimated <= 1.15 * drawn


def test_a_wide_script_is_wide() -> None:
    assert text_width("模型", 12) > text_width("ab", 12)


@given(text=st.text(max_size=60), width=st.floats(12.0, 400.0))
def test_a_shortened_text_fits(text: str, width: float) -> None:
    shown = shortened(text, width, 12)
    assert text_width(shown, 12) <= width + 0.2
    if text_width(text, 12) <= width:
        assert shown == text


def test_a_shortened_text_keeps_both_ends() -> None:
    shown = shortened(NAMES[0], 200, 12)
    assert shown.startswith("Keras on")
    assert shown.endswith("AVX2")
    assert "…" in shown


def test_a_text_fits_into_its_own_width() -> None:
    for text in NAMES:
        assert shortened(text, 20 + text_width(text, 12) - 20, 12) == text


def test_a_name_of_any_length_takes_no_time() -> None:
    assert len(shortened("x" * 10_000_000, 300, 12)) < 60
    assert len(wrapped("word " * 1_000_000, 300, 12)) <= 6


@given(text=st.text(alphabet=st.sampled_from("ab wW.·"), max_size=120), width=st.floats(40.0, 300.0))
def test_lines_fit_and_lose_no_word_that_fits(text: str, width: float) -> None:
    lines = wrapped(text, width, 11.5)
    assert all(text_width(line, 11.5) <= width + 0.2 for line in lines)
    words = text.split()
    if len(lines) < 6 and all(text_width(word, 11.5) <= width for word in words):
        assert " ".join(lines).split() == words
