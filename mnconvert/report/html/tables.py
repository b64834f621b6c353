"""Tables: names in gray above, numbers on the right, text on the left, scrolling where the window is too narrow."""

from collections.abc import Sequence

from mnconvert.report.html.markup import Markup, element

__all__ = ["cell", "table"]


def table(head: Sequence[tuple[str, bool]], rows: Sequence[str]) -> Markup:
    """``head``: each column's name, and whether it is text."""
    names = [element("th", name, class_="text" if is_text else None) for name, is_text in head]
    inside = element("table", element("thead", element("tr", *names)), element("tbody", *rows))
    return element("div", inside, class_="scrolled")


def cell(*inside: str, is_text: bool = False, class_: str = "") -> Markup:
    """One cell."""
    return element("td", *inside, class_=" ".join(filter(None, ("text" if is_text else "", class_))) or None)
