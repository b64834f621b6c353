"""A decoded model that operators, tensors and constants are added to; what nothing reads is left out at the end."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.model_file import Table, decode_model, encode_model
from mninfer.model_file.flatbuffer import load_schema

__all__ = ["Editing"]

_ONE_BYTE = 127  # operator codes above it stand in the wider field alone (schema.fbs, table OperatorCode)


class Editing:
    """Subgraph 0 of a model, to be changed."""

    def __init__(self, flatbuffer: bytes) -> None:
        self.root = decode_model(flatbuffer)
        self.enums = load_schema("tflite").enums

    @property
    def subgraph(self) -> Table:
        return self.root["subgraphs"][0]  # type: ignore[no-any-return]

    @property
    def tensors(self) -> list[Table]:
        return self.subgraph["tensors"]  # type: ignore[no-any-return]

    @property
    def operators(self) -> list[Table]:
        return self.subgraph["operators"]  # type: ignore[no-any-return]

    def name_of(self, operator: Table) -> str:
        """``CONV_2D``."""
        code = self.root["operator_codes"][operator["opcode_index"]]
        number = max(code["builtin_code"], code.get("deprecated_builtin_code", 0))
        return next(name for name, value in self.enums["BuiltinOperator"].items() if value == number)

    def is_dtype(self, tensor: int, dtype: str) -> bool:
        return bool(self.tensors[tensor]["type"] == self.enums["TensorType"][dtype.upper()])

    def add_tensor(self, table: Table) -> int:
        """An activation; its buffer is the empty one."""
        self.tensors.append({**table, "buffer": 0})
        return len(self.tensors) - 1

    def set_data(self, tensor: int, values: npt.NDArray[Any]) -> None:
        """Constant values, in a buffer of their own: the one so far may be another tensor's as well."""
        self.root["buffers"].append({"data": np.ascontiguousarray(values).tobytes()})
        self.tensors[tensor]["buffer"] = len(self.root["buffers"]) - 1

    def operator(self, name: str, version: int, inputs: Sequence[int], outputs: Sequence[int], **more: Any) -> Table:
        """A new operator's table; the caller puts it in its place."""
        code = self.code(self.code_of(name, version))
        return {"opcode_index": code, "inputs": tuple(inputs), "outputs": tuple(outputs), **more}

    def code_of(self, name: str, version: int) -> Table:
        """The operator code's table."""
        number = self.enums["BuiltinOperator"][name]
        return {"version": version, "builtin_code": number, "deprecated_builtin_code": min(number, _ONE_BYTE)}

    def code(self, code: Table) -> int:
        """The index of an operator code, which is added where it is new."""
        codes = self.root["operator_codes"]
        if code not in codes:
            codes.append(code)
        return codes.index(code)  # type: ignore[no-any-return]

    def encoded(self) -> bytes:
        """The flatbuffer, without the tensors, buffers and operator codes that nothing refers to."""
        self._drop_codes()
        self._drop_tensors()
        self._drop_buffers()
        return encode_model(self.root)

    def _drop_codes(self) -> None:
        codes, place = _kept(self.root["operator_codes"], {op["opcode_index"] for op in self.operators})
        self.root["operator_codes"] = codes
        for operator in self.operators:
            operator["opcode_index"] = place[operator["opcode_index"]]

    def _drop_tensors(self) -> None:
        graph = self.subgraph
        read = {*graph["inputs"], *graph["outputs"]}
        for operator in self.operators:
            read.update(index for index in (*operator["inputs"], *operator["outputs"]) if index >= 0)
        graph["tensors"], place = _kept(self.tensors, read)
        for table in (graph, *self.operators):
            for side in ("inputs", "outputs"):
                table[side] = tuple(place.get(index, index) for index in table[side])
        for signature in self.root.get("signature_defs", []):
            for entry in (*signature.get("inputs", []), *signature.get("outputs", [])):
                entry["tensor_index"] = place[entry["tensor_index"]]

    def _drop_buffers(self) -> None:
        holders = [*self.tensors, *self.root.get("metadata", [])]
        listed = self.root.get("metadata_buffer", ())
        buffers, place = _kept(self.root["buffers"], {0, *listed, *(each["buffer"] for each in holders)})
        self.root["buffers"] = buffers
        if listed:
            self.root["metadata_buffer"] = tuple(place[index] for index in listed)
        for each in holders:
            each["buffer"] = place[each["buffer"]]


def _kept(items: list[Any], read: Collection[int]) -> tuple[list[Any], dict[int, int]]:
    """The items that are read, and each one's new index by its old one."""
    order = [index for index in range(len(items)) if index in read]
    return [items[index] for index in order], {old: new for new, old in enumerate(order)}
