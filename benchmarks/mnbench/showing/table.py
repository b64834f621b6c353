"""A table as a value, before it is text, Markdown, CSV or HTML: what every rendering shows, and none decides."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Column", "Entry", "Line", "Note", "Table", "Tone"]


class Tone(StrEnum):
    """How an entry is meant, where a rendering has colours."""

    PLAIN = "plain"
    SOFT = "soft"  # published by others, or not there
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``is_ditto``: what repeats the line above need not be said again where a person reads from top to bottom."""

    head: str
    is_text: bool = False
    is_ditto: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What stands in a cell; ``beside`` is a published figure, ``marks`` lead to the notes below the table."""

    text: str = ""
    beside: str = ""
    marks: tuple[str, ...] = ()
    tone: Tone = Tone.PLAIN

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.beside or self.marks)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry to each column; ``starts_group`` sets it off from the line above."""

    entries: tuple[Entry, ...]
    starts_group: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A line below a table; without a mark it is about all of it."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``title`` names it, ``about`` says in a sentence or two how to read it."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    about: str = ""
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        for line in self.lines:
            if len(line.entries) != len(self.columns):
                raise ValueError(f"a line of {len(line.entries)} entries in a table of {len(self.columns)} columns")

    def without_empty_columns(self) -> "Table":
        """The columns that have something to say on any line; the first always has."""
        kept = [
            place
            for place in range(len(self.columns))
            if place == 0 or any(not line.entries[place].is_empty for line in self.lines)
        ]
        return Table(
            title=self.title,
            columns=tuple(self.columns[place] for place in kept),
            lines=tuple(Line(tuple(line.entries[place] for place in kept), line.starts_group) for line in self.lines),
            about=self.about,
            notes=self.notes,
        )
