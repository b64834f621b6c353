"""Read a Keras file's bytes from a path: a regular file of bounded size, or an error that says what it is instead."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from mninfer.errors import KerasFileError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file
from mninfer.near import near_files

__all__ = ["DOWNLOAD_AGAIN", "MAX_FILE_BYTES", "read_file_bytes", "refuse_other_formats"]

MAX_FILE_BYTES = 1 << 30  # VGG-19 with its optimizer is half of it
DOWNLOAD_AGAIN = "download or copy the file again"
_NEEDS_KERAS = "give the .h5 or .keras file that it was made from"


def read_file_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a whole file, once. Raise KerasFileError for what is no readable regular file, or larger than 1 GiB."""
    where = os.fspath(path)
    try:
        return read_regular_file(where, MAX_FILE_BYTES)
    except NotRegularFileError as error:
        hints = _files_in(where) if error.kind == "a folder" else "give a .h5 or .keras file"
        raise KerasFileError(f"the Keras file is {error.kind}, not a file", where=where, hints=hints) from None
    except FileTooLargeError as error:
        raise KerasFileError(f"the Keras file has {error.size_bytes:,} bytes, more than 1 GiB", where=where) from None
    except FileNotFoundError:
        near = [f"did you mean {each}?" for each in near_files(where, most=3)]
        raise KerasFileError("there is no such Keras file", where=where, hints=near) from None
    except PermissionError:
        raise KerasFileError("the Keras file may not be read", where=where, hints="check its permissions") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise KerasFileError(f"the Keras file cannot be read: {error}", where=where) from error


def _files_in(folder: str) -> list[str]:
    found = [path for pattern in ("*.keras", "*.h5", "*.hdf5") for path in sorted(Path(folder).glob(pattern))]
    return [f"did you mean {path}?" for path in found[:3]]


_PACKED = "unpack it and give the file inside"
_BEGINNINGS: Mapping[bytes, tuple[str, str]] = {
    b"version https://git-lfs": ("a Git LFS pointer, not the model itself", "git lfs pull"),
    b"\x89PNG\r\n\x1a\n": ("a PNG picture", "the model comes first, then the pictures"),
    b"\xff\xd8\xff": ("a JPEG picture", "the model comes first, then the pictures"),
    b"\x1f\x8b": ("a gzip archive", _PACKED),
    b"BZh": ("a bzip2 archive", _PACKED),
    b"\xfd7zXZ\0": ("an xz archive", _PACKED),
    b"7z\xbc\xaf": ("a 7-Zip archive", _PACKED),
    b"Rar!": ("a RAR archive", _PACKED),
    b"\x93NUMPY": ("a numpy array (.npy)", "check the order of the arguments"),
    b"%PDF": ("a PDF", DOWNLOAD_AGAIN),
    b"\x7fELF": ("a Linux program", "check the order of the arguments"),
    b"\x80\x02": ("a Python pickle, which is a program", "mnmodels import FILE --arch NAME reads one of plain arrays"),
    b"\x80\x03": ("a Python pickle, which is a program", "mnmodels import FILE --arch NAME reads one of plain arrays"),
    b"\x80\x04": ("a Python pickle, which is a program", "mnmodels import FILE --arch NAME reads one of plain arrays"),
    b"\x80\x05": ("a Python pickle, which is a program", "mnmodels import FILE --arch NAME reads one of plain arrays"),
    b"\x08\x01\x12": ("the saved_model.pb of a TensorFlow SavedModel", "give the folder that it lies in"),
}


def refuse_other_formats(data: bytes) -> NoReturn:
    """Raise KerasFileError that names what ``data`` is, being neither HDF5 nor a zip archive."""
    if not data:
        raise KerasFileError("the Keras file is empty", hints=DOWNLOAD_AGAIN)
    if not data[:4096].strip(b"\0"):
        raise KerasFileError("the Keras file begins with zeros only", hints=f"{DOWNLOAD_AGAIN}; was the disk full?")
    for magic, (what, hint) in _BEGINNINGS.items():
        if data.startswith(magic):
            raise KerasFileError(f"the Keras file is {what}", hints=hint)
    if data[4:8] == b"TFL3":
        raise KerasFileError("the Keras file is a TFLite model, converted already", hints=_NEEDS_KERAS)
    if data[257:262] == b"ustar":
        raise KerasFileError("the Keras file is a tar archive", hints=_PACKED)
    if len(data) > 2 and data[0] == 8 and 1 <= data[1] <= 20 and data[2:3] in {b"\x12", b"\x1a", b"\x22", b":", b"B"}:
        raise KerasFileError("the Keras file is ONNX", hints=_NEEDS_KERAS)
    _refuse_text(data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower())
    shown = " ".join(f"{byte:02x}" for byte in data[:8])
    raise KerasFileError(f"not a Keras file: neither HDF5 nor zip, the first bytes are {shown}", hints=DOWNLOAD_AGAIN)


def _refuse_text(head: bytes) -> None:
    if head.startswith((b"<!doctype html", b"<html")) or b"<html" in head[:1024]:
        raise KerasFileError(
            "the Keras file is an HTML page, saved in place of the download",
            hints=(
                "download it again from the link of the raw file",
                "open it in a browser to see what the server said",
            ),
        )
    if head[:1] in (b"{", b"["):
        raise KerasFileError("the Keras file is JSON: a description without weights", hints=_NEEDS_KERAS)
    if head and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        raise KerasFileError("the Keras file is text", hints=("check the order of the arguments", DOWNLOAD_AGAIN))
