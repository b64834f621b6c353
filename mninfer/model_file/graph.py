"""A decoded TFLite model as typed data: tensors, operators, metadata buffers of the one subgraph that runs.

``build_graph`` resolves every index (buffers, tensors, operator codes, subgraphs) and refuses one that points nowhere.
It does not judge sizes, quantization or what an operator may do: that is ``check.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.flatbuffer import Table, load_schema
from mninfer.tensors import Quantization, TensorSpec

__all__ = ["Graph", "Operator", "Tensor", "build_graph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """``shape_signature`` has -1 where the size is open; ``data`` is the constant's bytes, None for activations."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    quantization: Quantization | None
    data: memoryview | None = field(repr=False)
    is_variable: bool = False

    def __str__(self) -> str:
        return f'tensor {self.index} "{self.name}"'

    def spec(self, shape: tuple[int, ...] | None = None) -> TensorSpec:
        """What is known of it to the outside, in the ``shape`` that an engine runs, else in the declared one."""
        return TensorSpec(
            name=self.name,
            shape=self.shape if shape is None else shape,
            shape_signature=self.shape_signature,
            dtype=self.dtype,
            quantization=self.quantization,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """``inputs`` may hold -1 for an optional operand that is left out; ``options`` has every default filled in."""

    index: int
    name: str
    is_custom: bool
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: str
    options: Mapping[str, Any]
    custom_options: memoryview

    def __str__(self) -> str:
        return f"operator {self.index} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Subgraph 0, the only one an image model runs. ``metadata`` maps names to their buffers' bytes, views of the file.

    Copies would take memory without bound: many operators or entries may point to the same bytes.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    description: str
    metadata: Mapping[str, memoryview]


def build_graph(root: Table, data: bytes) -> Graph:
    """Type the decoded ``root``; ``data`` is the whole file, for buffers stored outside the flatbuffer's tables."""
    if root["version"] != 3:
        raise ModelFileError(f"TFLite schema version {root['version']} is not 3, the only one in use")
    subgraphs = root.get("subgraphs", [])
    if len(subgraphs) != 1:
        raise UnsupportedModelError(
            f"the model has {len(subgraphs)} subgraphs; image models have one",
            hints="convert the model again without control flow, one signature to a file",
        )
    subgraph = subgraphs[0]
    buffers = [_buffer(index, buffer, data) for index, buffer in enumerate(root.get("buffers", []))]
    tensors = tuple(_tensor(i, tensor, buffers) for i, tensor in enumerate(subgraph.get("tensors", [])))
    operators = tuple(
        _operator(i, operator, root.get("operator_codes", []), len(tensors))
        for i, operator in enumerate(subgraph.get("operators", []))
    )
    return Graph(
        tensors=tensors,
        operators=operators,
        inputs=_indices("the graph's inputs", subgraph.get("inputs", ()), len(tensors)),
        outputs=_indices("the graph's outputs", subgraph.get("outputs", ()), len(tensors)),
        description=root.get("description", ""),
        metadata=_metadata(root, buffers),
    )


@cache
def _names_of(enum: str) -> Mapping[int, str]:
    return {value: name for name, value in load_schema("tflite").enums[enum].items()}


def _buffer(index: int, buffer: Table, data: bytes) -> memoryview | None:
    """The bytes of a buffer, inline or at an offset in the file; None where it is empty."""
    offset, size = buffer["offset"], buffer["size"]
    if offset > 1:  # 0 and 1 mean "inline" and "to be filled in by the writer" (schema.fbs, table Buffer)
        if offset > len(data) or size > len(data) - offset:
            raise ModelFileError(f"buffer {index}: {size} bytes at byte {offset}, the file has {len(data)}")
        return memoryview(data)[offset : offset + size]
    inline: memoryview | None = buffer.get("data")
    return inline if inline is not None and len(inline) else None


def _tensor(index: int, table: Table, buffers: list[memoryview | None]) -> Tensor:
    name = table.get("name", "")
    where = f'tensor {index} "{name}"'
    if table["buffer"] >= len(buffers):
        raise ModelFileError(f"{where}: buffer {table['buffer']} of {len(buffers)}")
    if table.get("external_buffer"):
        raise UnsupportedModelError(f"{where}: its data is in another file", hints="convert the model into one file")
    dtypes = _names_of("TensorType")
    if table["type"] not in dtypes:
        raise ModelFileError(f"{where}: data type {table['type']} does not exist")
    shape = table.get("shape", ())
    return Tensor(
        index=index,
        name=name,
        dtype=dtypes[table["type"]].lower(),
        shape=shape,
        shape_signature=table.get("shape_signature") or shape,
        quantization=_quantization(table.get("quantization"), where),
        data=buffers[table["buffer"]],
        is_variable=table["is_variable"],
    )


def _quantization(table: Table | None, where: str) -> Quantization | None:
    if table is None:
        return None
    if table["details_type"]:
        raise UnsupportedModelError(f"{where}: quantization other than per tensor or per channel")
    if not table.get("scale"):
        return None
    return Quantization(table["scale"], table.get("zero_point", ()), table["quantized_dimension"])


def _operator(index: int, table: Table, codes: list[Table], num_tensors: int) -> Operator:
    if table["opcode_index"] >= len(codes):
        raise ModelFileError(f"operator {index}: code {table['opcode_index']} of {len(codes)}")
    code = codes[table["opcode_index"]]
    # Files of before 2020 have the code in one byte; new ones have both, and 127 in the byte for codes beyond it.
    number = max(code["builtin_code"], code["deprecated_builtin_code"])
    names = _names_of("BuiltinOperator")
    if number not in names:
        raise ModelFileError(f"operator {index}: builtin operator {number} does not exist")
    is_custom = names[number] == "CUSTOM"
    unions = load_schema("tflite").unions["BuiltinOptions"]
    which = table["builtin_options_type"]
    name = code.get("custom_code", "") if is_custom else names[number]
    return Operator(
        index=index,
        name=name,
        is_custom=is_custom,
        version=code["version"],
        inputs=_indices(f"operator {index} {name}", table.get("inputs", ()), num_tensors, allow_missing=True),
        outputs=_indices(f"operator {index} {name}", table.get("outputs", ()), num_tensors),
        options_type=unions[which] if which < len(unions) else f"BuiltinOptions {which}",
        options=table.get("builtin_options", {}),
        custom_options=memoryview(table.get("custom_options", b"")),
    )


def _indices(where: str, indices: tuple[int, ...], num_tensors: int, *, allow_missing: bool = False) -> tuple[int, ...]:
    lowest = -1 if allow_missing else 0
    for index in indices:
        if not lowest <= index < num_tensors:
            raise ModelFileError(f"{where}: tensor {index} of {num_tensors}")
    return indices


def _metadata(root: Table, buffers: list[memoryview | None]) -> Mapping[str, memoryview]:
    result = {}
    for i, entry in enumerate(root.get("metadata", [])):
        if entry["buffer"] >= len(buffers):
            raise ModelFileError(f"metadata {i}: buffer {entry['buffer']} of {len(buffers)}")
        result[entry.get("name", "")] = buffers[entry["buffer"]] or memoryview(b"")
    return result
