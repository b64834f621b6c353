"""How many places a text takes on a terminal, and filling it up to so many."""

from unicodedata import combining, east_asian_width

__all__ = ["padded", "width_of"]


def width_of(text: str) -> int:
    """Two places for a wide letter, none for an accent."""
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def padded(text: str, width: int, *, is_left: bool) -> str:
    """``text`` with blanks to ``width`` places."""
    room = " " * max(0, width - width_of(text))
    return text + room if is_left else room + text
