"""What an engine answered held against a bundle's reference, which may be a stranger's, and may be damaged."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import numpy.typing as npt

from mnbench.agreement import agreement
from mnbench.cell import Cell
from mnbench.preparing.bundle import Bundle
from mnbench.record import Agreement
from mninfer.errors import InputError

__all__ = ["held_against_reference", "read_reference"]

Array = npt.NDArray[Any]

_MOST_BYTES = 1 << 30  # unpacked: of a batch of 256, a thousand classes are 1 MB
# What zipfile and numpy raise on archives that are none, by way of their own parsers.
_UNREADABLE = (
    ValueError, TypeError, LookupError, OverflowError, OSError, EOFError, MemoryError, RuntimeError, SyntaxError,
    TokenError, BadZipFile, struct.error, zlib.error,
)  # fmt: skip


def held_against_reference(bundle: Bundle, cell: Cell, outputs: Sequence[Array]) -> Agreement:
    """The agreement of a cell's outputs with the bundle's reference; not held where there is none that can be read."""
    name = bundle.reference_name(cell)
    try:
        reference = read_reference(bundle.reference_for(cell))
    except InputError as error:
        return Agreement(is_held=False, reference=name, sqnr_db=None, text=error.what)
    return agreement(outputs, reference, cell, name)


def read_reference(path: Path) -> list[Array]:
    """The outputs in an ``.npz``. Raise InputError where it is none, too large, or holds no numbers."""
    try:
        with ZipFile(path) as archive:
            num_bytes = sum(entry.file_size for entry in archive.infolist())
        if num_bytes > _MOST_BYTES:
            raise InputError(f"the reference can't be read: {num_bytes:,} bytes", where=str(path))
        with np.load(path, allow_pickle=False) as arrays:
            found = [arrays[name] for name in arrays.files]
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise InputError(f"the reference can't be read: {reason}", where=str(path)) from error
    if not all(isinstance(array, np.ndarray) and array.dtype.kind in "fiu" for array in found):
        raise InputError("the reference can't be read: it holds something else than numbers", where=str(path))
    return found
