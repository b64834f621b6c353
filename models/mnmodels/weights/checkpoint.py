"""A TensorFlow checkpoint (``.index``, ``.data-00000-of-00001``), as TF-slim and TF 1 projects ship -> arrays by name.

Read without TensorFlow, which would be slow to start and can be brought down by a damaged file.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import InputError
from mnmodels.weights.checkpoint_index import BundleTensor, read_checkpoint_index
from mnmodels.weights.crc32c import masked_crc32c
from mnmodels.weights.named_arrays import MAX_BYTES, NamedArrays, SourceKind, read_bytes

__all__ = ["checkpoint_prefix", "read_checkpoint"]

_PART = re.compile(r"(?P<prefix>.+?)(?:\.index|\.meta|\.data-\d{5}-of-\d{5})", re.DOTALL)
_MAX_DIMENSIONS = 32


def checkpoint_prefix(path: str | os.PathLike[str]) -> str | None:
    """The prefix that a checkpoint's files share, given it or one of them; None where ``path`` is no checkpoint.

    >>> checkpoint_prefix("mobilenet_v1_1.0_224.ckpt.index")
    'mobilenet_v1_1.0_224.ckpt'
    """
    text = os.fspath(path)
    if match := _PART.fullmatch(text):
        return match["prefix"]
    try:
        return text if os.path.exists(f"{text}.index") else None
    except ValueError:
        return None  # a zero byte: the next to open it says so


def read_checkpoint(prefix: str) -> NamedArrays:
    """Read every tensor of numbers. Raise InputError, which names a file that is missing."""
    place = f"{prefix}.index"
    tensors = read_checkpoint_index(read_bytes(place, "the checkpoint's index"), place)
    needed = sum(tensor.size for tensor in tensors.values())
    if needed > MAX_BYTES:
        raise InputError(f"the checkpoint's tensors take {needed:,} bytes, more than {MAX_BYTES:,}", where=prefix)
    shards = _shards(prefix, tensors.values())
    arrays = {name: _array(name, tensor, shards[tensor.shard], prefix) for name, tensor in tensors.items()}
    return NamedArrays(kind=SourceKind.CHECKPOINT, where=prefix, arrays=arrays)


def _shards(prefix: str, tensors: Iterable[BundleTensor]) -> dict[int, bytes]:
    paths = {each.shard: f"{prefix}.data-{each.shard:05d}-of-{each.num_shards:05d}" for each in tensors}
    missing = [Path(path).name for path in paths.values() if not os.path.exists(path)]
    if missing:
        raise InputError(
            f"the checkpoint's data is missing: {', '.join(missing[:5])}",
            where=prefix,
            hints="a checkpoint is several files with one beginning: copy them all, .index and .data-*",
        )
    size = sum(os.path.getsize(path) for path in paths.values())
    if size > 2 * MAX_BYTES:
        raise InputError(f"the checkpoint's data has {size:,} bytes, more than {2 * MAX_BYTES:,}", where=prefix)
    return {shard: read_bytes(path, "the checkpoint's data") for shard, path in paths.items()}


def _array(name: str, tensor: BundleTensor, shard: bytes, prefix: str) -> NDArray[Any]:
    piece = memoryview(shard)[tensor.offset : tensor.offset + tensor.size]
    if len(piece) != tensor.size or len(tensor.shape) > _MAX_DIMENSIONS:
        raise InputError(f'the checkpoint\'s data ends before the end of "{name}"', where=prefix, hints="copy it again")
    if tensor.checksum is not None and tensor.checksum != masked_crc32c(piece):
        raise InputError(f'"{name}" has changed since it was saved: its checksum does not match', where=prefix)
    return np.ndarray(tensor.shape, tensor.dtype, buffer=piece)
