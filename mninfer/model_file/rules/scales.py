"""What an operator demands of its operands' quantization: it is there, and kernels can form their multipliers.

Kernels turn ratios of scales into a fixed-point multiplier and kill the process where it is out of range
(``quantization_util.cc``: TFLITE_CHECK in QuantizeMultiplier and its siblings).
"""

from collections.abc import Callable, Mapping
from math import frexp, prod

from mninfer.model_file.graph import Tensor
from mninfer.model_file.rules.site import Site

__all__ = ["check_scales"]

_NUMBERS = frozenset(("int8", "uint8", "int16", "int4"))
MAX_RATIO = 2.0**30


def check_scales(site: Site, kind: str) -> None:
    """Check the quantization of the operator's operands; ``kind`` is the table's word for what the kernel computes."""
    weights = site.inputs[1] if kind == "weighted" and len(site.inputs) > 1 else None
    for tensor in (*site.inputs, *site.outputs):
        if tensor is None or tensor.dtype not in _NUMBERS:
            continue
        if tensor.quantization is None:
            site.fail(f"{tensor} is {tensor.dtype} without scale")
        if tensor.quantization.is_per_channel and tensor is not weights and site.operator.name != "DEQUANTIZE":
            site.fail(f"{tensor} has a scale per channel, which only weights may have")
    if weights is not None and weights.dtype in _NUMBERS:
        _check_weights(site, weights)
    if site.outputs[0].dtype in _NUMBERS:
        _RATIOS[kind](site)


def _check_weights(site: Site, weights: Tensor) -> None:
    quantization = weights.quantization
    name = site.operator.name
    if weights.data is None:
        site.fail(f"{weights} is {weights.dtype} and computed while running; quantized weights must be constant")
    if quantization is not None and quantization.is_per_channel:
        expected = 3 if name == "DEPTHWISE_CONV_2D" else 0
        if quantization.dimension != expected:
            site.fail(f"{weights} has scales along dimension {quantization.dimension}, not {expected}")


def _scale(tensor: Tensor | None) -> float:
    """The largest scale; 1 for an operand that has none."""
    return max(tensor.quantization.scales) if tensor is not None and tensor.quantization else 1.0


def _weighted(site: Site) -> None:
    data = site.inputs[2] if site.operator.name == "TRANSPOSE_CONV" else site.inputs[0]
    _limit(site, _scale(data) * _scale(site.inputs[1]) / _scale(site.outputs[0]), MAX_RATIO)


def _ratio(site: Site) -> None:
    """One scale over the other, or the product of both over it."""
    scales = [_scale(tensor) for tensor in site.inputs if tensor and tensor.dtype in _NUMBERS]
    _limit(site, max(prod(scales), *scales, 0.0) / _scale(site.outputs[0]), MAX_RATIO)


def _sum(site: Site) -> None:
    """Both inputs are brought to twice the larger scale, shifted up by 20 bits, 15 for int16 (add.cc)."""
    limit = 2.0**14 if site.outputs[0].dtype == "int16" else 2.0**19
    _limit(site, max(_scale(site.inputs[0]), _scale(site.inputs[1])) / _scale(site.outputs[0]), limit)
    if _shifts(site) and site.shapes[0] != site.shapes[1]:
        site.fail("its kernel shifts int16 of scales that are powers of two, and can't repeat an operand then")


def _shifts(site: Site) -> bool:
    """Whether ADD takes its older way for int16 (add.cc, pot_scale_int16), which ends the process where it can't."""
    tensors = [tensor for tensor in (*site.inputs, *site.outputs) if tensor is not None]
    is_asked = site.operator.name == "ADD" and bool(site.operator.options.get("pot_scale_int16", True))
    return is_asked and all(tensor.dtype == "int16" and frexp(_scale(tensor))[0] == 0.5 for tensor in tensors)


def _square(site: Site) -> None:
    """The same by 7 bits, squared (squared_difference.cc)."""
    larger = max(_scale(site.inputs[0]), _scale(site.inputs[1]))
    _limit(site, 4 * larger * larger / _scale(site.outputs[0]), 2.0**14)


def _exponential(site: Site) -> None:
    """Scale times beta times 2^26 must exceed 1 (PreprocessSoftmaxScaling)."""
    _limit(site, 1 / (_scale(site.inputs[0]) * site.operator.options.get("beta", 1.0)), 2.0**26)


def _limit(site: Site, ratio: float, limit: float) -> None:
    if not ratio < limit:
        scales = ", ".join(f"{_scale(tensor):g}" for tensor in (*site.inputs, *site.outputs) if tensor)
        site.fail(f"the scales {scales} of its operands do not go together")


_RATIOS: Mapping[str, Callable[[Site], None]] = {
    "weighted": _weighted,
    "ratio": _ratio,
    "sum": _sum,
    "square": _square,
    "exponential": _exponential,
}
