"""A class's folder without pictures is more likely an accident than a class."""

import os
from collections.abc import Iterable

from mninfer.errors import InputError

__all__ = ["refuse_empty_classes"]


def refuse_empty_classes(folder: str, names: Iterable[str]) -> None:
    """Raise InputError where a folder beside those that hold pictures holds none.

    ``names`` are the pictures' places in ``folder``. Hidden folders are passed over.
    """
    holding = {prefix for name in names for prefix in _folders_of(name)}
    parents = {os.path.dirname(prefix) for prefix in holding if prefix} or {""}
    for parent in sorted(parents):
        for entry in sorted(os.scandir(os.path.join(folder, parent)), key=lambda entry: entry.name):
            name = f"{parent}/{entry.name}" if parent else entry.name
            if entry.is_dir() and not entry.name.startswith(".") and name not in holding:
                raise InputError(
                    f'the folder "{name}" holds no picture',
                    where=folder,
                    hints="take it away, or put the pictures of its class into it",
                )


def _folders_of(name: str) -> list[str]:
    """Every folder on the way to a picture: "train/cat" and "train" for "train/cat/1.jpg"."""
    found = []
    while name := os.path.dirname(name):
        found.append(name)
    return found
