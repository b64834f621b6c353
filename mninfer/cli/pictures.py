"""Pictures, folders and globs, as typed by a person -> the list of pictures to do, each once, in a stable order."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mninfer.errors import InputError

__all__ = ["PICTURE_SUFFIXES", "Picture", "find_pictures"]

PICTURE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
)
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Picture:
    """``path`` as a person would type it; ``relative`` is its place below the folder that was given."""

    path: str
    relative: str


def find_pictures(arguments: Sequence[str]) -> list[Picture]:
    """Every picture that ``arguments`` name. One that is named twice is done once, where it came first."""
    found: dict[str, Picture] = {}
    for argument in arguments:
        for picture in _expand(argument):
            found.setdefault(os.path.abspath(picture.path), picture)
    return list(found.values())


def _expand(argument: str) -> Iterator[Picture]:
    if os.path.isdir(argument):
        yield from _pictures_below(argument)
    elif os.path.lexists(argument) or not _MAGIC.intersection(argument):
        if not os.path.lexists(argument):
            raise _missing(argument)
        yield Picture(argument, os.path.basename(argument))
    else:
        yield from _matches(argument)


def _pictures_below(folder: str) -> Iterator[Picture]:
    """Pictures by suffix, hidden ones left out, folders in the order of their names."""
    is_empty = True
    for here, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in PICTURE_SUFFIXES:
                is_empty = False
                path = os.path.join(here, name)
                yield Picture(path, os.path.relpath(path, folder))
    if is_empty:
        raise InputError(
            "no pictures in this folder or below it",
            where=folder,
            hints=f"files ending in {', '.join(sorted(PICTURE_SUFFIXES))} are looked for; name others one by one",
        )


def _matches(pattern: str) -> Iterator[Picture]:
    from glob import glob

    paths = sorted(glob(pattern, recursive=True))
    if not paths:
        raise InputError("nothing matches this pattern", where=pattern, hints="** matches any number of folders")
    for path in paths:
        if os.path.isdir(path):
            yield from _pictures_below(path)
        else:
            yield Picture(path, os.path.basename(path))


def _missing(path: str) -> InputError:
    from difflib import get_close_matches

    folder, name = os.path.split(path)
    try:
        matches = get_close_matches(name, os.listdir(folder or "."), n=1)
    except OSError:
        matches = []
    hints = [f'"{os.path.join(folder, match)}" is there' for match in matches]
    return InputError("no such picture or folder", where=path, hints=hints or f"look in {os.path.abspath(folder)}")


def _unreadable(error: OSError) -> None:
    raise InputError(f"cannot read this folder: {error.strerror}", where=str(error.filename)) from error
