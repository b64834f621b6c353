"""Which mnkit measures: the version of its wheel, and where that does not tell, a digest of the source that runs."""

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from mnbench.kit import home_of

__all__ = ["is_same_version", "own_version", "source_digest"]

# What a kit holds: a device without mnkit then tells the digest of the machine that sent it.
_MEASURING = ("mnbench", "mninfer")
_DIGITS = 12
_SOURCE = "+source."  # a local version, as PEP 440 has it


@cache
def own_version() -> str:
    """As ``0.1.0``; of a wheel between two releases, which many commits share, ``0.1.0.dev0+source.1b2c3d4e5f60``; of
    a checkout, whose number tells no state of it, ``0+source.1b2c3d4e5f60``.
    """
    homes = [home for name in _MEASURING if (home := home_of(name)) is not None]
    version = _version_of_wheel(homes)
    if version is not None and ".dev" not in version:
        return version
    return f"{version or 0}{_SOURCE}{source_digest(homes)}"


def is_same_version(before: str, after: str) -> bool:
    """Whether both may be of one source: by its digest where both have one, else by the number before it.

    >>> is_same_version("0.1.0.dev0+source.1b2c", "0+source.1b2c"), is_same_version("0.1.0", "0.1.0+source.1b2c")
    (True, True)
    """
    (number, _, digest), (other_number, _, other_digest) = (each.partition(_SOURCE) for each in (before, after))
    return digest == other_digest if digest and other_digest else number == other_number


def source_digest(homes: Collection[Path]) -> str:
    """The beginning of a digest of all Python files of these packages: their places in them, and their bytes."""
    digest = hashlib.sha256()
    for home in sorted(homes):
        for path in sorted(path for path in home.rglob("*.py") if path.is_file()):
            digest.update(f"{path.relative_to(home.parent).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def _version_of_wheel(homes: Collection[Path]) -> str | None:
    """The version of mnkit where these very folders are what was installed; None of a checkout, editable or beside."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        installed = distribution("mnkit")
    except PackageNotFoundError:
        return None
    is_ours = all(Path(str(installed.locate_file(home.name))).resolve() == home.resolve() for home in homes)
    return installed.version if is_ours else None
