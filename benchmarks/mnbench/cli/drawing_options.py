"""The options of what draws results: which rows, and accuracies that the results don't tell."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mnbench.drawing.entries import Entry
    from mnbench.record import Record

__all__ = ["drawing_options", "drawn_entries"]

Command = Callable[..., Any]


def drawing_options(command: Command) -> Command:
    """--only and --top1."""
    for decorate in (
        click.option(
            "--top1",
            metavar="MODEL[/VARIANT]=PERCENT[±ERROR]",
            multiple=True,
            help="Accuracy of a model whose result doesn't tell it; repeatable.",
        ),
        click.option(
            "--only", metavar="PATTERN", multiple=True, help="Rows to draw by name, * for anything; repeatable."
        ),
    ):
        command = decorate(command)
    return command


def drawn_entries(records: "Sequence[Record]", only: Sequence[str], top1: Sequence[str]) -> "tuple[Entry, ...]":
    """What the options choose of the records' rows. Raise InputError: one of them fits nothing."""
    from mnbench.drawing.entries import entries_of, select_entries
    from mnbench.drawing.stated_top1 import parse_top1, with_top1

    stated = [parse_top1(text) for text in top1]
    return with_top1(select_entries(entries_of(records), only), stated)
