"""What pictures are drawn of: the rows of several records, each with its device, its model's title and its figure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mnbench.cell import Cell
from mnbench.record import Doubt, Record, Row
from mnbench.showing.footnotes import Footnotes, footnotes_of
from mnbench.statistics import Interval, row_interval
from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["Accuracy", "Entry", "device_names", "entries_of", "notes_on", "select_entries"]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Top-1 in per cent, with its standard error where that is known."""

    percent: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A row on its device. ``interval`` is in milliseconds, None where nothing was measured."""

    record: Record
    device: str
    model: str
    row: Row
    interval: Interval | None
    accuracy: Accuracy | None = None

    @property
    def cell(self) -> Cell:
        return self.row.cell

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        return self.row.doubts

    @property
    def ms(self) -> float:
        """The figure, of a row that has one."""
        assert self.interval is not None, self.cell.key
        return self.interval.middle


def entries_of(records: Sequence[Record]) -> tuple[Entry, ...]:
    """All rows, in the order of the records."""
    return tuple(
        _entry(record, name, row)
        for record, name in zip(records, device_names(records), strict=True)
        for row in record.rows
    )


def notes_on(entries: Sequence[Entry]) -> Footnotes:
    """Marks of the doubts of these entries, and of the runs that they are of."""
    records = list({id(entry.record): entry.record for entry in entries}.values())
    return footnotes_of([entry.row for entry in entries], records)


def device_names(records: Sequence[Record]) -> tuple[str, ...]:
    """What each record's device is called, numbered where two are called the same."""
    counts = Counter(record.device for record in records)
    met: Counter[str] = Counter()
    names = []
    for record in records:
        met[record.device] += 1
        names.append(f"{record.device} ({met[record.device]})" if counts[record.device] > 1 else record.device)
    return tuple(names)


def select_entries(entries: Iterable[Entry], patterns: Sequence[str]) -> tuple[Entry, ...]:
    """The entries whose cell's key fits one of the ``patterns`` (``*``, ``?``); all where there are none.

    Raises:
        InputError: a pattern fits nothing.
    """
    found = tuple(entries)
    keys = list(dict.fromkeys(entry.cell.key for entry in found))
    for pattern in patterns:
        if not any(fnmatchcase(key, pattern) for key in keys):
            raise InputError(f'no row fits "{pattern}"', hints=_hint(pattern, keys))
    wanted = patterns or ["*"]
    return tuple(entry for entry in found if any(fnmatchcase(entry.cell.key, each) for each in wanted))


def _hint(pattern: str, keys: Sequence[str]) -> str:
    if not keys:
        return "the results have no row"
    near = near_names(pattern, keys)
    return f'the nearest is "{near[0]}"' if near else f'"*" stands for anything; a row is called "{keys[0]}"'


def _entry(record: Record, device: str, row: Row) -> Entry:
    model = next((model for model in record.models if model.name == row.cell.model), None)
    facts = model.accuracy.get(str(row.cell.variant), {}) if model else {}
    return Entry(
        record=record,
        device=device,
        model=model.title if model else row.cell.model,
        row=row,
        interval=row_interval(row),
        accuracy=_accuracy(facts.get("top1_percent"), facts.get("standard_error")),
    )


def _accuracy(percent: object, error: object) -> Accuracy | None:
    """What others wrote of a model may be anything: a figure that is none is not known."""
    known, spread = _share(percent), _share(error)
    return None if known is None else Accuracy(known, spread or 0.0)


def _share(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 100 else None
