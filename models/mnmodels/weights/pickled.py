"""A pickled dictionary of arrays, as TensorFlow 1 projects ship them -> arrays by name."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import InputError
from mnmodels.weights.named_arrays import NamedArrays, SourceKind
from mnmodels.weights.restricted_pickle import load_pickle

__all__ = ["read_pickled"]

_MAX_ENTRIES = 100_000  # a few bytes of a pickle can hold a part many times over
_MAX_NAME = 4096


def read_pickled(data: bytes, where: str | os.PathLike[str]) -> NamedArrays:
    """Read a dictionary of arrays; names inside one another are joined by "/". Raise InputError."""
    place = os.fspath(where)
    value = load_pickle(data, where=place)
    if not isinstance(value, dict):
        raise InputError(
            f"the pickle holds a {type(value).__name__}, not a dictionary of arrays by name",
            where=place,
            hints="save it as one: pickle.dump({name: np.asarray(a), ...}, file)",
        )
    arrays: dict[str, NDArray[Any]] = {}
    others = []
    for number, (name, leaf) in enumerate(_leaves(value, "")):
        if number == _MAX_ENTRIES or len(name) > _MAX_NAME:
            raise _too_many(name, place)
        if isinstance(leaf, np.ndarray | np.number | float | int) and np.asarray(leaf).dtype.kind in "fiub":
            if name in arrays:
                raise InputError(f'two arrays of the pickle have the name "{name}"', where=place)
            arrays[name] = np.asarray(leaf)
        else:
            others.append(name)
    notes = [f"{len(others)} entries that hold no numbers are left out: {', '.join(others[:5])}"] if others else []
    return NamedArrays(kind=SourceKind.PICKLE, where=place, arrays=arrays, notes=tuple(notes))


def _too_many(name: str, where: str) -> InputError:
    what = f"a name of {len(name):,} letters" if len(name) > _MAX_NAME else f"more than {_MAX_ENTRIES:,} entries"
    return InputError(
        f"the pickle holds {what}", where=where, hints="save each weight as one array: {name: np.asarray(a), ...}"
    )


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Depth and size are bounded by ``load_pickle``."""
    if isinstance(value, dict):
        parts = [(_text(key), part) for key, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(str(index), part) for index, part in enumerate(value)]
    else:
        yield name, value
        return
    for key, part in parts:
        yield from _leaves(part, f"{name}/{key}" if name else key)


def _text(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)
