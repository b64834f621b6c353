"""Columns of texts, set below one another within a width."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mnbench.showing.lettering import padded, width_of
from mnbench.showing.table import Column

__all__ = ["TextGrid"]

_GAP = "  "
_LEAST_TEXT = 10  # a column of text is wrapped to no less


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGrid:
    """``texts`` by line and column, an end of line within one is kept; ``headings`` stand above lines.

    ``starts``: the lines that are set off from those above.
    """

    columns: tuple[Column, ...]
    texts: tuple[tuple[str, ...], ...]
    starts: tuple[bool, ...]
    headings: tuple[str, ...]

    def fitted(self, width: int | None) -> list[int] | None:
        """The columns' widths; None where ``width`` can't hold them."""
        wanted = [max(self._widest(place), width_of(column.head)) for place, column in enumerate(self.columns)]
        if width is None:
            return wanted
        least = [self._least(place) for place in range(len(self.columns))]
        left = width - sum(least) - len(_GAP) * (len(least) - 1)
        return None if left < 0 else _shared_out(least, wanted, left)

    def lines(self, widths: Sequence[int]) -> Iterator[str]:
        """The head, a rule, and every line."""
        yield from self._line([column.head for column in self.columns], widths)
        yield _GAP.join("-" * width for width in widths)
        for index, texts in enumerate(self.texts):
            yield from self._before(index)
            yield from self._line(self._without_dittos(index, texts), widths)

    def _before(self, index: int) -> Iterator[str]:
        heading = self.headings[index]
        if index and (heading or self.starts[index]):
            yield ""
        if heading:
            yield heading

    def _widest(self, place: int) -> int:
        return max((width_of(part) for line in self.texts for part in line[place].split("\n")), default=0)

    def _least(self, place: int) -> int:
        """A heading may be broken, and texts; figures may not."""
        column = self.columns[place]
        head = max(map(width_of, _words(column.head)))
        if not column.is_text:
            return max(head, self._widest(place))
        longest = max((width_of(word) for line in self.texts for word in _words(line[place])), default=0)
        return max(head, longest, min(self._widest(place), _LEAST_TEXT))

    def _without_dittos(self, index: int, texts: Sequence[str]) -> list[str]:
        if not index or self.starts[index] or self.headings[index]:
            return list(texts)
        above = self.texts[index - 1]
        return [
            "" if column.is_ditto and above[place] == text else text
            for place, (column, text) in enumerate(zip(self.columns, texts, strict=True))
        ]

    def _line(self, texts: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
        wrapped = [_wrapped(text, width) for text, width in zip(texts, widths, strict=True)]
        for depth in range(max(map(len, wrapped))):
            parts = [each[depth] if depth < len(each) else "" for each in wrapped]
            cells = (
                padded(part, width, is_left=column.is_text)
                for part, width, column in zip(parts, widths, self.columns, strict=True)
            )
            yield _GAP.join(cells).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    lines = [
        part if width_of(part) <= width else textwrap.wrap(part, width, break_long_words=False)
        for part in text.split("\n")
    ]
    return [line for part in lines for line in ([part] if isinstance(part, str) else part)] or [""]


def _shared_out(least: Sequence[int], wanted: Sequence[int], left: int) -> list[int]:
    """``left`` places, one after the other, to the column that has the smallest share of what it wants."""
    widths = list(least)
    for _ in range(left):
        short = [place for place, width in enumerate(widths) if width < wanted[place]]
        if not short:
            break
        neediest = min(short, key=lambda place: widths[place] / wanted[place])
        widths[neediest] += 1
    return widths


def _words(text: str) -> list[str]:
    """What stays together when ``text`` is wrapped: textwrap breaks at blanks, and behind hyphens."""
    return textwrap.wrap(text, 1, break_long_words=False) or [""]
