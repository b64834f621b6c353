"""HTML and SVG as values that are safe by construction: text is escaped unless it was made by ``element``."""

from collections.abc import Iterable
from html import escape

from mninfer.cli.output import printable

__all__ = ["Markup", "element", "joined", "translated"]

_VOID = frozenset(("br", "meta", "circle", "line", "rect", "path", "polyline"))


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: object) -> Markup:
    """``<name attributes>children</name>``; ``class_`` is class, ``stroke_width`` is stroke-width, None leaves out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if not children and name in _VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Markup:
    """Several in a row; a plain text among them is escaped, a control character in it spelled."""
    return Markup("".join(each if isinstance(each, Markup) else escape(printable(each)) for each in children))


def translated(x: float, y: float, *children: str) -> Markup:
    """A group of SVG elements, moved."""
    return element("g", *children, transform=f"translate({_value(x)} {_value(y)})")


def _value(value: object) -> str:
    """Coordinates to a tenth of a pixel: the same page from the same numbers, and a small one."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else printable(str(value))
