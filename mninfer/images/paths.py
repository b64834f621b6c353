"""Files, folders and glob patterns -> the picture files they stand for, in a fixed order."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator

from mninfer.errors import InputError

__all__ = ["IMAGE_SUFFIXES", "image_paths"]

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".avif",
)  # fmt: skip


def image_paths(items: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Expand items to paths: a file stands for itself, a folder for the pictures below it, a pattern for its matches.

    Pictures are told by their suffix, in any case; hidden files and folders are passed over; each path comes once, in
    the order of the items, sorted by name within one.
    """
    found: dict[str, None] = {}
    for item in items:
        found.update(dict.fromkeys(_expand(os.fsdecode(item))))
    return list(found)


def _expand(item: str) -> list[str]:
    if os.path.isdir(item):
        seen: Counter[str] = Counter()
        paths = list(_below(item, seen))
        if not paths:
            raise InputError("no pictures in this folder", where=item, hints=_what_is_there(seen))
        return paths
    if os.path.lexists(item) or not glob.has_magic(item):
        return [item]  # what is not there is reported when it is its turn, like any other bad picture
    matches = sorted(glob.glob(item, recursive=True))
    paths = [path for path in matches if _is_picture(path) and not os.path.isdir(path)]
    if not paths:
        others = Counter(_suffix(path) for path in matches if not os.path.isdir(path))
        raise InputError("no pictures match this pattern", where=item, hints=_what_is_there(others))
    return paths


def _below(folder: str, seen: "Counter[str]") -> Iterator[str]:
    """The pictures below a folder; links to folders are not followed, which could go round for ever."""
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"cannot list the folder: {error.strerror or error}", where=folder) from error
    for entry in ordered:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, seen)
        elif _is_picture(entry.name) and not entry.is_dir():
            yield entry.path
        else:
            seen[_suffix(entry.name)] += 1


def _is_picture(path: str) -> bool:
    return path.lower().endswith(IMAGE_SUFFIXES)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower() or "no suffix"


def _what_is_there(seen: "Counter[str]") -> list[str]:
    hints = [f"pictures end in {', '.join(IMAGE_SUFFIXES)}"]
    if seen:
        hints.append(f"found: {', '.join(f'{count} x {suffix}' for suffix, count in seen.most_common(5))}")
    return hints
