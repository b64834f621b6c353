"""The ``.index`` of a TensorFlow checkpoint: names, shapes and places of its tensors.

It is a sorted table as LevelDB writes them (table_format.md there), and its values are protocol buffers
(tensorflow/core/protobuf/tensor_bundle.proto). Read here in bounds, so that no damaged file gets near TensorFlow.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mninfer.errors import InputError
from mnmodels.weights.crc32c import masked_crc32c

__all__ = ["TABLE_MAGIC", "BundleTensor", "read_checkpoint_index"]

TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5  # of a block: how it is compressed, and its checksum
_MAX_ENTRIES = 100_000
_MAX_KEY_BYTES = 4096  # a name is kept whole, and takes only few bytes where it begins as the one before it
_MAX_ELEMENTS = 1 << 40
# tensorflow/core/framework/types.proto; of other types (strings, resources) nothing is read
_DTYPES: Mapping[int, str] = {
    1: "<f4", 2: "<f8", 3: "<i4", 4: "<u1", 5: "<i2", 6: "<i1", 9: "<i8", 10: "?", 17: "<u2", 19: "<f2", 22: "<u4",
    23: "<u8",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleTensor:
    """Where a tensor lies: ``size`` bytes from ``offset`` in shard ``shard`` of ``num_shards``."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    shard: int
    num_shards: int
    offset: int
    size: int
    checksum: int | None


def read_checkpoint_index(data: bytes, where: str) -> dict[str, BundleTensor]:
    """The tensors of numbers by their names. Raise InputError for a damaged or foreign file."""
    try:
        entries = dict(_table_entries(data))
        num_shards = _header(entries.pop(b"", None))
        read = {name: _tensor(value, num_shards) for name, value in entries.items()}
        return {name.decode("utf-8"): tensor for name, tensor in read.items() if tensor is not None}
    except _BrokenError as error:
        raise InputError(f"not a usable checkpoint index: {error}", where=where, hints="get the file again") from None
    except UnicodeDecodeError:
        raise InputError("not a usable checkpoint index: a name that is not UTF-8", where=where) from None


class _BrokenError(Exception):
    """What is wrong with the bytes."""


def _table_entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(data) < _FOOTER_BYTES or data[-len(TABLE_MAGIC) :] != TABLE_MAGIC:
        raise _BrokenError("it does not end as one does" if data else "it is empty")
    footer = data[-_FOOTER_BYTES:]
    _, at = _handle(footer, 0)  # of a meta index, which TensorFlow leaves empty
    index, _ = _handle(footer, at)
    count, bytes_left = 0, len(data)
    for _, value in _block(data, index):
        handle, _ = _handle(value, 0)
        bytes_left -= handle[1]
        if bytes_left < 0:
            raise _BrokenError("blocks that overlap")
        for entry in _block(data, handle):
            count += 1
            if count > _MAX_ENTRIES:
                raise _BrokenError(f"more than {_MAX_ENTRIES:,} tensors")
            yield entry


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _BrokenError("a number without an end")


def _block(data: bytes, handle: tuple[int, int]) -> Iterator[tuple[bytes, bytes]]:
    offset, size = handle
    block = data[offset : offset + size + _TRAILER_BYTES]
    if len(block) != size + _TRAILER_BYTES or size < 4:
        raise _BrokenError("a block beyond its end")
    if int.from_bytes(block[size + 1 :], "little") != masked_crc32c(block[: size + 1]):
        raise _BrokenError("a checksum does not match: the file has changed")
    if block[size] != 0:
        raise _BrokenError("its blocks are compressed, which TensorFlow does not do")
    yield from _block_entries(block[:size])


def _block_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A key is what it shares with the one before it, and the rest; at the block's end stand places to start from."""
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    if end < 0:
        raise _BrokenError("a block of the wrong size")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        added, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + added + length > end:
            raise _BrokenError("an entry beyond its block")
        if shared + added > _MAX_KEY_BYTES:
            raise _BrokenError(f"a name of {shared + added:,} bytes")
        key = key[:shared] + block[at : at + added]
        at += added
        yield key, block[at : at + length]
        at += length


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """A protocol buffer's fields by number: integers, and bytes of texts and messages."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value: Any
            value, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = int.from_bytes(data[at : at + size], "little"), at + size
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise _BrokenError(f"a field of kind {wire}")
        if at > len(data):
            raise _BrokenError("a field beyond its end")
        yield number, value


def _header(data: bytes | None) -> int:
    """The number of shards of a BundleHeaderProto."""
    if data is None:
        raise _BrokenError("its header is missing")
    fields = dict(_fields(data))
    if fields.get(2, 0):
        raise _BrokenError("its numbers are big-endian")
    num_shards = fields.get(1, 0)
    if not isinstance(num_shards, int) or not 0 < num_shards < 100_000:
        raise _BrokenError(f"{num_shards} files of data")
    return num_shards


def _tensor(data: bytes, num_shards: int) -> BundleTensor | None:
    """A BundleEntryProto; None where it holds no numbers."""
    fields: dict[int, Any] = {1: 0, 2: b"", 3: 0, 4: 0, 5: 0} | dict(_fields(data))
    code, shape_proto, shard, offset, size = (fields[number] for number in range(1, 6))
    if code not in _DTYPES:
        return None
    if 7 in fields:
        raise _BrokenError("a variable in slices, as parameter servers save them")
    if not isinstance(shape_proto, bytes) or not all(isinstance(each, int) for each in (shard, offset, size)):
        raise _BrokenError("a tensor's entry of the wrong form")
    shape = tuple(_dimension(value) for number, value in _fields(shape_proto) if number == 2)
    dtype = np.dtype(_DTYPES[code])
    if math.prod(length or 1 for length in shape) > _MAX_ELEMENTS or math.prod(shape) * dtype.itemsize != size:
        raise _BrokenError(f"a tensor of shape {list(shape)[:8]} and dtype {dtype} in {size:,} bytes")
    if shard >= num_shards:
        raise _BrokenError(f"a tensor in file {shard} of {num_shards}")
    return BundleTensor(
        shape=shape, dtype=dtype, shard=shard, num_shards=num_shards, offset=offset, size=size, checksum=fields.get(6)
    )


def _dimension(data: object) -> int:
    """TensorShapeProto.Dim: its size, zero where that is left out."""
    if not isinstance(data, bytes):
        raise _BrokenError("a shape of the wrong form")
    size = dict(_fields(data)).get(1, 0)
    if not isinstance(size, int) or size >= _MAX_ELEMENTS:  # a negative number is a large one here
        raise _BrokenError("a shape with an open or impossible size")
    return size
