"""Pictures, folders and patterns, as typed by a person -> the picture files, each once, in a fixed order."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mninfer.errors import InputError

__all__ = ["IMAGE_SUFFIXES", "FoundImage", "find_images", "image_paths"]

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".avif",
)  # fmt: skip
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class FoundImage:
    """``path`` as a person would type it; ``relative`` is its place below the folder that was given."""

    path: str
    relative: str


def image_paths(items: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The paths of ``find_images``."""
    return [image.path for image in find_images(items)]


def find_images(items: Iterable[str | os.PathLike[str]]) -> list[FoundImage]:
    """Expand items: a file stands for itself, a folder for the pictures below it, a pattern for its matches.

    In folders and among matches pictures are told by their suffix, in any case; hidden files and folders are passed
    over, links to folders not followed. Each picture comes once, where it came first.

    Raises:
        InputError: an item is not there, or stands for no picture.
    """
    found: dict[str, FoundImage] = {}
    for item in items:
        for image in _expand(os.fsdecode(item)):
            found.setdefault(os.path.abspath(image.path), image)
    return list(found.values())


def _expand(item: str) -> list[FoundImage]:
    if os.path.isdir(item):
        return _below(item)
    if os.path.lexists(item):
        return [FoundImage(item, os.path.basename(item))]
    if _MAGIC.isdisjoint(item):
        raise _missing(item)
    return _matches(item)


def _below(folder: str) -> list[FoundImage]:
    others: Counter[str] = Counter()
    images = list(_walk(folder, others))
    if not images:
        raise InputError("no pictures in this folder or below it", where=folder, hints=_what_is_there(others))
    return images


def _walk(folder: str, others: "Counter[str]") -> Iterator[FoundImage]:
    """The pictures below a folder, in the order of names; ``others`` counts the suffixes of what is none."""
    for here, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            if _is_picture(name):
                path = os.path.join(here, name)
                yield FoundImage(path, os.path.relpath(path, folder))
            else:
                others[_suffix(name)] += 1


def _matches(pattern: str) -> list[FoundImage]:
    """Matching pictures, and those below matching folders, as a shell's expansion would give them."""
    from glob import glob

    others: Counter[str] = Counter()
    images: list[FoundImage] = []
    for path in sorted(glob(pattern, recursive=True)):
        if os.path.isdir(path):
            images += _walk(path, others)
        elif _is_picture(path):
            images.append(FoundImage(path, os.path.basename(path)))
        else:
            others[_suffix(path)] += 1
    if not images:
        hints = [*_what_is_there(others), "** matches any number of folders"]
        raise InputError("no pictures match this pattern", where=pattern, hints=hints)
    return images


def _is_picture(path: str) -> bool:
    return path.lower().endswith(IMAGE_SUFFIXES)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower() or "no suffix"


def _what_is_there(others: "Counter[str]") -> list[str]:
    hints = [f"pictures end in {', '.join(IMAGE_SUFFIXES)}; name others one by one"]
    if others:
        hints.append(f"found: {', '.join(f'{count} x {suffix}' for suffix, count in others.most_common(5))}")
    return hints


def _missing(path: str) -> InputError:
    from mninfer.near import near_files

    hints = [f'did you mean "{near}"?' for near in near_files(path)]
    return InputError(
        "no such picture or folder", where=path, hints=hints or f"look in {os.path.abspath(os.path.dirname(path))}"
    )


def _unreadable(error: OSError) -> None:
    raise InputError(f"cannot read this folder: {error.strerror}", where=str(error.filename)) from error
