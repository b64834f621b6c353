"""A packed file (xz, gzip, bzip2 or not at all) as a stream of its content: bounded memory, bounded length.

What the packed data are is told by their first bytes, not by the file's name.
"""

import bz2
import gzip
import lzma
import zlib
from typing import IO, Protocol

from mninfer.errors import InputError

__all__ = ["MAX_UNPACKED_BYTES", "Unpacked"]

MAX_UNPACKED_BYTES = 8 << 30  # all of an archive is held in memory; larger sets are read from a folder
XZ_MEMORY_BYTES = 256 << 20  # xz -9 needs 65 MB; the format lets a file ask for 4 GB
CHUNK_BYTES = 1 << 20


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Unpacked:
    """Reads what was packed into ``file``, which stands at its start, in order."""

    def __init__(self, file: IO[bytes], *, where: str, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
        self._stream = _unpacker(file)
        self._is_packed = self._stream is not file
        self._where = where
        self._num_left = self._max_bytes = max_bytes

    def read(self, size: int) -> bytes:
        """``size`` bytes, fewer at the end. Raise InputError for damaged data and for more than ``max_bytes``."""
        if size > self._num_left:
            raise self._too_much()
        parts, missing = [], size
        while missing and (part := self._read_some(missing)):
            parts.append(part)
            missing -= len(part)
        self._num_left -= size - missing
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def skip(self, size: int) -> int:
        """Read past ``size`` bytes without holding them; return how many there were."""
        num_read = 0
        while num_read < size and (part := self.read(min(size - num_read, CHUNK_BYTES))):
            num_read += len(part)
        return num_read

    def finish(self) -> None:
        """Go to the end of what was packed, where its checksum stands. Raise InputError for damaged data."""
        while self._is_packed and (part := self._read_some(CHUNK_BYTES)):
            self._num_left -= len(part)
            if self._num_left < 0:
                raise self._too_much()

    def _too_much(self) -> InputError:
        return InputError(
            f"the archive holds more than {self._max_bytes:,} bytes", where=self._where,
            hints="unpack it, and give the folder",
        )  # fmt: skip

    def _read_some(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise InputError(
                f"the archive is damaged or cut off: {error}", where=self._where, hints="copy or download it again"
            ) from error


def _unpacker(file: IO[bytes]) -> _Stream:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\xfd7zXZ\0"):
        return _XzStream(file)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return file


class _XzStream:
    """``lzma.LZMAFile`` has no limit on memory."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = self._new()

    def read(self, size: int, /) -> bytes:
        while True:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data.lstrip(b"\0") or self._file.read(CHUNK_BYTES).lstrip(b"\0")
                if not rest:
                    return b""
                self._decompressor = self._new()  # a second stream after the first, as pixz and cat write them
            else:
                rest = self._file.read(CHUNK_BYTES) if self._decompressor.needs_input else b""
                if not rest and self._decompressor.needs_input:
                    raise EOFError("the data end early")
            if unpacked := self._decompressor.decompress(rest, size):
                return unpacked

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)
