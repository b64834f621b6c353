"""The value of the input tensor for each of the 256 pixel values: preprocessing as data, the same bits everywhere.

Computed in float64 in a fixed order of operations. A table, not arithmetic on pixels: a multiply-add that one processor
fuses and another does not can make no difference.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import PreprocessError
from mninfer.preprocessing.spec import PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["input_table", "pixels_as_they_are"]

PIXELS = np.arange(256)
FLOATS = ("float16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "uint16")


@np.errstate(over="ignore")  # an error of ours follows
def input_table(spec: PreprocessSpec, tensor: TensorSpec) -> npt.NDArray[Any]:
    """The table ``[256, 3]`` in the tensor's dtype, channels in the order the model sees them.

    float: (pixel - mean) / std, rounded once to the dtype. Quantized: floor((pixel - mean) / std / scale + 0.5) +
    zero_point, clipped to the dtype. An 8-bit input takes the pixel itself (int8: pixel - 128) where the preprocessing
    is raw, and where the formula is within one step of that for every pixel: half a step is lost where a mean of 127.5
    meets a whole zero point, and which way each pixel falls would be an accident of rounding.
    """
    real = (PIXELS[:, None] - np.array(spec.mean)) / np.array(spec.std)
    if tensor.dtype in FLOATS:
        return _finite(real.astype(tensor.dtype), spec)
    if tensor.dtype not in INTEGERS:
        raise PreprocessError(
            f"the input is {tensor.dtype}, and a picture becomes one of {', '.join(FLOATS + INTEGERS)}",
            where=f'input "{tensor.name}"',
            hints="prepare the array yourself and call Model.run",
        )
    limits = np.iinfo(tensor.dtype)
    as_it_is = np.repeat(PIXELS[:, None] + (-128 if tensor.dtype == "int8" else 0), 3, axis=1)
    is_8_bit = limits.bits == 8
    if spec.is_raw and (is_8_bit or tensor.quantization is None):
        return as_it_is.astype(tensor.dtype)
    steps = _quantize(real, tensor)
    quantized = np.clip(steps, limits.min, limits.max)
    if is_8_bit and int(np.abs(quantized - as_it_is).max()) <= 1:
        return as_it_is.astype(tensor.dtype)
    _refuse_if_clipped(steps, spec, tensor)
    return quantized.astype(tensor.dtype)


def pixels_as_they_are(tensor: TensorSpec) -> PreprocessSpec:
    """The preprocessing under which an 8-bit input's values are the pixels; for other inputs raw."""
    quantization = tensor.quantization
    if tensor.dtype not in ("uint8", "int8") or quantization is None or len(quantization.scales) != 1:
        return PreprocessSpec(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    mean = float(quantization.zero_points[0] + (128 if tensor.dtype == "int8" else 0))
    std = 1.0 / quantization.scales[0]
    return PreprocessSpec(mean=(mean,) * 3, std=(std,) * 3)


def _quantize(real: npt.NDArray[np.float64], tensor: TensorSpec) -> npt.NDArray[np.int64]:
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1:
        found = "no" if quantization is None else f"{len(quantization.scales)}"
        raise PreprocessError(
            f"the input is {tensor.dtype} with {found} quantization scales; it needs one",
            where=f'input "{tensor.name}"',
            hints="--preprocess raw, if the model takes pixels as they are",
        )
    zero_point = quantization.zero_points[0]
    return np.floor(np.clip(real / quantization.scales[0], -1e9, 1e9) + 0.5).astype(np.int64) + zero_point


def _finite(table: npt.NDArray[Any], spec: PreprocessSpec) -> npt.NDArray[Any]:
    if not np.isfinite(table).all():
        raise PreprocessError(f"preprocessing {spec} leaves the range of {table.dtype}")
    return table


def _refuse_if_clipped(steps: npt.NDArray[np.int64], spec: PreprocessSpec, tensor: TensorSpec) -> None:
    """Refuse a preprocessing meant for another model: most pixels would become the input's lowest or highest."""
    limits = np.iinfo(tensor.dtype)
    share = float(np.mean((steps < limits.min) | (steps > limits.max)))
    if share <= 0.5 or tensor.quantization is None:
        return
    scale = tensor.quantization.scales[0]
    zero_point = tensor.quantization.zero_points[0]
    low, high = (limits.min - zero_point) * scale, (limits.max - zero_point) * scale
    raise PreprocessError(
        f"{share:.0%} of the pixel values lie outside what the input holds ({low:.4g} to {high:.4g}) after {spec}",
        where=f'input "{tensor.name}"',
        hints=[
            "--preprocess raw, if the model takes pixels as they are",
            "the mean and std the model was trained with",
        ],
    )
