"""Write a TensorFlow checkpoint without TensorFlow, to read back and to break: a LevelDB table of protocol buffers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mnmodels.weights.crc32c import masked_crc32c

__all__ = ["entry", "header", "table", "write_checkpoint"]

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "float16": 19}
Entries = Mapping[bytes, bytes]


def varint(value: int) -> bytes:
    """A number, seven bits to a byte."""
    pieces = []
    while value > 0x7F:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*pieces, value])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def header(num_shards: int = 1, endianness: int = 0) -> bytes:
    """A BundleHeaderProto."""
    return field(1, num_shards) + (field(2, endianness) if endianness else b"") + field(3, field(1, 1))


def entry(shape: Sequence[int], dtype: int, offset: int, size: int, checksum: int | None, shard: int = 0) -> bytes:
    """A BundleEntryProto."""
    dims = b"".join(field(2, field(1, length)) for length in shape)
    result = field(1, dtype) + field(2, dims) + (field(3, shard) if shard else b"")
    result += field(4, offset) + field(5, size)
    return result if checksum is None else result + varint(6 << 3 | 5) + checksum.to_bytes(4, "little")


def block(entries: Entries, restart_every: int = 16) -> bytes:
    """A block with its trailer; keys share what they begin with, but for one in ``restart_every``."""
    body, restarts, last = b"", [], b""
    for index, (key, value) in enumerate(sorted(entries.items())):
        if index % restart_every == 0:
            restarts.append(len(body))
            last = b""
        shared = next((at for at, (one, other) in enumerate(zip(last, key, strict=False)) if one != other), len(last))
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    body += b"".join(at.to_bytes(4, "little") for at in restarts or [0])
    body += len(restarts or [0]).to_bytes(4, "little") + b"\0"
    return body + masked_crc32c(body).to_bytes(4, "little")


def table(entries: Entries, blocks: int = 2) -> bytes:
    """A whole table, its entries in so many blocks."""
    data, index = b"", {}
    keys = sorted(entries)
    per_block = -(-len(keys) // blocks) or 1
    for start in range(0, len(keys), per_block):
        piece = keys[start : start + per_block]
        written = block({key: entries[key] for key in piece})
        index[piece[-1]] = varint(len(data)) + varint(len(written) - 5)
        data += written
    handles = b""
    for part in (block({}), block(index)):
        handles += varint(len(data)) + varint(len(part) - 5)
        data += part
    return data + handles.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def write_checkpoint(prefix: Path, arrays: Mapping[str, Any], num_shards: int = 1) -> Path:
    """Write ``.index`` and ``.data-*``, arrays dealt out to the shards in turn."""
    shards = [b""] * num_shards
    entries = {b"": header(num_shards)}
    for index, (name, array) in enumerate(arrays.items()):
        data, shard = np.ascontiguousarray(array).tobytes(), index % num_shards
        dtype = DTYPES[np.asarray(array).dtype.name]
        entries[name.encode()] = entry(
            np.shape(array), dtype, len(shards[shard]), len(data), masked_crc32c(data), shard
        )
        shards[shard] += data
    Path(f"{prefix}.index").write_bytes(table(entries))
    for shard, data in enumerate(shards):
        Path(f"{prefix}.data-{shard:05d}-of-{num_shards:05d}").write_bytes(data)
    return prefix
