"""Doubts and reasons -> marks in a table, and the notes below it that spell them out.

A kind of doubt has a letter, whatever its words are on each row; each reason why there is no figure has a number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from mnbench.record import Doubt, Record, Row, Status
from mnbench.showing.figures import spell_interval
from mnbench.showing.table import Entry, Note, Tone
from mnbench.statistics import row_interval

__all__ = ["Footnotes", "footnotes_of", "reason_of"]

_MOST_TEXTS = 3  # of one kind of doubt; CSV has them all
_NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9})?(?![\w.]*\d)")
_WITHOUT_REASON = {
    Status.PENDING: "not run yet: the run was interrupted, and mnbench run --resume goes on with it",
    Status.MISSING: "not there, and the record does not say why",
    Status.FAILED: "it failed, and the record does not say why",
    Status.MEASURED: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Footnotes:
    """``texts``: what each kind of doubt says, on whichever row; ``letters`` and ``numbers``: their marks."""

    letters: Mapping[str, str]
    numbers: Mapping[str, str]
    texts: Mapping[str, tuple[str, ...]]

    def marks(self, doubts: Iterable[Doubt]) -> tuple[str, ...]:
        """The marks of a row's doubts, or of a whole run's."""
        return tuple(sorted({self.letters[doubt.code] for doubt in doubts}, key=lambda mark: (len(mark), mark)))

    def figure(self, row: Row | None, beside: str = "") -> Entry:
        """What stands where ``row``'s time is to be read: a figure with its doubts, or why there is none."""
        if row is None:
            return Entry()
        interval = row_interval(row)
        if row.status is not Status.MEASURED or interval is None:
            tone = Tone.BAD if row.status is Status.FAILED else Tone.SOFT
            return Entry(text=str(row.status), marks=(self.numbers[reason_of(row)],), tone=tone)
        return Entry(text=spell_interval(interval), marks=self.marks(row.doubts), beside=beside)

    def notes(self) -> tuple[Note, ...]:
        """Every mark, spelled out."""
        doubts = [Note(mark, f"{code}: {_joined(self.texts[code])}") for code, mark in self.letters.items()]
        return (*doubts, *(Note(mark, reason) for reason, mark in self.numbers.items()))


def footnotes_of(rows: Sequence[Row], records: Sequence[Record]) -> Footnotes:
    """Marks for all that ``rows`` and the ``records`` that they are of give reason to, in order of appearance."""
    texts: dict[str, dict[str, None]] = {}
    for record in records:
        for doubt in record.doubts:
            texts.setdefault(doubt.code, {})[f"{doubt.text} (all of {record.device})"] = None
    for row in rows:
        for doubt in row.doubts:
            texts.setdefault(doubt.code, {})[doubt.text] = None
    reasons = dict.fromkeys(reason_of(row) for row in rows if row.status is not Status.MEASURED)
    return Footnotes(
        letters={code: _letter(index) for index, code in enumerate(texts)},
        numbers={reason: str(number) for number, reason in enumerate(reasons, 1)},
        texts={code: tuple(said) for code, said in texts.items()},
    )


def reason_of(row: Row) -> str:
    """Why ``row`` has no figure."""
    return row.reason or _WITHOUT_REASON[row.status]


def _joined(texts: Sequence[str]) -> str:
    """All of them; those that differ in their numbers alone are one, with the least and the greatest of each."""
    by_words: dict[tuple[str, ...], list[str]] = {}
    for text in texts:
        by_words.setdefault(tuple(_NUMBER.split(text)), []).append(text)
    merged = [_merged(alike) for alike in by_words.values()]
    more = len(merged) - _MOST_TEXTS
    shown = "; ".join(merged[:_MOST_TEXTS])
    return f"{shown}; and {more} more like it (--format csv has each)" if more > 0 else shown


def _merged(alike: Sequence[str]) -> str:
    """As ``other programs took 9–53% of the cores``."""
    columns = zip(*(_NUMBER.findall(text) for text in alike), strict=True)
    ends = [(min(numbers, key=float), max(numbers, key=float)) for numbers in columns]
    spelled = iter(low if float(low) == float(high) else f"{low}–{high}" for low, high in ends)
    return _NUMBER.sub(lambda _: next(spelled), alike[0])


def _letter(index: int) -> str:
    """From a to z, then aa, ab, …"""
    before, last = divmod(index, len(ascii_lowercase))
    return (_letter(before - 1) if before else "") + ascii_lowercase[last]
