"""Read untrusted HDF5 safely: groups' attributes and arrays, all of it bounded, by a process that may die.

HDF5's C library crashes on some damaged files, so it never sees one in this process: ``hdf5_process.py`` reads the
bytes elsewhere, under limits of memory and time, and what comes back is checked again. Costs about 0.2 s.
"""

import errno
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import KerasFileError, MissingDependencyError
from mnmodels.keras_file.file_bytes import DOWNLOAD_AGAIN, read_file_bytes

__all__ = ["HDF5_MAGIC", "MAX_ARRAY_BYTES", "Hdf5", "read_hdf5", "read_hdf5_arrays", "set_hdf5_attribute"]

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_ARRAY_BYTES = 1 << 30  # twice VGG-19's weights
MAX_HEADER_BYTES = 256 << 20
CPU_SECONDS = 60  # the largest file that is read takes three
SECONDS = 300
_INSTALL_LINE = "pip install h5py"
_PROCESS = Path(__file__).with_name("hdf5_process.py")


@dataclass(frozen=True, slots=True)
class Hdf5:
    """What a file holds: ``attributes`` by the path of their group or dataset ("" is the root), ``arrays`` by path.

    Arrays are in the order in which HDF5 lists them, which is that of their names.
    """

    attributes: Mapping[str, Mapping[str, Any]]
    arrays: Mapping[str, NDArray[Any]] = field(repr=False)

    def text(self, path: str, name: str) -> str | None:
        """An attribute that is a text; None where there is none."""
        value = self.attributes.get(path, {}).get(name)
        return value if isinstance(value, str) else None

    def texts(self, path: str, name: str) -> tuple[str, ...] | None:
        """An attribute that is a list of texts, cut into pieces (name0, name1, ...) as Keras does with long ones."""
        attributes = self.attributes.get(path, {})
        if name in attributes:
            return _texts(attributes[name])
        pieces: list[str] = []
        while (piece := attributes.get(f"{name}{len(pieces)}")) is not None:
            pieces.append(piece)
        return tuple(text for piece in pieces for text in _texts(piece)) if pieces else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def read_hdf5_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """All arrays of an HDF5 file, by their path inside. Raise KerasFileError for a damaged or too large one."""
    data = read_file_bytes(path)
    try:
        return dict(read_hdf5(data).arrays)
    except KerasFileError as error:
        raise error.at(os.fspath(path)) from None


def read_hdf5(data: bytes, *, only_attributes: bool = False) -> Hdf5:
    """Read the bytes of a file; only the root's attributes if those are enough. Raise KerasFileError."""
    if not data.startswith(HDF5_MAGIC):
        raise KerasFileError("not an HDF5 file", hints=DOWNLOAD_AGAIN)
    request = {"only_attributes": only_attributes, "max_bytes": MAX_ARRAY_BYTES}
    with _run(request, data) as out:
        header = _read_header(out)
        try:
            return Hdf5(header["attributes"], _read_arrays(out, header["arrays"]))
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged("its arrays cannot be read") from error


def set_hdf5_attribute(data: bytes, name: str, text: str) -> bytes:
    """The file with ``text`` as an attribute of its root, in place of what was there. Raise KerasFileError."""
    encoded = text.encode()
    request = {"attribute": name, "text_bytes": len(encoded), "max_bytes": len(data) + len(encoded) + (1 << 20)}
    with _run(request, encoded + data) as out:
        _read_header(out)
        return out.read()


@contextmanager
def _run(request: Mapping[str, Any], data: bytes) -> Iterator[IO[bytes]]:
    """What the other process wrote, from its beginning."""
    if find_spec("h5py") is None:
        raise MissingDependencyError("h5py is not installed, which reads HDF5 files", hints=_INSTALL_LINE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HDF5_")}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", str(_PROCESS), json.dumps({"seconds": CPU_SECONDS, **request})]
    with _temporary_file() as out:
        try:
            done = subprocess.run(
                command, input=data, stdout=out, stderr=subprocess.PIPE, env=environment, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise _damaged(f"reading it takes more than {SECONDS} s") from None
        if done.returncode:
            raise _failure(done.returncode, done.stderr)
        out.seek(0)
        yield out


def _temporary_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise _without_room(str(error)) from error


def _failure(code: int, stderr: bytes) -> KerasFileError:
    if code < 0:
        return _damaged("HDF5's own library fails on it")
    last = stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    if last and f"[Errno {errno.ENOSPC}]" in last[0]:
        return _without_room("no space is left")
    return _damaged(f"the process that reads it failed: {' '.join(last) or f'exit code {code}'}")


def _without_room(why: str) -> KerasFileError:
    """Not the file's fault."""
    hint = "make room there, or set TMPDIR to a folder of another disk"
    return KerasFileError(f"the HDF5 file needs a temporary file to be read: {why}", hints=hint)


def _damaged(what: str) -> KerasFileError:
    return KerasFileError(f"the HDF5 file cannot be read: {what}", hints=DOWNLOAD_AGAIN)


def _read_header(out: IO[bytes]) -> dict[str, Any]:
    size = int.from_bytes(out.read(8), "little")
    if size > MAX_HEADER_BYTES:
        raise _damaged("its names and attributes are too large")
    try:
        header = json.loads(out.read(size))
    except ValueError as error:
        raise _damaged("its names and attributes cannot be read") from error
    if "refused" in header:
        raise _damaged(header["refused"])
    return dict(header)


def _read_arrays(out: IO[bytes], described: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    bytes_left = MAX_ARRAY_BYTES
    for each in described:
        dtype = np.dtype(each["dtype"])
        shape = tuple(int(size) for size in each["shape"])
        num_bytes = math.prod(shape) * dtype.itemsize
        bytes_left -= num_bytes
        if bytes_left < 0 or dtype.kind not in "fiub":
            raise _damaged("its arrays take more bytes than are read")
        arrays[each["path"]] = np.frombuffer(out.read(num_bytes), dtype).reshape(shape)
    return arrays
