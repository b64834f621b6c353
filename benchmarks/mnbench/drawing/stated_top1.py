"""Accuracy that the user states, for records whose models don't tell theirs: ``mobilenet_v1_1.0_224/int8=70.6±0.4``."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mnbench.drawing.entries import Accuracy, Entry
from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["StatedTop1", "parse_top1", "with_top1"]

_FORM = re.compile(r"(?P<model>[^=]+)=\s*(?P<percent>\d+(?:\.\d+)?)\s*%?(?:\s*(?:±|\+-)\s*(?P<error>\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True)
class StatedTop1:
    """``pattern`` is of models' names, or of names and variants: NAME/VARIANT."""

    pattern: str
    accuracy: Accuracy


def parse_top1(text: str) -> StatedTop1:
    """Read MODEL[/VARIANT]=PERCENT[±ERROR]. Raise InputError."""
    found = _FORM.fullmatch(text.strip())
    if found is None or not float(found["percent"]) <= 100:
        raise InputError(
            f'"{text}" states no accuracy',
            hints="MODEL[/VARIANT]=PERCENT[±ERROR], as mobilenet_v1_1.0_224/int8=70.6±0.4",
        )
    return StatedTop1(found["model"].strip(), Accuracy(float(found["percent"]), float(found["error"] or 0)))


def with_top1(entries: Sequence[Entry], stated: Sequence[StatedTop1]) -> tuple[Entry, ...]:
    """The entries with what is stated of them; the last statement that fits holds.

    Raises:
        InputError: a statement fits no entry.
    """
    for each in stated:
        if not any(_fits(each, entry) for entry in entries):
            raise InputError(f'no row is of the model "{each.pattern}"', hints=_hint(each.pattern, entries))
    return tuple(_stated(entry, stated) for entry in entries)


def _stated(entry: Entry, stated: Sequence[StatedTop1]) -> Entry:
    fitting = [each.accuracy for each in stated if _fits(each, entry)]
    return replace(entry, accuracy=fitting[-1]) if fitting else entry


def _fits(stated: StatedTop1, entry: Entry) -> bool:
    cell = entry.cell
    return any(fnmatchcase(name, stated.pattern) for name in (cell.model, f"{cell.model}/{cell.variant}"))


def _hint(pattern: str, entries: Sequence[Entry]) -> str:
    names = list(dict.fromkeys(f"{entry.cell.model}/{entry.cell.variant}" for entry in entries))
    near = near_names(pattern, names)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"there are {', '.join(names[:6])}" if names else "the results have no row"
