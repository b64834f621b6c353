"""Read a FlexBuffer map of scalars, the form of custom operators' options, from untrusted bytes.

https://flatbuffers.dev/internals: the last byte is the root's width, the one before its type, the value stands before.
"""

import struct
from enum import IntEnum
from itertools import pairwise

from mninfer.errors import ModelFileError

__all__ = ["read_map"]

MAX_KEYS = 64
MAX_BYTES = 1 << 16


class _Kind(IntEnum):
    """The types that are read, by their numbers in flexbuffers.h."""

    INT = 1
    UINT = 2
    FLOAT = 3
    INDIRECT_INT = 6
    INDIRECT_UINT = 7
    INDIRECT_FLOAT = 8
    MAP = 9
    BOOL = 26


_FORMATS: dict[int, str] = {_Kind.INT: "bhiq", _Kind.UINT: "BHIQ", _Kind.FLOAT: "  fd", _Kind.BOOL: "BHIQ"}
_DIRECT: dict[int, int] = {
    _Kind.INDIRECT_INT: _Kind.INT,
    _Kind.INDIRECT_UINT: _Kind.UINT,
    _Kind.INDIRECT_FLOAT: _Kind.FLOAT,
}


def read_map(data: bytes | memoryview) -> dict[str, int | float | bool | None]:
    """The map's values by key; other than numbers and booleans are None. Keys must be sorted: readers search them."""
    if not 3 <= len(data) <= MAX_BYTES:
        raise ModelFileError(f"custom options of {len(data)} bytes are no FlexBuffer map of a few numbers")
    data = bytes(data)
    width, packed = data[-1], data[-2]
    if packed >> 2 != _Kind.MAP or width not in (1, 2, 4, 8):
        raise ModelFileError("custom options are no FlexBuffer map")
    reader = _Reader(data)
    start = reader.follow(len(data) - 2 - width, width)
    return reader.map(start, 1 << (packed & 3))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def map(self, start: int, width: int) -> dict[str, int | float | bool | None]:
        """A map: offset to its keys, their width, count, then values, then a byte of type for each."""
        count = self.unsigned(start - width, width)
        if count > MAX_KEYS or start + count * (width + 1) > len(self.data):
            raise ModelFileError(f"custom options: a map of {count} keys")
        key_width = self.unsigned(start - 2 * width, width)
        if key_width not in (1, 2, 4, 8):
            raise ModelFileError(f"custom options: keys of width {key_width}")
        keys_start = self.follow(start - 3 * width, width)
        if self.unsigned(keys_start - key_width, key_width) != count:
            raise ModelFileError("custom options: keys and values differ in number")
        keys = [self.key(self.follow(keys_start + i * key_width, key_width)) for i in range(count)]
        if any(first >= second for first, second in pairwise(keys)):
            raise ModelFileError("custom options: the keys are not sorted")
        types = self.data[start + count * width : start + count * (width + 1)]
        return {
            key.decode("utf-8", "replace"): self.value(start + i * width, width, kind)
            for i, (key, kind) in enumerate(zip(keys, types, strict=True))
        }

    def value(self, position: int, width: int, packed: int) -> int | float | bool | None:
        kind = packed >> 2
        if kind in _DIRECT:
            kind, position, width = _DIRECT[kind], self.follow(position, width), 1 << (packed & 3)
        if kind not in _FORMATS:
            if kind:  # neither null nor a number: it lies elsewhere, and that place must exist
                self.follow(position, width)
            return None
        form = _FORMATS[kind][width.bit_length() - 1]
        if form == " " or not 0 <= position <= len(self.data) - width:
            raise ModelFileError(f"custom options: a value of {width} bytes at byte {position} of {len(self.data)}")
        number = struct.unpack_from("<" + form, self.data, position)[0]
        return bool(number) if kind == _Kind.BOOL else float(number) if kind == _Kind.FLOAT else int(number)

    def key(self, position: int) -> bytes:
        end = self.data.find(b"\0", position)
        if end < 0:
            raise ModelFileError("custom options: a key without end")
        return self.data[position:end]

    def unsigned(self, position: int, width: int) -> int:
        if not 0 <= position <= len(self.data) - width:
            raise ModelFileError(f"custom options: a number at byte {position} of {len(self.data)}")
        return int.from_bytes(self.data[position : position + width], "little")

    def follow(self, position: int, width: int) -> int:
        """Offsets count backwards from where they stand."""
        target = position - self.unsigned(position, width)
        if not 0 <= target <= position:
            raise ModelFileError(f"custom options: an offset to byte {target}")
        return target
