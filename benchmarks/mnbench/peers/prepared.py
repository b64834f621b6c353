"""What a peer's process has to know of its file: where it is from, and what its ends were in the flatbuffer.

Lies beside the file as ``FILE.json``, so that the peer's environment need not read flatbuffers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnbench.fields import Fields
from mninfer.errors import InputError
from mninfer.tensors import Quantization, TensorSpec

__all__ = ["PreparedFile", "record_path", "tensor_from_json", "tensor_to_json"]

_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFile:
    """A peer's file. ``made_by`` are the packages that made it, with versions; ``source`` the flatbuffer's SHA-256.

    ``mean`` and ``std`` are those of the pixels, where the flatbuffer tells them: for a peer that takes pictures alone.
    """

    peer: str
    variant: str
    source: str
    made_by: Mapping[str, str]
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": _SCHEMA,
            "peer": self.peer,
            "variant": self.variant,
            "source": self.source,
            "made_by": dict(self.made_by),
            "input": tensor_to_json(self.input),
            "outputs": [tensor_to_json(output) for output in self.outputs],
            "mean": list(self.mean),
            "std": list(self.std),
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> "PreparedFile":
        """Raise InputError naming what is wrong."""
        fields = Fields(value, where)
        if fields.count("schema") != _SCHEMA:
            raise fields.wrong("schema", str(_SCHEMA))
        made_by = Fields(fields.mapping("made_by"), f"{where}: made_by")
        return cls(
            peer=fields.text("peer"),
            variant=fields.text("variant"),
            source=fields.text("source"),
            made_by={package: made_by.text(package) for package in fields.mapping("made_by")},
            input=tensor_from_json(fields.raw("input"), f"{where}: input"),
            outputs=tuple(tensor_from_json(each, f"{where}: outputs") for each in fields.list("outputs")),
            mean=_numbers(fields, "mean"),
            std=_numbers(fields, "std"),
        )


def record_path(file: Path) -> Path:
    """Where the record of a peer's file lies."""
    return file.with_name(f"{file.name}.json")


def tensor_to_json(tensor: TensorSpec) -> dict[str, Any]:
    """A tensor as JSON; of a quantization its one scale and zero point."""
    quantization = tensor.quantization
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": None if quantization is None else quantization.scales[0],
        "zero_point": None if quantization is None else quantization.zero_points[0],
    }


def tensor_from_json(value: object, where: str) -> TensorSpec:
    """The tensor again."""
    fields = Fields(value, where)
    scale = fields.optional("scale", fields.number)
    shape = fields.counts("shape")
    return TensorSpec(
        name=fields.text("name"),
        shape=shape,
        shape_signature=shape,
        dtype=fields.text("dtype"),
        quantization=None if scale is None else Quantization((scale,), (_whole(fields, "zero_point"),)),
    )


def _whole(fields: Fields, name: str) -> int:
    """A zero point: it may be below 0."""
    value = fields.raw(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise fields.wrong(name, "a whole number")
    return value


def _numbers(fields: Fields, name: str) -> tuple[float, ...]:
    values = fields.list(name)
    if not all(isinstance(value, int | float) for value in values):
        raise InputError(f'{fields.where}: "{name}" is not a list of numbers')
    return tuple(float(value) for value in values)
