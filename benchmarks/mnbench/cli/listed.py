"""Options that hold several values between commas: words of a closed set, and counts."""

from enum import StrEnum
from typing import TypeVar

import click

from mninfer.near import near_names

__all__ = ["counts", "listed", "refuse_empty", "words"]

_Word = TypeVar("_Word", bound=StrEnum)


def listed(text: str | None) -> tuple[str, ...]:
    """What stands between the commas, each once."""
    return tuple(dict.fromkeys(word.strip() for word in (text or "").split(",") if word.strip()))


def refuse_empty(flag: str, text: str | None) -> None:
    """Raise UsageError where an option is given and holds nothing, as that of a variable that isn't set: all would be
    measured.
    """
    if text is not None and not listed(text):
        raise click.UsageError(f"{flag} is given, and empty")


def words(flag: str, text: str | None, kind: type[_Word]) -> tuple[_Word, ...]:
    """Members of ``kind``. Raise UsageError with the nearest for what is none."""
    refuse_empty(flag, text)
    names = [str(member) for member in kind]
    for word in listed(text):
        if word not in names:
            near = near_names(word, names)
            raise click.UsageError(
                f'{flag}: "{word}" is none of {", ".join(names)}.' + (f' Did you mean "{near[0]}"?' if near else "")
            )
    return tuple(kind(word) for word in listed(text))


def counts(flag: str, text: str | None) -> tuple[int, ...]:
    """Whole numbers from 1 to 4096. Raise UsageError for anything else."""
    refuse_empty(flag, text)
    for word in listed(text):
        if not (word.isascii() and word.isdigit() and len(word) <= 4 and 0 < int(word) <= 4096):
            raise click.UsageError(f'{flag}: "{word}" is no whole number from 1 to 4096')
    return tuple(int(word) for word in listed(text))
