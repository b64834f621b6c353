"""What every reader gives: arrays by the names that their file has for them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import InputError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file
from mninfer.model_file import SourceContract
from mninfer.near import near_files

__all__ = ["MAX_BYTES", "NamedArrays", "SourceKind", "read_bytes"]

MAX_BYTES = 1 << 30  # of a file, and of all arrays of one: a MobileNet with its optimizer's state has some 60 MB


class SourceKind(StrEnum):
    """What kind of file weights come from, in words."""

    PICKLE = "a pickle of arrays"
    CHECKPOINT = "a TensorFlow checkpoint"
    TFJS = "a TensorFlow.js model"
    HDF5 = "an HDF5 file of weights"
    TFLITE = "a TFLite model"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedArrays:
    """``notes`` tell what was left out or understood in reading; what follows them only a .tflite has."""

    kind: SourceKind
    where: str
    arrays: Mapping[str, NDArray[Any]] = field(repr=False)
    notes: tuple[str, ...] = ()
    contract: SourceContract | None = None
    input_shape: tuple[int, ...] | None = None
    flatbuffer: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.arrays:
            raise InputError(f"{self.kind} without any array of numbers in it", where=self.where)
        total = sum(array.size for array in self.arrays.values()) * np.dtype(np.float32).itemsize
        if total > MAX_BYTES:
            raise InputError(f"the arrays take {total:,} bytes as float32, more than {MAX_BYTES:,}", where=self.where)


def read_bytes(path: str | os.PathLike[str], what: str = "the file of weights") -> bytes:
    """Read a whole file, once. Raise InputError, which calls it ``what``, for what is no readable regular file."""
    where = os.fspath(path)
    try:
        return read_regular_file(where, MAX_BYTES)
    except NotRegularFileError as error:
        raise InputError(f"{what} is {error.kind}, not a file", where=where) from None
    except FileTooLargeError as error:
        raise InputError(f"{what} has {error.size_bytes:,} bytes, more than {MAX_BYTES:,}", where=where) from None
    except FileNotFoundError:
        near = [f"did you mean {each}?" for each in near_files(where, most=3)]
        raise InputError(f"{what} is not there", where=where, hints=near) from None
    except PermissionError:
        raise InputError(f"{what} may not be read", where=where, hints="check its permissions") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise InputError(f"{what} cannot be read: {error}", where=where) from error
