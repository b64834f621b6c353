"""TFRecord files -> where each record lies, and its bytes, checked. No TensorFlow.

A record: its length (8 bytes, little endian), the masked CRC-32C of these, the data, the masked CRC-32C of the data
(tensorflow/core/lib/io/record_writer.h).
"""

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from mninfer.errors import InputError
from mnmodels.weights.crc32c import masked_crc32c

__all__ = ["Record", "find_record_files", "is_record_file", "iterate_records", "place_of", "read_record"]

MAX_RECORD_BYTES = 512 << 20
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_SHARD = re.compile(r".*-\d{5}-of-\d{5}(\.tfrecords?)?|.*\.tfrecords?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Record:
    """Where the data of a record begin, and how many bytes they have."""

    path: str
    offset: int
    size: int


def find_record_files(folder: str) -> list[str]:
    """The files called as TFRecords are, ``name-00000-of-00128`` or ``name.tfrecord``, in the order of their names."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise InputError(f"cannot read this folder: {error.strerror}", where=folder) from error
    paths = [os.path.join(folder, name) for name in names if _SHARD.fullmatch(name) and not name.startswith(".")]
    return [path for path in paths if os.path.isfile(path)]


def is_record_file(path: str) -> bool:
    """Whether a file begins with a record's header: the checksum makes an accident as good as impossible."""
    if not os.path.isfile(path):  # opening a pipe would wait for its writer
        return False
    try:
        with open(path, "rb") as file:
            start = file.read(_HEADER.size)
    except OSError:
        return False
    return len(start) == _HEADER.size and masked_crc32c(start[:8]) == _HEADER.unpack(start)[1]


def iterate_records(path: str) -> Iterator[tuple[Record, bytes]]:
    """Each record with its data, whose checksum is not compared: ``read_record`` does.

    Raises:
        InputError: a header is damaged, or the file is cut off; the records before it have come.
    """
    try:
        with open(path, "rb") as file:
            total = os.fstat(file.fileno()).st_size
            offset = 0
            while offset < total:
                size = _read_header(file, path, offset, total)
                yield Record(path, offset + _HEADER.size, size), file.read(size)
                offset += _HEADER.size + size + _FOOTER.size
                file.seek(offset)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=path) from error


def read_record(record: Record) -> bytes:
    """The data of a record. Raise InputError where they do not have their checksum."""
    try:
        with open(record.path, "rb") as file:
            file.seek(record.offset)
            found = file.read(record.size + _FOOTER.size)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=record.path) from error
    data = found[: record.size]
    if found[record.size :] != _FOOTER.pack(masked_crc32c(data)):
        raise InputError("the record's checksum is wrong", where=place_of(record), hints="copy or download it again")
    return data


def place_of(record: Record) -> str:
    """What messages call a record."""
    return f"{record.path}, record at byte {record.offset - _HEADER.size:,}"


def _read_header(file: IO[bytes], path: str, offset: int, total: int) -> int:
    header = file.read(_HEADER.size)
    where = f"{path}, record at byte {offset:,}"
    if len(header) < _HEADER.size:
        raise InputError("the file ends within a record's header", where=where, hints="copy or download it again")
    size, checksum = _HEADER.unpack(header)
    if masked_crc32c(header[:8]) != checksum:
        what = "a record's header has a wrong checksum" if offset else "not a TFRecord file (or a compressed one)"
        raise InputError(what, where=where, hints="copy or download it again")
    if size > MAX_RECORD_BYTES:
        raise InputError(f"a record of {size:,} bytes; at most {MAX_RECORD_BYTES:,} are read", where=where)
    if size > total - offset - _HEADER.size - _FOOTER.size:
        raise InputError("the file ends within a record", where=where, hints="copy or download it again")
    return int(size)
