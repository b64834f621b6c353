"""A TensorFlow.js model: ``model.json`` and the binary files that its weightsManifest names -> arrays by name.

The description of the network in it is not used: weights find their places by name.
"""

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import InputError
from mnmodels.weights.named_arrays import MAX_BYTES, NamedArrays, SourceKind, read_bytes

__all__ = ["is_tfjs", "read_tfjs"]

_DTYPES = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "uint8": "<u1", "uint16": "<u2", "bool": "?"}
_MAX_ENTRIES = 100_000
_MAX_JSON_BYTES = 64 << 20  # parsed, it takes up to thirty times as much memory; a large network's has 2 MB
_LARGEST = 3e38  # of float32
_SHARD = "a file of the weightsManifest"
_PART = re.compile(r"[^\\/:\0]+")


def is_tfjs(data: bytes) -> bool:
    """Whether ``data`` is JSON with a weights manifest somewhere in it."""
    return data.lstrip()[:1] == b"{" and b'"weightsManifest"' in data


def read_tfjs(data: bytes, where: str | os.PathLike[str]) -> NamedArrays:
    """Read the files that ``model.json`` names, beside it. Raise InputError."""
    place = os.fspath(where)
    try:
        groups = [_Group.read(group, os.path.dirname(place)) for group in _manifest(data)]
        needed = sum(group.size for group in groups)
        if needed > MAX_BYTES:
            raise InputError(f"the weightsManifest asks for {needed:,} bytes, more than {MAX_BYTES:,}")
        pairs = [pair for group in groups for pair in group.arrays()]
        arrays = dict(pairs)
        if len(arrays) < len(pairs):
            raise InputError("two weights of the weightsManifest have one name")
    except InputError as error:
        raise error.at(place) from None
    return NamedArrays(kind=SourceKind.TFJS, where=place, arrays=arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weight:
    """How an array is stored; real = stored * scale + min (tfjs-core, io/io_utils.ts) where there is a scale."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float | None
    minimum: float
    is_whole: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def array(self, data: memoryview) -> NDArray[Any]:
        stored = np.ndarray(self.shape, self.dtype, buffer=data)
        if self.scale is None:
            return stored
        values = stored.astype(np.float32) * np.float32(self.scale) + np.float32(self.minimum)
        return np.rint(values) if self.is_whole else values


@dataclass(frozen=True, slots=True)
class _Group:
    """Weights that lie one after another in the files at ``paths``, as if these were one."""

    paths: tuple[str, ...]
    weights: tuple[_Weight, ...]

    @classmethod
    def read(cls, group: dict[str, Any], folder: str) -> "_Group":
        paths = [_shard_path(path, folder) for path in _listed(group, "paths")]
        return cls(tuple(paths), tuple(_weight(weight) for weight in _listed(group, "weights")))

    @property
    def size(self) -> int:
        return sum(weight.size for weight in self.weights)

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        found = sum(_size_of(path) for path in self.paths)
        if found != self.size:
            names = ", ".join(os.path.basename(path) for path in self.paths[:5])
            raise InputError(f"{names}: {found:,} bytes, and the weightsManifest describes {self.size:,}")
        data = memoryview(b"".join(read_bytes(path, _SHARD) for path in self.paths))
        for weight in self.weights:
            yield weight.name, weight.array(data)
            data = data[weight.size :]


def _size_of(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return len(read_bytes(path, _SHARD))  # says what is wrong with it


def _manifest(data: bytes) -> list[dict[str, Any]]:
    if len(data) > _MAX_JSON_BYTES:
        raise InputError(f"the model.json has {len(data):,} bytes; at most {_MAX_JSON_BYTES:,} are read")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the model.json is not JSON that can be read: {error}") from None
    groups = value.get("weightsManifest") if isinstance(value, dict) else None
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise InputError("the model.json has no weightsManifest that is a list of groups")
    if sum(len(_listed(group, "weights")) + len(_listed(group, "paths")) for group in groups) > _MAX_ENTRIES:
        raise InputError(f"the weightsManifest has more than {_MAX_ENTRIES:,} entries")
    return groups


def _listed(group: dict[str, Any], key: str) -> list[Any]:
    value = group.get(key)
    if not isinstance(value, list):
        raise InputError(f'a group of the weightsManifest has no list "{key}"')
    return value


def _weight(weight: object) -> _Weight:
    if not isinstance(weight, dict) or not isinstance(weight.get("name"), str):
        raise InputError("a weight of the weightsManifest has no name")
    name, shape, declared = weight["name"], weight.get("shape"), weight.get("dtype")
    if not isinstance(shape, list) or len(shape) > 32 or not all(type(n) is int and 0 <= n < 1 << 40 for n in shape):
        raise InputError(f'weight "{name}": no shape')
    if math.prod(length or 1 for length in shape) > MAX_BYTES:
        raise InputError(f'weight "{name}": a shape of more than {MAX_BYTES:,} bytes')
    quantization = weight.get("quantization")
    is_quantized = isinstance(quantization, dict)
    stored = quantization.get("dtype") if isinstance(quantization, dict) else declared
    if not isinstance(stored, str) or stored not in _DTYPES:
        raise InputError(f'weight "{name}": numbers of type "{stored}"', hints=f"one of {', '.join(_DTYPES)}")
    has_scale = is_quantized and stored != "float16"
    return _Weight(
        name=name,
        shape=tuple(shape),
        dtype=np.dtype(_DTYPES[stored]),
        scale=_number(name, "scale", quantization) if has_scale else None,
        minimum=_number(name, "min", quantization) if has_scale else 0.0,
        is_whole=declared == "int32",
    )


def _number(name: str, key: str, quantization: Any) -> float:
    value = quantization.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        raise InputError(f'weight "{name}": its quantization has no number "{key}"')
    return float(value)


def _shard_path(path: object, folder: str) -> str:
    """A file beside model.json or in a folder below it, and nowhere else."""
    parts = path.split("/") if isinstance(path, str) else []
    if not parts or not all(_PART.fullmatch(part) and part not in (".", "..") for part in parts):
        raise InputError(f"the weightsManifest names a file that is not beside it: {str(path)[:100]!r}")
    return os.path.join(folder, *parts)
