"""Build a TFLite flatbuffer operator by operator, without TensorFlow: tests, vectors and the demo are made of it.

b = GraphBuilder()
x = b.activation("input", (1, 8, 8, 3))
y = b.activation("output", (1, 8, 8, 3))
b.operator("RELU6", [x], [y])
data = b.build([x], [y])
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.model_file.flatbuffer import Table, encode, load_schema

__all__ = ["GraphBuilder", "quantization"]


def quantization(scale: float | Sequence[float], zero_point: int | Sequence[int] = 0, dimension: int = 0) -> Table:
    """A QuantizationParameters table."""
    scales = np.atleast_1d(np.asarray(scale, np.float32))
    points = np.broadcast_to(np.asarray(zero_point, np.int64), scales.shape)
    return {
        "scale": tuple(float(s) for s in scales),
        "zero_point": tuple(int(z) for z in points),
        "quantized_dimension": dimension,
    }


class GraphBuilder:
    """Collects tensors, buffers and operators; ``root()`` is the Model table, ``build()`` its bytes."""

    def __init__(self, description: str = "made by tests/support/builder.py") -> None:
        self.description = description
        self.enums = load_schema("tflite").enums
        self.unions = load_schema("tflite").unions
        self.tensors: list[Table] = []
        self.buffers: list[Table] = [{}]
        self.operators: list[Table] = []
        self.codes: list[Table] = []

    def activation(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str = "float32",
        quant: Table | None = None,
        signature: Sequence[int] | None = None,
    ) -> int:
        """A tensor that an operator or the caller fills; ``signature`` has -1 where the size is open."""
        tensor: Table = {
            "name": name,
            "shape": tuple(shape),
            "type": self.enums["TensorType"][dtype.upper()],
            "buffer": 0,
        }
        if quant is not None:
            tensor["quantization"] = quant
        if signature is not None:
            tensor["shape_signature"] = tuple(signature)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, values: npt.NDArray[Any], quant: Table | None = None) -> int:
        """A tensor with its values in the file."""
        values = np.ascontiguousarray(values)
        index = self.activation(name, values.shape, values.dtype.name, quant)
        self.buffers.append({"data": values.tobytes()})
        self.tensors[index]["buffer"] = len(self.buffers) - 1
        return index

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        options_type: str | None = None,
        options: Mapping[str, Any] | None = None,
        *,
        version: int = 1,
        custom_options: bytes | None = None,
    ) -> None:
        """Append an operator; a name that is no builtin is a custom one."""
        table: Table = {"opcode_index": self._code(name, version), "inputs": tuple(inputs), "outputs": tuple(outputs)}
        if options_type is not None:
            table["builtin_options_type"] = self.unions["BuiltinOptions"].index(options_type)
            table["builtin_options"] = dict(options or {})
        if custom_options is not None:
            table["custom_options"] = custom_options
        self.operators.append(table)

    def _code(self, name: str, version: int) -> int:
        numbers = self.enums["BuiltinOperator"]
        code: Table = {"version": version, "builtin_code": numbers.get(name, numbers["CUSTOM"])}
        code["deprecated_builtin_code"] = min(code["builtin_code"], 127)
        if name not in numbers:
            code["custom_code"] = name
        if code not in self.codes:
            self.codes.append(code)
        return self.codes.index(code)

    def root(self, inputs: Sequence[int], outputs: Sequence[int]) -> Table:
        """The Model table, for tests that change it before encoding."""
        subgraph = {
            "name": "main",
            "tensors": self.tensors,
            "operators": self.operators,
            "inputs": tuple(inputs),
            "outputs": tuple(outputs),
        }
        return {
            "version": 3,
            "description": self.description,
            "operator_codes": self.codes,
            "subgraphs": [subgraph],
            "buffers": self.buffers,
        }

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The flatbuffer."""
        return encode(self.root(inputs, outputs), load_schema("tflite"))
