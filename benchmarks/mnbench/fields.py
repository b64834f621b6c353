"""Reads JSON that others may have written: each field by name and type, or an InputError that says which is wrong.

Every number, wherever it stands, is one that 64 bits hold: what is made of it later is finite and can be written again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["MOST_NAME_BYTES", "NOT_IN_NAMES", "Fields"]

_Chosen = TypeVar("_Chosen", bound=StrEnum)
_Value = TypeVar("_Value")
_MOST_SHOWN = 60
_MOST = 1 << 63
MOST_NAME_BYTES = 200  # suffixes of ours fit behind it on every file system
NOT_IN_NAMES = re.compile(r"[/\\:\x00-\x1f\x7f\ud800-\udfff]")  # of a file, on whatever system


class Fields:
    """The fields of one JSON object; ``where`` says which it is, as "cell" or "rows[3]"."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise InputError(f"{where} is {_shown(value)}, not an object")
        self._value = value
        self.where = where

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def raw(self, name: str) -> Any:
        """The value as it stands."""
        if name not in self._value:
            raise InputError(f'{self.where} has no "{name}"')
        return self._value[name]

    def text(self, name: str) -> str:
        return self._of_type(name, str, "a text")

    def flag(self, name: str) -> bool:
        return self._of_type(name, bool, "true or false")

    def file_name(self, name: str) -> str:
        """A text that names a file, or a folder, within the folder that it will lie in, and no other place."""
        value = self.text(name)
        if not value.strip() or value.startswith(".") or NOT_IN_NAMES.search(value):
            raise self.wrong(name, "a plain file name")
        if len(value.encode()) > MOST_NAME_BYTES:
            raise self.wrong(name, f"a file name: it is longer than {MOST_NAME_BYTES} bytes")
        return value

    def count(self, name: str) -> int:
        """A whole number from 0 on, below 2**63."""
        value = self.raw(name)
        if not _is_count(value):
            raise self.wrong(name, "a whole number from 0 on, below 2**63")
        return int(value)

    def number(self, name: str) -> float:
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_in_bounds(value):
            raise self.wrong(name, "a finite number below 2**63")
        return float(value)

    def counts(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers from 0 on, below 2**63, as nanoseconds are."""
        values = self.list(name)
        if not all(map(_is_count, values)):
            raise self.wrong(name, "a list of whole numbers from 0 on, below 2**63")
        return tuple(values)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.list(name)
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "a list of texts")
        return tuple(values)

    def list(self, name: str) -> Sequence[Any]:
        return self._of_type(name, list, "a list")

    def mapping(self, name: str) -> dict[str, Any]:
        """An object of whatever is in it, as facts are."""
        value = self._of_type(name, dict, "an object")
        place = _out_of_bounds(value)
        if place is not None:
            raise InputError(f'{self.where}: "{"/".join((name, *place))}" is not a finite number below 2**63')
        return dict(value)

    def choice(self, name: str, kind: type[_Chosen]) -> _Chosen:
        """A member of a closed set, by its value."""
        value = self.text(name)
        names = [str(member) for member in kind]
        if value not in names:
            near = near_names(value, names)
            raise InputError(
                f'{self.where}: "{name}" is {_shown(value)}',
                hints=f'did you mean "{near[0]}"?' if near else f"one of {', '.join(names)}",
            )
        return kind(value)

    def optional(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        """What ``read`` makes of the field; None where it is absent or null."""
        return None if self._value.get(name) is None else read(name)

    def optional_choice(self, name: str, kind: type[_Chosen]) -> _Chosen | None:
        return None if self._value.get(name) is None else self.choice(name, kind)

    def wrong(self, name: str, wanted: str) -> InputError:
        return InputError(f'{self.where}: "{name}" is {_shown(self.raw(name))}, not {wanted}')

    def _of_type(self, name: str, kind: type[_Value], wanted: str) -> _Value:
        value = self.raw(name)
        if not isinstance(value, kind):
            raise self.wrong(name, wanted)
        return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST


def _is_in_bounds(value: float) -> bool:
    return -_MOST < value < _MOST  # false of NaN, too


def _out_of_bounds(value: object) -> tuple[str, ...] | None:
    """Where there is a number out of bounds, all the way down; JSON that was read is not deep."""
    if isinstance(value, int | float):
        return None if _is_in_bounds(value) else ()
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        place = _out_of_bounds(item)
        if place is not None:
            return (str(key), *place)
    return None


def _shown(value: object) -> str:
    """The value, cut short; a whole number that Python won't spell by its size."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
