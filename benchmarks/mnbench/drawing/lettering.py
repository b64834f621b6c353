"""How wide a text is, in whatever sans-serif it will be shown: places are decided before a font is there."""

from unicodedata import east_asian_width

__all__ = ["shortened", "text_width", "wrapped"]

# Advance widths of DejaVu Sans, the widest face that pages and pictures are shown in, as shares of the size, rounded up
# to a twentieth; tests/mnbench/drawing/test_lettering.py holds them against the font where matplotlib brings it.
_LETTERS_BY_SHARE = {
    0.3: "'IJijl",
    0.35: " ,./:;\\|·’",
    0.4: "()-[]ft",
    0.45: "!r",
    0.5: '"*_`–†',
    0.55: "?csz",
    0.6: "FLkvxy",
    0.65: "$0123456789EPSTYabdeghnopqu{}µ",
    0.7: "ABCKRVXZ",
    0.75: "NU",
    0.8: "&DGHOQ",
    0.85: "#+<=>^w~×±−→≤",
    0.9: "M",
    1.0: "%@Wm—…",
}
_SHARES = {letter: share for share, letters in _LETTERS_BY_SHARE.items() for letter in letters}
_OTHER, _FULL_WIDTH, _BOLD = 0.75, 1.05, 1.15
_MOST_OF_AN_END = 150  # letters of a name that are looked at: a record may hold any length
_MOST_LINES, _MOST_WORDS = 6, 300
_TOLERANCE = 0.1  # of pixels: a width that was computed from the text itself fits it


def text_width(text: str, size: float, *, is_bold: bool = False) -> float:
    """Pixels that ``text`` takes at the most, or close to it."""
    return sum(map(_share, text)) * size * (_BOLD if is_bold else 1.0)


def _share(letter: str) -> float:
    return _SHARES.get(letter) or (_FULL_WIDTH if east_asian_width(letter) in "WF" else _OTHER)


def shortened(text: str, width: float, size: float, *, is_bold: bool = False) -> str:
    """``text``, or its two ends, which names differ in, around an ellipsis: at most ``width`` wide."""
    width += _TOLERANCE
    if len(text) > 2 * _MOST_OF_AN_END:
        text = f"{text[:_MOST_OF_AN_END]}…{text[-_MOST_OF_AN_END:]}"
    if text_width(text, size, is_bold=is_bold) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        shown = f"{text[: (kept + 1) // 2].rstrip()}…{text[len(text) - kept // 2 :].lstrip()}"
        if text_width(shown, size, is_bold=is_bold) <= width:
            return shown
    return "…"


def wrapped(text: str, width: float, size: float) -> tuple[str, ...]:
    """``text`` in lines of ``width`` at the most, and no more than a few; a word longer than a line is shortened."""
    lines: list[str] = []
    for word in text.split(maxsplit=_MOST_WORDS)[:_MOST_WORDS]:
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        elif len(lines) == _MOST_LINES:
            lines[-1] = shortened(f"{lines[-1]} …", width, size)
            break
        else:
            lines.append(shortened(word, width, size))
    return tuple(lines)
