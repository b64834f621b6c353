"""The zip that follows the flatbuffer: read from untrusted bytes, written the one way that our files have.

Ours is stored, dated 1980 and has one possible encoding for given entries, so that a damaged header shows as well as a
damaged byte of content. Foreign archives may be deflated, within bounds. Nothing is ever extracted to a disk.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from mninfer.errors import ModelFileError

__all__ = ["Archive", "ArchiveEntry", "read_archive", "write_archive"]

MAX_ENTRIES = 64  # label files in a few dozen languages are the most seen in the wild
MAX_NAME_BYTES = 255
MAX_ENTRY_BYTES = 64 << 20
MAX_ARCHIVE_BYTES = 128 << 20  # of all the entries together, unpacked

# PKWARE APPNOTE 6.3: 4.3.7 local header, 4.3.12 central directory header, 4.3.16 end of central directory record.
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION = 20  # 2.0, what "stored" needs
_DATE_1980 = 0x21  # 1980-01-01, the oldest that the format can say
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_BYTES_AS_THEY_ARE = "surrogateescape"  # PEP 383: two names that are not UTF-8 stay two, and are written as read


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file in the archive."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Archive:
    """``start`` is the byte at which the flatbuffer ends and the archive begins."""

    start: int
    entries: tuple[ArchiveEntry, ...]

    def find(self, name: str) -> bytes | None:
        """The content of the entry of this name, None where there is none."""
        return next((entry.data for entry in self.entries if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class _Row:
    """What the central directory says of one entry."""

    name: str
    method: int
    crc: int
    packed_size: int
    size: int
    header: int


def read_archive(data: bytes) -> Archive | None:
    """The archive at the end of ``data``; None where there is none. Raise ModelFileError where it is damaged."""
    end = _find_end(data)
    if end is None:
        return None
    _, disk, first_disk, count_here, count, size, offset, _ = _END.unpack_from(data, end)
    if disk or first_disk or count_here != count or count == 0xFFFF or 0xFFFFFFFF in (size, offset):
        raise _damaged("a multi-part or zip64 archive, which no model file needs")
    if count > MAX_ENTRIES:
        raise _damaged(f"{count} entries; at most {MAX_ENTRIES} are read")
    if size > end:
        raise _damaged(f"a directory of {size} bytes before byte {end}")
    directory = end - size
    shift = directory - offset  # offsets count from the file's start, or from the archive's: both are written
    rows = _read_directory(data, directory, end, count, shift)
    if sum(row.size for row in rows) > MAX_ARCHIVE_BYTES:
        raise _damaged(f"more than {MAX_ARCHIVE_BYTES} bytes when unpacked")
    entries = tuple(ArchiveEntry(row.name, _read_entry(data, row, directory)) for row in rows)
    if len({entry.name for entry in entries}) < len(entries):
        raise _damaged("two entries of one name")
    return Archive(min((row.header for row in rows), default=directory), entries)


def write_archive(entries: Sequence[ArchiveEntry], start: int) -> bytes:
    """The bytes to append to a flatbuffer of ``start`` bytes: equal entries in equal order give equal bytes."""
    body, directory = bytearray(), bytearray()
    for entry in entries:
        name = entry.name.encode("utf-8", _BYTES_AS_THEY_ARE)
        if not 0 < len(name) <= MAX_NAME_BYTES or len(entry.data) > MAX_ENTRY_BYTES:
            raise ValueError(f"entry {entry.name!r} of {len(entry.data)} bytes: beyond what read_archive accepts")
        flags = _name_flag(entry.name)
        shared = (flags, _STORED, 0, _DATE_1980, zlib.crc32(entry.data), len(entry.data), len(entry.data), len(name), 0)
        header = start + len(body)
        directory += _CENTRAL.pack(_CENTRAL_MARK, _VERSION, _VERSION, *shared, 0, 0, 0, 0, header) + name
        body += _LOCAL.pack(_LOCAL_MARK, _VERSION, *shared) + name + entry.data
    offset = start + len(body)
    count = len(entries)
    return bytes(body + directory + _END.pack(_END_MARK, 0, 0, count, count, len(directory), offset, 0))


def _name_flag(name: str) -> int:
    """That a name is UTF-8, where it is that and not ASCII alone."""
    if name.isascii():
        return 0
    try:
        name.encode()
    except UnicodeEncodeError:
        return 0
    return _UTF8


def _find_end(data: bytes) -> int | None:
    """Where the end record stands: its comment, if any, must reach to the last byte exactly."""
    lowest = max(0, len(data) - _END.size - 0xFFFF)
    position = data.rfind(_END_MARK, lowest)
    while position >= 0:
        if position + _END.size <= len(data):
            comment_size = _END.unpack_from(data, position)[-1]
            if position + _END.size + comment_size == len(data):
                return position
        position = data.rfind(_END_MARK, lowest, position + 3)
    return None


def _read_directory(data: bytes, start: int, end: int, count: int, shift: int) -> list[_Row]:
    rows, position = [], start
    for index in range(count):
        if position + _CENTRAL.size > end:
            raise _damaged(f"entry {index} of {count} lies outside the directory")
        (mark, _, _, flags, method, _, _, crc, packed, size, name_size, extra, comment, disk, _, _, offset) = (
            _CENTRAL.unpack_from(data, position)
        )
        name_at = position + _CENTRAL.size
        position = name_at + name_size + extra + comment
        if mark != _CENTRAL_MARK or position > end or disk:
            raise _damaged(f"entry {index} of {count} is no directory entry")
        if not 0 < name_size <= MAX_NAME_BYTES:
            raise _damaged(f"entry {index} has a name of {name_size} bytes; 1 to {MAX_NAME_BYTES} are read")
        name = data[name_at : name_at + name_size].decode("utf-8", _BYTES_AS_THEY_ARE)
        if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
            raise _damaged(f'entry "{name}" is encrypted or packed by method {method}; stored and deflated are read')
        if size > MAX_ENTRY_BYTES or packed > len(data):
            raise _damaged(f'entry "{name}" of {size} bytes; at most {MAX_ENTRY_BYTES} are read')
        rows.append(_Row(name, method, crc, packed, size, offset + shift))
    return rows


def _read_entry(data: bytes, row: _Row, limit: int) -> bytes:
    """An entry's content; ``limit`` is where the directory begins."""
    where = f'entry "{row.name}"'
    if not 0 <= row.header <= limit - _LOCAL.size:
        raise _damaged(f"{where} at byte {row.header} of {limit}")
    mark, *_, name_size, extra = _LOCAL.unpack_from(data, row.header)
    start = row.header + _LOCAL.size + name_size + extra
    if mark != _LOCAL_MARK or start + row.packed_size > limit:
        raise _damaged(f"{where}: no such entry at byte {row.header}")
    packed = bytes(data[start : start + row.packed_size])
    content = packed if row.method == _STORED else _inflate(packed, row.size, where)
    if len(content) != row.size or zlib.crc32(content) != row.crc:
        raise _damaged(f"{where}: its bytes do not have the checksum that the directory gives")
    return content


def _inflate(packed: bytes, size: int, where: str) -> bytes:
    """Unpack at most ``size`` bytes: a bomb is stopped, whatever its header says."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise _damaged(f"{where}: {error}") from error
    if not stream.eof:
        raise _damaged(f"{where}: more than the {size} bytes that the directory gives, or cut off")
    return content


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(
        f"the zip archive after the flatbuffer cannot be read: {what}",
        hints="copy or download the file again; if it was made here, write it again",
    )
