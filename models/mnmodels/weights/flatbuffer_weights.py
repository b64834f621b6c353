"""A float ``.tflite`` -> arrays by the order of its operators, in Keras' layouts. Its constants may be float16."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, ModelFile, Operator, SourceContract, Tensor, read_model
from mnmodels.weights.named_arrays import NamedArrays, SourceKind

__all__ = ["read_flatbuffer_weights"]

_FLOATS = {"float32": "<f4", "float16": "<f2"}


def read_flatbuffer_weights(data: bytes, where: str) -> NamedArrays:
    """Kernels and biases of convolutions and dense layers. Raise ModelFileError, or UnsupportedModelError if rounded.

    A kernel is in Keras' layout: (height, width, in, out), depthwise (height, width, in, multiplier), dense (in, out).
    """
    file = read_model(data, where=where)
    constants = _Constants(file.graph)
    arrays: dict[str, NDArray[Any]] = {}
    for operator in file.graph.operators:
        if operator.name in _LAYOUTS:
            arrays |= _weights(operator, constants)
    if constants.rounded:
        raise UnsupportedModelError(
            f"the model is quantized: {len(constants.rounded)} of its layers have rounded weights",
            offenders=constants.rounded,
            where=where,
            hints="the float .tflite of the same net, or the Keras file that it was made from",
        )
    return NamedArrays(
        kind=SourceKind.TFLITE,
        where=where,
        arrays=arrays,
        contract=_contract(file),
        input_shape=file.graph.tensors[file.graph.inputs[0]].shape[1:] if file.graph.inputs else None,
        flatbuffer=data,
    )


def _contract(file: ModelFile) -> SourceContract | None:
    if file.labels is None and file.preprocess is None:
        return None
    return SourceContract(labels=file.labels, preprocess=file.preprocess)


class _Constants:
    """The graph's constants by tensor; float16 ones also behind the DEQUANTIZE that widens them."""

    def __init__(self, graph: Graph) -> None:
        self.tensors = graph.tensors
        self.widened = {op.outputs[0]: op.inputs[0] for op in graph.operators if op.name == "DEQUANTIZE"}
        self.rounded: list[str] = []

    def read(self, index: int) -> NDArray[Any] | None:
        """The values; None where they are computed, left out, or rounded, which is written down."""
        tensor: Tensor = self.tensors[self.widened.get(index, index)]
        if tensor.data is None:
            return None
        if tensor.dtype not in _FLOATS:
            self.rounded.append(f"{tensor} of {tensor.dtype}")
            return None
        return np.frombuffer(tensor.data, _FLOATS[tensor.dtype]).reshape(tensor.shape)


def _weights(operator: Operator, constants: _Constants) -> dict[str, NDArray[Any]]:
    name = f"operator_{operator.index}"
    kernel = constants.read(operator.inputs[1])
    if kernel is None:
        return {}
    kernel = _LAYOUTS[operator.name](kernel, operator.options)
    has_bias = len(operator.inputs) > 2 and operator.inputs[2] >= 0
    bias = constants.read(operator.inputs[2]) if has_bias else None
    if bias is None:
        channels = kernel.shape[-2] * kernel.shape[-1] if operator.name == "DEPTHWISE_CONV_2D" else kernel.shape[-1]
        bias = np.zeros(channels, np.float32)
    return {f"{name}/kernel": kernel, f"{name}/bias": bias}


def _convolution(kernel: NDArray[Any], options: Mapping[str, Any]) -> NDArray[Any]:
    """From (out, height, width, in)."""
    return kernel.transpose(1, 2, 3, 0)


def _depthwise(kernel: NDArray[Any], options: Mapping[str, Any]) -> NDArray[Any]:
    """From (1, height, width, in * multiplier)."""
    _, height, width, channels = kernel.shape
    multiplier = max(1, int(options.get("depth_multiplier", 1)))
    return kernel.reshape(height, width, channels // multiplier, multiplier)


def _dense(kernel: NDArray[Any], options: Mapping[str, Any]) -> NDArray[Any]:
    """From (out, in)."""
    return kernel.T


_LAYOUTS: Mapping[str, Callable[[NDArray[Any], Mapping[str, Any]], NDArray[Any]]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
}
