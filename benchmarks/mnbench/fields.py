"""Reads JSON that others may have written: each field by name and type, or an InputError that says which is wrong."""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from mninfer.errors import InputError
from mninfer.near import near_names

__all__ = ["Fields"]

_Chosen = TypeVar("_Chosen", bound=StrEnum)
_Value = TypeVar("_Value")
_MOST_SHOWN = 60


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

    def count(self, name: str) -> int:
        """A whole number from 0 on."""
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(name, "a whole number from 0 on")
        return value

    def number(self, name: str) -> float:
        value = self.raw(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
            raise self.wrong(name, "a finite number")
        return float(value)

    def counts(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers from 0 on, as nanoseconds are."""
        values = self.list(name)
        if not all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values):
            raise self.wrong(name, "a list of whole numbers from 0 on")
        return tuple(values)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.list(name)
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "a list of texts")
        return tuple(values)

    def list(self, name: str) -> Sequence[Any]:
        return self._of_type(name, list, "a list")

    def mapping(self, name: str) -> dict[str, Any]:
        return dict(self._of_type(name, dict, "an object"))

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


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
