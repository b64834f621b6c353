"""Pictures, folders and patterns, as typed by a person -> the picture files, each once, in a fixed order."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from mninfer.errors import InputError

__all__ = ["IMAGE_SUFFIXES", "FoundImage", "find_images", "image_paths"]

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".avif",
)  # fmt: skip
_MAGIC = frozenset("*?[")
_SEPARATORS = re.escape(os.sep + (os.altsep or ""))

OnUnreadable = Callable[[InputError], None]


@dataclass(frozen=True, slots=True)
class FoundImage:
    """``path`` as a person would type it; ``relative`` is its place below the folder that was given."""

    path: str
    relative: str


def image_paths(items: Iterable[str | os.PathLike[str]]) -> list[str]:
    """The paths of ``find_images``."""
    return [image.path for image in find_images(items)]


def find_images(
    items: Iterable[str | os.PathLike[str]], *, on_unreadable: OnUnreadable | None = None
) -> list[FoundImage]:
    """Expand items: a file stands for itself, a folder for the pictures below it, a pattern for its matches.

    In folders and among matches pictures are told by their suffix, in any case; hidden files and folders are passed
    over, links to folders not followed. Each picture comes once, where it came first. A folder below another that
    cannot be read goes to ``on_unreadable``; without that it is raised.

    Raises:
        InputError: an item is not there, cannot be read, or stands for no picture.
    """
    found: dict[tuple[str, str], FoundImage] = {}
    real_folder = cache(os.path.realpath)
    for item in items:
        for image in _expand(os.fsdecode(item), on_unreadable or _raise):
            folder, name = os.path.split(os.path.abspath(image.path))
            found.setdefault((real_folder(folder), name), image)
    return list(found.values())


def _expand(item: str, on_unreadable: OnUnreadable) -> list[FoundImage]:
    if os.path.isdir(item):
        return _below(item, on_unreadable)
    if os.path.lexists(item):
        return [FoundImage(item, os.path.basename(item))]
    if _MAGIC.isdisjoint(item):
        raise _missing(item)
    return _matches(item, on_unreadable)


def _below(folder: str, on_unreadable: OnUnreadable) -> list[FoundImage]:
    others: Counter[str] = Counter()

    def tell(error: InputError) -> None:
        if error.where == folder:  # all that was asked for
            raise error
        on_unreadable(error)

    images = list(_walk(folder, others, tell))
    if not images:
        raise InputError("no pictures in this folder or below it", where=folder, hints=_what_is_there(others))
    return images


def _walk(folder: str, others: "Counter[str]", on_unreadable: OnUnreadable) -> Iterator[FoundImage]:
    """The pictures below a folder, in the order of names; ``others`` counts the suffixes of what is none."""
    for here, names in _folders(folder, on_unreadable):
        for name in sorted(name for name in names if not name.startswith(".")):
            if _is_picture(name):
                path = os.path.join(here, name)
                yield FoundImage(path, os.path.relpath(path, folder))
            else:
                others[_suffix(name)] += 1


def _folders(top: str, on_unreadable: OnUnreadable) -> Iterator[tuple[str, list[str]]]:
    """``top`` and the folders below it, in the order of names, each with the names of its files."""

    def tell(error: OSError) -> None:
        on_unreadable(InputError(f"cannot read this folder: {error.strerror}", where=os.fsdecode(error.filename)))

    for here, folders, names in os.walk(top, onerror=tell):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield here, names


def _glob(pattern: str, on_unreadable: OnUnreadable) -> Iterator[str]:
    """What a shell makes of a pattern; ``**`` follows no links to folders, as glob's own does, round and round."""
    from glob import escape, glob

    head, stars, tail = _split_at_stars(pattern)
    if not stars:
        yield from glob(pattern)
        return
    for top in glob(head) if head else [os.curdir]:
        for here, _ in _folders(top, on_unreadable):
            below = os.path.relpath(here) if not head else here
            if not tail:
                yield below
                break
            yield from _glob(tail if below == os.curdir else os.path.join(escape(below), tail), on_unreadable)


def _split_at_stars(pattern: str) -> tuple[str, bool, str]:
    """What is before and after the first ``**`` that is a whole part of the path, and whether there is one."""
    match = re.search(rf"(?:^|(?<=[{_SEPARATORS}]))\*\*(?:[{_SEPARATORS}]+|$)", pattern)
    if match is None:
        return pattern, False, ""
    return pattern[: match.start()], True, pattern[match.end() :]


def _matches(pattern: str, on_unreadable: OnUnreadable) -> list[FoundImage]:
    """Matching pictures, and those below matching folders, as a shell's expansion would give them."""
    others: Counter[str] = Counter()
    images: list[FoundImage] = []
    for path in sorted(_glob(pattern, on_unreadable)):
        if os.path.isdir(path):
            images += _walk(path, others, on_unreadable)
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
    if "://" in path:
        hints = ["download it first: addresses are not opened"]
    return InputError(
        "no such picture or folder", where=path, hints=hints or f"look in {os.path.abspath(os.path.dirname(path))}"
    )


def _raise(error: InputError) -> None:
    raise error
