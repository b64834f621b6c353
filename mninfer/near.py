"""What was probably meant by a name that is not there."""

from collections.abc import Iterable

__all__ = ["near_files", "near_names"]

_MOST_NAMES = 10_000  # comparing takes some 10 us a name


def near_names(name: str, names: Iterable[str], *, most: int = 1) -> list[str]:
    """The ``names`` that are most like ``name``, best first; none where none is."""
    from difflib import get_close_matches  # 5 ms that only a typing error costs

    return get_close_matches(name, list(names), n=most, cutoff=0.5)


def near_files(path: str, *, most: int = 1) -> list[str]:
    """The paths in the same folder that are most like ``path``."""
    import os

    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")[:_MOST_NAMES]
    except OSError:
        return []
    return [os.path.join(folder, near) for near in near_names(name, names, most=most)]
