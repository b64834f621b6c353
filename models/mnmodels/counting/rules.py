"""How many multiply-adds a call of a Keras layer makes: one rule to a kind of layer, in one table.

A layer that has weights, or multiplies tensors with each other, and has no rule here has no count: it is named, never
taken for 0. A user's own class is not taken for the Keras layer of its name.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

__all__ = ["condensed_parameters", "count_call", "is_countable", "kind_of"]

Shape = tuple[int, ...]


def kind_of(operation: Any) -> str:
    """What a layer is, in a word: the name of its class."""
    return type(operation).__name__


def is_countable(operation: Any) -> bool:
    """Whether the multiply-adds of a layer are known, be it that it makes none."""
    if _is_known(operation) and kind_of(operation) in (_RULES.keys() | _WEIGHTS_WITHOUT_PRODUCTS):
        return True
    return not getattr(operation, "weights", ()) and kind_of(operation) not in _PRODUCTS_WITHOUT_RULE


def count_call(operation: Any, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """Multiply-adds of one call, shapes with their batch of 1; 0 too for what is not countable."""
    rule = _RULES.get(kind_of(operation)) if _is_known(operation) else None
    return rule(operation, inputs, outputs) if rule else 0


def condensed_parameters(operation: Any) -> int | None:
    """What a learned group convolution has left once it is condensed and regrouped; None for any other layer.

    A group convolution of gathered channels: every filter sees ``num_kept`` inputs, at as many places as before.
    """
    if not _is_known(operation) or kind_of(operation) != "LearnedGroupConv2D":
        return None
    return int(operation.num_kept(operation.condense_factor - 1) * operation.filters)


def _is_known(operation: Any) -> bool:
    return type(operation).__module__.partition(".")[0] in {"keras", "mnmodels"}


def _positions(layer: Any, shape: Shape) -> int:
    """The places of a picture that a filter is laid on: its pixels."""
    return prod(shape[2:] if getattr(layer, "data_format", None) == "channels_first" else shape[1:-1])


def _size(weights: Any) -> int:
    return prod(weights.shape)


def _convolution(layer: Any, _inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """Every weight is used once at every place of the output; a group's filters are as deep as their group."""
    return _size(layer.kernel) * _positions(layer, outputs[0])


def _transposed(layer: Any, inputs: Sequence[Shape], _outputs: Sequence[Shape]) -> int:
    """Every pixel of the input is spread by every weight once."""
    return _size(layer.kernel) * _positions(layer, inputs[0])


def _separable(layer: Any, _inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """The depthwise step strides, so that the pointwise one runs on the output's places too."""
    return (_size(layer.depthwise_kernel) + _size(layer.pointwise_kernel)) * _positions(layer, outputs[0])


def _dense(layer: Any, _inputs: Sequence[Shape], outputs: Sequence[Shape]) -> int:
    """One product of a matrix with a vector; one to each place where there are several."""
    return _size(layer.kernel) * prod(outputs[0][1:-1])


_RULES: Mapping[str, Callable[[Any, Sequence[Shape], Sequence[Shape]], int]] = {
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv1DTranspose": _transposed,
    "Conv2DTranspose": _transposed,
    "Conv3DTranspose": _transposed,
    "Dense": _dense,
    "DepthwiseConv1D": _convolution,
    "DepthwiseConv2D": _convolution,
    "LearnedGroupConv2D": _convolution,  # while it trains; condensed_parameters says what remains
    "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
}

_WEIGHTS_WITHOUT_PRODUCTS = frozenset(
    (
        "BatchNormalization",
        "Embedding",
        "GroupNormalization",
        "LayerNormalization",
        "Normalization",
        "PReLU",
        "RMSNormalization",
        "UnitNormalization",
    )
)

# Layers and operations without weights of their own that multiply matrices: nothing of the zoo has them.
_PRODUCTS_WITHOUT_RULE = frozenset(
    (
        "AdditiveAttention",
        "Attention",
        "Conv",
        "ConvTranspose",
        "Correlate",
        "DepthwiseConv",
        "Dot",
        "DotProductAttention",
        "Einsum",
        "Inner",
        "Matmul",
        "SeparableConv",
        "Tensordot",
        "Vdot",
    )
)
