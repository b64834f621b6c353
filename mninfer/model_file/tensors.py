"""Check each tensor by itself: its shape, the size of its constant, its quantization."""

from math import prod

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.dtypes import BITS, QUANTIZED_RANGES, size_bytes
from mninfer.model_file.graph import Graph, Tensor
from mninfer.tensors import Quantization

__all__ = ["MAX_RANK", "check_tensors"]

MAX_TENSOR_BYTES = 1 << 30
MAX_RANK = 8  # the runtime copies shapes and axes into arrays of this size (builtin_op_data.h)
SMALLEST_NORMAL = 2.0**-126  # float32; below it kernels' reciprocals overflow
LARGEST_SCALE = 2.0**100


def check_tensors(graph: Graph) -> None:
    """Check the tensors of the graph. Raise ModelFileError for the first that is wrong."""
    for tensor in graph.tensors:
        _check_shape(tensor)
        if tensor.data is not None:
            _check_constant(tensor, tensor.data)
        if tensor.quantization is not None:
            _check_quantization(tensor, tensor.quantization)


def _check_shape(tensor: Tensor) -> None:
    shape = tensor.shape
    if len(shape) > MAX_RANK:
        raise ModelFileError(f"{tensor}: {len(shape)} dimensions, more than {MAX_RANK}")
    if shape and min(shape) < 0:
        raise ModelFileError(f"{tensor}: shape {list(shape)} has a negative size")
    if tensor.shape_signature is not shape:
        _check_signature(tensor)
    if tensor.dtype not in BITS:
        raise UnsupportedModelError(f"{tensor}: data of type {tensor.dtype}, which image models have no use for")
    if size_bytes(tensor.dtype, prod(shape)) > MAX_TENSOR_BYTES:
        raise ModelFileError(
            f"{tensor}: shape {list(shape)} of {tensor.dtype} takes more than {MAX_TENSOR_BYTES >> 20} MiB"
        )


def _check_signature(tensor: Tensor) -> None:
    signature = tensor.shape_signature
    if len(signature) != len(tensor.shape) or any(
        known not in (-1, size) for known, size in zip(signature, tensor.shape, strict=True)
    ):
        raise ModelFileError(f"{tensor}: shape signature {list(signature)} contradicts shape {list(tensor.shape)}")


def _check_constant(tensor: Tensor, data: memoryview) -> None:
    expected = size_bytes(tensor.dtype, prod(tensor.shape))
    if len(data) != expected:
        raise ModelFileError(
            f"{tensor}: its buffer has {len(data)} bytes, shape {list(tensor.shape)} of {tensor.dtype} needs {expected}"
        )
    if tensor.is_variable:
        raise ModelFileError(f"{tensor}: both constant and variable")


def _check_quantization(tensor: Tensor, quantization: Quantization) -> None:
    scales, zero_points = quantization.scales, quantization.zero_points
    # The sum is NaN if any scale is, and then no comparison holds.
    if not (min(scales) >= SMALLEST_NORMAL and sum(scales) <= LARGEST_SCALE):
        wrong = next((s for s in scales if not SMALLEST_NORMAL <= s <= LARGEST_SCALE), scales[0])
        raise ModelFileError(f"{tensor}: scale {wrong!r} is not a positive, normal number")
    if len(zero_points) != len(scales):
        raise ModelFileError(f"{tensor}: {len(zero_points)} zero points for {len(scales)} scales")
    if (limits := QUANTIZED_RANGES.get(tensor.dtype)) and not limits[0] <= min(zero_points) <= max(
        zero_points
    ) <= limits[1]:
        raise ModelFileError(f"{tensor}: zero points beyond {limits[0]} to {limits[1]}, the range of {tensor.dtype}")
    if len(scales) == 1:
        return
    dimension = quantization.dimension
    if not 0 <= dimension < len(tensor.shape):
        raise ModelFileError(f"{tensor}: quantized along dimension {dimension} of {len(tensor.shape)}")
    if tensor.shape[dimension] != len(scales):
        raise ModelFileError(f"{tensor}: {len(scales)} scales for {tensor.shape[dimension]} channels")
