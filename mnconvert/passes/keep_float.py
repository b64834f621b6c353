"""Operators of an int8 file that compute in float after all: DEQUANTIZE before them, QUANTIZE after them.

Weights, options and operator versions are those of the float file; neighbours that both stay float are joined directly.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.passes.editing import Editing
from mnconvert.quantize.align import Alignment, align
from mnconvert.quantize.constants import Constants
from mnconvert.quantize.filters import filter_of
from mninfer.model_file import Graph, Operator, Table, check_model, decode_model

__all__ = ["keep_float", "kept_tensors"]

_DEQUANTIZE_VERSIONS = {"uint8": 1, "int8": 2}
_QUANTIZE_VERSION = 1
_RESCALING = ("QUANTIZE", "DEQUANTIZE")


def keep_float(
    quantized: bytes,
    original: bytes,
    kept: Collection[int],
    *,
    offsets: Mapping[int, float] = MappingProxyType({}),
) -> bytes:
    """The int8 file with these operators in float; ``kept`` are their indices in ``original``, the float file.

    ``offsets`` say of tensors of ``original`` how far their real values lie above what their integers stand for: a
    bias makes up for it, as it does in int8.

    Raises:
        UnsupportedModelError: the files are not of one network, operator by operator.
    """
    graph, floats = check_model(quantized), check_model(original)
    alignment = align(graph, floats)
    ours = {mine for mine, theirs in alignment.operators.items() if theirs in kept}
    ours = {mine for mine in ours if graph.tensors[graph.operators[mine].outputs[0]].dtype != "float32"}
    if not ours:
        return quantized
    source = _Original(floats, decode_model(original), Constants(floats), offsets)
    rewriting = _Rewriting(graph, alignment, source, ours, Editing(quantized))
    rewriting.rewrite()
    return rewriting.editing.encoded()


def kept_tensors(quantized: bytes, original: bytes, kept: Collection[int]) -> tuple[str, ...]:
    """What the outputs of the kept operators are called in the file that ``keep_float`` has made."""
    graph = check_model(quantized)
    pairs = align(graph, check_model(original)).operators.items()
    return tuple(graph.tensors[graph.operators[ours].outputs[0]].name for ours, theirs in pairs if theirs in kept)


@dataclass(frozen=True, slots=True)
class _Original:
    """The float file: as a graph, as tables, its constants, and the offsets of its tensors."""

    graph: Graph
    root: Table
    constants: Constants
    offsets: Mapping[int, float]

    def table(self, operator: int) -> Table:
        return self.root["subgraphs"][0]["operators"][operator]  # type: ignore[no-any-return]

    def tensor(self, index: int) -> Table:
        return self.root["subgraphs"][0]["tensors"][index]  # type: ignore[no-any-return]

    def code(self, operator: int) -> Table:
        return self.root["operator_codes"][self.table(operator)["opcode_index"]]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Rewriting:
    """``floats``: index of an integer tensor -> that of the float tensor of the same values, where there is one."""

    graph: Graph
    alignment: Alignment
    original: _Original
    kept: Collection[int]
    editing: Editing
    floats: dict[int, int] = field(default_factory=dict)
    constants: dict[int, int] = field(default_factory=dict)
    new: list[Table] = field(default_factory=list)

    def rewrite(self) -> None:
        tables = self.editing.operators
        for operator, table in zip(self.graph.operators, tables, strict=True):
            if operator.index in self.kept:
                self.in_float(operator)
            elif operator.name in _RESCALING:
                self.rescaled(operator, table)
            else:
                self.new.append(table)
        self.editing.subgraph["operators"] = self.without_idle()

    def in_float(self, operator: Operator) -> None:
        theirs = self.original.graph.operators[self.alignment.operators[operator.index]]
        inputs = [self.input(theirs, operator, place) for place in range(len(theirs.inputs))]
        self.shift_bias(theirs, inputs)
        outputs = [self.float_output(index) if self.is_scaled(index) else index for index in operator.outputs]
        copied = {**self.original.table(theirs.index), "inputs": tuple(inputs), "outputs": tuple(outputs)}
        self.new.append({**copied, "opcode_index": self.editing.code(self.original.code(theirs.index))})
        for output, index in zip(outputs, operator.outputs, strict=True):
            if output == index:
                continue
            self.floats[index] = output
            if self.is_read_as_integers(index):
                self.rename(index, output)
                self.new.append(self.editing.operator("QUANTIZE", _QUANTIZE_VERSION, [output], [index]))

    def input(self, theirs: Operator, operator: Operator, place: int) -> int:
        index = theirs.inputs[place]
        if index < 0:
            return index
        is_constant = self.original.graph.tensors[index].data is not None
        return self.constant(index) if is_constant else self.float_of(operator.inputs[place])

    def constant(self, index: int) -> int:
        """The float file's constant."""
        if index not in self.constants:
            self.constants[index] = self.new_constant(index, self.original.constants[index])
        return self.constants[index]

    def new_constant(self, index: int, values: npt.NDArray[Any]) -> int:
        added = self.editing.add_tensor(self.original.tensor(index))
        self.editing.set_data(added, values)
        return added

    def float_of(self, index: int) -> int:
        """A float tensor of the values of an activation."""
        if self.graph.tensors[index].dtype == "float32":
            return index
        if index not in self.floats:
            before = self.producer(index)
            if before is not None and before.name == "QUANTIZE":
                self.floats[index] = self.float_of(before.inputs[0])
            else:
                self.floats[index] = self.float_tensor(index)
                self.editing.tensors[self.floats[index]]["name"] += "/dequantized"
                version = _DEQUANTIZE_VERSIONS[self.graph.tensors[index].dtype]
                operator = self.editing.operator("DEQUANTIZE", version, [index], [self.floats[index]])
                self.new.append(operator)
        return self.floats[index]

    def float_output(self, index: int) -> int:
        """Where a kept operator writes: what the file has as its float form already, as at its end, else anew."""
        for reader in self.readers(index):
            if reader.name == "DEQUANTIZE":
                return reader.outputs[0]
        return self.float_tensor(index)

    def is_scaled(self, index: int) -> bool:
        """Whether its integers stand for other numbers; those of an ARG_MAX are what they are."""
        return self.original.graph.tensors[self.alignment.tensors[index]].dtype == "float32"

    def float_tensor(self, index: int) -> int:
        table = self.original.tensor(self.alignment.tensors[index])
        return self.editing.add_tensor({**self.editing.tensors[index], "type": table["type"], "quantization": None,
                                        "name": table.get("name", "")})  # fmt: skip

    def rename(self, index: int, output: int) -> None:
        """Two tensors of one name are none: the file's own output keeps it, else the float one."""
        changed, end = (output, "/float") if index in self.graph.outputs else (index, "/quantized")
        self.editing.tensors[changed]["name"] += end

    def rescaled(self, operator: Operator, table: Table) -> None:
        """A QUANTIZE or DEQUANTIZE of the file behind an operator that is float now."""
        before, after = operator.inputs[0], operator.outputs[0]
        if before not in self.floats:
            self.new.append(table)
        elif operator.name == "QUANTIZE":
            self.floats[after] = self.floats[before]
            self.new.append(self.editing.operator("QUANTIZE", _QUANTIZE_VERSION, [self.floats[before]], [after]))
        elif self.floats[before] != after:  # else the operator writes there itself
            self.new.append(table)

    def is_read_as_integers(self, index: int) -> bool:
        readers = self.readers(index)
        is_worked_on = any(r.name not in _RESCALING and r.index not in self.kept for r in readers)
        num_dequantized = sum(r.name == "DEQUANTIZE" for r in readers)
        return is_worked_on or num_dequantized > 1 or index in self.graph.outputs

    def shift_bias(self, theirs: Operator, inputs: list[int]) -> None:
        """What the integers before it leave out of the real values, times the weights."""
        filter_ = filter_of(theirs)
        if filter_ is None:
            return
        source, is_biased = theirs.inputs[filter_.source], len(inputs) > filter_.bias and inputs[filter_.bias] >= 0
        offset = self.original.offsets.get(source, 0.0)
        if not offset or not is_biased or inputs[filter_.source] in self.graph.inputs:
            return
        weights = filter_.flat(self.original.constants.floats(theirs.inputs[filter_.weights]))
        bias = self.original.constants.floats(theirs.inputs[filter_.bias]) + offset * weights.sum((1, 2))
        inputs[filter_.bias] = self.new_constant(theirs.inputs[filter_.bias], bias.astype(np.float32))

    def producer(self, index: int) -> Operator | None:
        return next((operator for operator in self.graph.operators if index in operator.outputs), None)

    def readers(self, index: int) -> list[Operator]:
        return [operator for operator in self.graph.operators if index in operator.inputs]

    def without_idle(self) -> list[Table]:
        """Without a QUANTIZE or DEQUANTIZE that nothing reads any more."""
        kept: list[Table] = []
        read = set(self.editing.subgraph["outputs"])
        for table in reversed(self.new):
            if self.editing.name_of(table) not in _RESCALING or read.intersection(table["outputs"]):
                read.update(table["inputs"])
                kept.append(table)
        return kept[::-1]
