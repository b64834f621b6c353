"""Pictures or tensors in a NumPy file (``.npz``, ``.npy``), told by content -> the one array that they are.

uint8 ``[n, height, width, 3]`` are RGB pictures; float32 of four dimensions are tensors, normalized already. Nothing is
unpickled, nothing is turned around: what doesn't fit is an error that says how to save it.
"""

import io
import os
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import CalibrationError
from mninfer.files import read_regular_file

__all__ = ["is_array_file", "read_arrays"]

MAX_BYTES = 2 << 30  # 14,000 pictures of 224 x 224 in uint8; some hundreds are enough
_NPY, _ZIP = b"\x93NUMPY", b"PK"
_UNREADABLE = (ValueError, OSError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error)
_SAVE = "numpy.savez_compressed(FILE, pictures=uint8 [n, height, width, 3] RGB)"

Array = npt.NDArray[Any]


def is_array_file(where: str) -> bool:
    """Whether a file's first bytes are those of a NumPy file or a zip; False where there is no regular file."""
    try:
        if not os.path.isfile(where):  # opening a pipe would wait for its writer
            return False
        with open(where, "rb") as file:
            start = file.read(6)
    except (OSError, ValueError):
        return False
    return start == _NPY or start.startswith(_ZIP)


def read_arrays(where: str) -> Array:
    """The file's only array of four dimensions.

    Raises:
        CalibrationError: it can't be read, holds none or several, or one of another dtype or layout.
    """
    try:
        found = _all_arrays(read_regular_file(where, MAX_BYTES))
    except _UNREADABLE as error:
        reason = "it would take more memory than there is" if isinstance(error, MemoryError) else _one_line(error)
        raise CalibrationError(f"the file of arrays cannot be read: {reason}", where=where, hints=_SAVE) from error
    try:
        return _checked(*_only(found))
    except CalibrationError as error:
        raise error.at(where) from None


def _all_arrays(data: bytes) -> dict[str, Array]:
    loaded = np.load(io.BytesIO(data), allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return {"": loaded}
    with loaded:
        _check_sizes(loaded.zip)
        # Other members of a zip come as bytes, not as arrays.
        arrays = {name: loaded[name] for name in loaded.files}
        return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _check_sizes(archive: zipfile.ZipFile) -> None:
    total = sum(member.file_size for member in archive.infolist())
    if total > MAX_BYTES:
        raise ValueError(f"its arrays have {total:,} bytes, more than {MAX_BYTES:,}")


def _only(found: dict[str, Array]) -> tuple[str, Array]:
    whole = {name: array for name, array in found.items() if array.ndim == 4}
    if len(whole) == 1:
        return next(iter(whole.items()))
    if whole:
        raise CalibrationError(f"which array is meant: {_listed(whole)}?", hints="save the one that is meant alone")
    if not found:
        raise CalibrationError("no arrays in this file", hints=("a folder of pictures, unpacked", _SAVE))
    raise CalibrationError(
        f"no array of four dimensions in this file: {_listed(found)}", hints=(_SAVE, "a single picture as array[None]")
    )


def _checked(name: str, array: Array) -> Array:
    if array.dtype not in (np.uint8, np.float32):
        raise CalibrationError(
            f"{_named(name, array)}: pictures are uint8, normalized tensors float32",
            hints='array.astype("uint8") for pixels 0..255, array.astype("float32") for normalized tensors',
        )
    if array.shape[1] in (1, 3) and array.shape[3] not in (1, 3):
        raise CalibrationError(
            f"{_named(name, array)}: channels come last", hints="array.transpose(0, 2, 3, 1) before it is saved"
        )
    if 0 in array.shape or (array.dtype == np.uint8 and array.shape[3] != 3):
        raise CalibrationError(f"{_named(name, array)}: pictures are [n, height, width, 3] RGB", hints=_SAVE)
    return array


def _named(name: str, array: Array) -> str:
    told = f"{array.dtype} {list(array.shape)}"
    return f'"{name}": {told}' if name else told


def _listed(arrays: dict[str, Array]) -> str:
    return ", ".join(_named(name, array) for name, array in list(arrays.items())[:8])


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
