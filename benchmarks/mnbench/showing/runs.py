"""What a reader needs to know of each run: the machine, when and by which command, whether it is whole, its doubts."""

from collections.abc import Sequence

from mnbench.record import Record
from mnbench.showing.loose_facts import machine_words
from mnbench.showing.table import Column, Entry, Line, Table, Tone

__all__ = ["runs_table"]

_COLUMNS = (
    Column(head="Device", is_text=True),
    Column(head="Machine", is_text=True),
    Column(head="Date", is_text=True),
    Column(head="Command", is_text=True),
    Column(head="Doubts about all of it", is_text=True),
)


def runs_table(records: Sequence[Record]) -> Table:
    """A line to each run."""
    table = Table(title="Runs", columns=_COLUMNS, lines=tuple(Line(_entries(record)) for record in records))
    return table.without_empty_columns()


def _entries(record: Record) -> tuple[Entry, ...]:
    command = record.command if record.origin == "mnbench" else f"measured by {record.origin}: {record.command}"
    doubts = [doubt.text for doubt in record.doubts]
    return (
        Entry(text=record.device),
        Entry(text=machine_words(record)),
        Entry(text=record.started[:10]),
        Entry(text=command),
        Entry(text="; ".join(doubts), tone=Tone.BAD if doubts else Tone.PLAIN),
    )
