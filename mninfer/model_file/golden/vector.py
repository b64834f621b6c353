"""A golden vector as data: a picture by its numbers, its tensor's hash, the whole output; its JSON, read strictly."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import ModelFileError
from mninfer.model_file.golden.picture import FORMULA, MAX_SIDE, golden_picture

__all__ = ["MAX_OUTPUTS", "Array", "GoldenOutput", "GoldenVector"]

Array = npt.NDArray[Any]

MAX_OUTPUT_BYTES = 48 << 20
MAX_OUTPUTS = 16
DTYPES = ("bool", "float16", "float32", "int16", "int32", "int64", "int8", "uint8")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenOutput:
    """One output tensor as the engine gave it: ``data`` is base64 of its little-endian bytes.

    ``leeway`` is how far another engine's quantized kernels may end from it: in steps for quantized outputs, in places
    for indices, in the output's unit for floats; 0 for a float network, where rounding is small everywhere.
    ``is_exact`` says that engines which run XNNPACK have no leeway; a dynamic-range network has it everywhere, and so
    has what another engine's integer kernels recorded.
    """

    dtype: str
    shape: tuple[int, ...]
    data: str = field(repr=False)
    leeway: float = 0
    is_exact: bool = True

    @classmethod
    def of(cls, array: Array, leeway: float = 0, *, is_exact: bool = True) -> "GoldenOutput":
        """Record an array."""
        from binascii import b2a_base64

        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        text = b2a_base64(little.tobytes(), newline=False).decode()
        return cls(dtype=array.dtype.name, shape=array.shape, data=text, leeway=leeway, is_exact=is_exact)

    def array(self) -> Array:
        """The recorded values. Raise ModelFileError where the base64 is not what the shape needs."""
        from binascii import Error, a2b_base64

        try:
            data = a2b_base64(self.data, strict_mode=True)
            return np.frombuffer(data, np.dtype(self.dtype).newbyteorder("<")).reshape(self.shape)
        except (Error, ValueError) as error:
            raise ModelFileError(f"a golden output cannot be decoded: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """As in ``mnkit.json``."""
        return {
            "dtype": self.dtype,
            "shape": list(self.shape),
            "leeway": self.leeway,
            "is_exact": self.is_exact,
            "data": self.data,
        }

    @classmethod
    def from_json(cls, value: object) -> "GoldenOutput":
        """Read and check one output; the base64 itself is decoded when it is used."""
        fields = _fields(value, ("dtype", "shape", "leeway", "is_exact", "data"), "golden output")
        dtype, shape, leeway, data = (fields[name] for name in ("dtype", "shape", "leeway", "data"))
        if dtype not in DTYPES:
            raise ModelFileError(f"golden output: dtype {dtype!r} is not one of {', '.join(DTYPES)}")
        if not isinstance(shape, list) or len(shape) > 8 or not all(_is_count(side, 2**31) for side in shape):
            raise ModelFileError(f"golden output: shape {shape!r} is not a list of at most 8 sizes")
        num_bytes = math.prod(shape) * np.dtype(dtype).itemsize
        if num_bytes > MAX_OUTPUT_BYTES:
            raise ModelFileError(f"golden output: {num_bytes} bytes; at most {MAX_OUTPUT_BYTES} are read")
        if not isinstance(data, str) or len(data) != (num_bytes + 2) // 3 * 4:
            raise ModelFileError(f"golden output: the data is not base64 of {num_bytes} bytes")
        if isinstance(leeway, bool) or not isinstance(leeway, int | float) or not 0 <= leeway <= sys.float_info.max:
            raise ModelFileError(f"golden output: leeway {leeway!r} is not a number from 0")
        if not isinstance(fields["is_exact"], bool):
            raise ModelFileError(f"golden output: is_exact {fields['is_exact']!r} is neither true nor false")
        return cls(dtype=dtype, shape=tuple(shape), data=data, leeway=leeway, is_exact=fields["is_exact"])


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenVector:
    """A golden picture by its numbers, the hash of its tensor's bytes, and the outputs in the graph's order."""

    index: int
    width: int
    height: int
    tensor_sha256: str
    outputs: tuple[GoldenOutput, ...]

    def picture(self) -> npt.NDArray[np.uint8]:
        """The picture, drawn."""
        return golden_picture(self.index, self.width, self.height)

    def to_json(self) -> dict[str, Any]:
        """As in ``mnkit.json``."""
        picture = {"formula": FORMULA, "index": self.index, "width": self.width, "height": self.height}
        outputs = [output.to_json() for output in self.outputs]
        return {"picture": picture, "tensor_sha256": self.tensor_sha256, "outputs": outputs}

    @classmethod
    def from_json(cls, value: object) -> "GoldenVector":
        """Read and check one vector. Raise ModelFileError naming the field that is wrong."""
        fields = _fields(value, ("picture", "tensor_sha256", "outputs"), "golden vector")
        picture = _fields(fields["picture"], ("formula", "index", "width", "height"), "golden picture")
        limits = {"formula": FORMULA, "index": 2**32 - 1, "width": MAX_SIDE, "height": MAX_SIDE}
        for name, limit in limits.items():
            if not _is_count(picture[name], limit) or (picture[name] == 0 and name != "index"):
                raise ModelFileError(f"golden picture: {name} {picture[name]!r} is not a whole number up to {limit}")
        digest, outputs = fields["tensor_sha256"], fields["outputs"]
        if not isinstance(digest, str) or len(digest) != 64:
            raise ModelFileError(f"golden vector: tensor_sha256 {digest!r} is not 64 hexadecimal digits")
        if not isinstance(outputs, list) or not 0 < len(outputs) <= MAX_OUTPUTS:
            raise ModelFileError(f"golden vector: the outputs are not a list of 1 to {MAX_OUTPUTS}")
        return cls(
            index=picture["index"],
            width=picture["width"],
            height=picture["height"],
            tensor_sha256=digest,
            outputs=tuple(GoldenOutput.from_json(output) for output in outputs),
        )


def _fields(value: object, names: tuple[str, ...], where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise ModelFileError(f"{where}: not an object of {', '.join(names)}")
    return value


def _is_count(value: object, limit: int) -> bool:
    return type(value) is int and 0 <= value <= limit
