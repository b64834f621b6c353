"""One small rule per TFLite operator: what is believed of its inputs -> what is believed of its outputs.

A rule sees the operator before its fused activation. Padding at a picture's border is not counted.
"""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from types import MappingProxyType

import numpy as np

from mnconvert.quantize.arranging import ARRANGING
from mnconvert.quantize.plan import Array
from mnconvert.quantize.site import Site
from mnconvert.quantize.state import State

__all__ = ["ACTIVATIONS", "RULES", "Site"]

_DIRECTIONS = 10  # two-class heads on a CIFAR-10 network: with 1, steps of 1.2 beside logits of a deviation of 3.4

Function = Callable[[Array], Array]
Rule = Callable[[Site], Iterator[State]]


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def _gelu(x: Array) -> Array:
    """The form by tanh (Hendrycks and Gimpel 2016, section 2), within 0.0005 of the exact one."""
    return np.asarray(x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


_FUNCTIONS: Mapping[str, Function] = {
    "ABS": np.abs,
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "EXP": lambda x: np.exp(np.minimum(x, 60)),
    "GELU": _gelu,
    "HARD_SWISH": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "LOGISTIC": _sigmoid,
    "NEG": np.negative,
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
    "RELU_0_TO_1": lambda x: np.clip(x, 0, 1),
    "RELU_N1_TO_1": lambda x: np.clip(x, -1, 1),
    "SQRT": lambda x: np.sqrt(np.maximum(x, 0)),
    "SQUARE": np.square,
    "TANH": np.tanh,
}
# ActivationFunctionType of schema.fbs
ACTIVATIONS: tuple[Function, ...] = (
    lambda x: x, _FUNCTIONS["RELU"], _FUNCTIONS["RELU_N1_TO_1"], _FUNCTIONS["RELU6"], np.tanh, np.sign
)  # fmt: skip


def _elementwise(function: Function) -> Rule:
    def rule(site: Site) -> Iterator[State]:
        yield site.state(0).through(function)

    return rule


def _leaky_relu(site: Site) -> Iterator[State]:
    alpha = float(site.option("alpha", 0.0))
    yield site.state(0).through(lambda x: np.where(x > 0, x, alpha * x))


def _prelu(site: Site) -> Iterator[State]:
    alpha = site.constant(1)[..., None]
    yield site.state(0).through(lambda x: np.where(x > 0, x, alpha * x))


def _two(apply: Callable[[Array, Array], Array], moments: Callable[[State, State], State]) -> Rule:
    """Of a tensor and a constant, or two functions of one tensor: exact. Of two tensors: as if independent."""

    def rule(site: Site) -> Iterator[State]:
        if site.is_constant(1):
            other = site.constant(1)
            yield site.state(0).through(lambda x: apply(x, _spread(other, x)))
        elif site.is_constant(0):
            other = site.constant(0)
            yield site.state(1).through(lambda x: apply(_spread(other, x), x))
        else:
            first, second = site.state(0), site.state(1)
            if first.root == second.root:
                yield State(apply(first.values, second.values), first.root)
            else:
                yield moments(first, second)

    return rule


def _spread(constant: Array, values: Array) -> Array:
    """A constant beside values with their points; one that differs from place to place counts by its mean."""
    rank = values.ndim - 1
    full = constant.reshape((1,) * (rank - constant.ndim) + constant.shape)
    axes = tuple(axis for axis in range(rank - 1) if full.shape[axis] > values.shape[axis] == 1)
    return np.asarray(full.mean(axes, keepdims=True)[..., None])


def _sum_of(sign: int) -> Callable[[State, State], State]:
    def moments(first: State, second: State) -> State:
        low, high = (second.low, second.high) if sign > 0 else (-second.high, -second.low)
        std = np.hypot(first.std, second.std)
        return State.gaussian(first.mean + sign * second.mean, std, first.low + low, first.high + high)

    return moments


def _product(first: State, second: State) -> State:
    mean = first.mean * second.mean
    square = (first.mean**2 + first.std**2) * (second.mean**2 + second.std**2)
    corners = [a * b for a in (first.low, first.high) for b in (second.low, second.high)]
    std = np.sqrt(np.maximum(square - mean**2, 0))
    return State.gaussian(mean, std, np.minimum.reduce(corners), np.maximum.reduce(corners))


def _extreme(apply: Callable[[Array, Array], Array]) -> Callable[[State, State], State]:
    def moments(first: State, second: State) -> State:
        """Of two independent ones the larger moments, within the exact bounds."""
        return State.gaussian(
            apply(first.mean, second.mean), np.maximum(first.std, second.std),
            apply(first.low, second.low), apply(first.high, second.high),
        )  # fmt: skip

    return moments


def _by_channel(site: Site, place: int, num_channels: int) -> tuple[Array, Array]:
    """Mean and deviation of each of an input's channels, over its places where these are told apart.

    They are behind a Dense whose output is made a picture again; where all channels are alike, they have one number.
    """
    mean, std = site.state(place).mean, site.state(place).usual_std
    if mean.size not in (1, num_channels):
        places = tuple(range(mean.ndim - 1))
        mean, std = mean.mean(places), np.sqrt((std**2).mean(places) + mean.var(places))
    return np.broadcast_to(mean.ravel(), num_channels), np.broadcast_to(std.ravel(), num_channels)


def _convolution(site: Site) -> Iterator[State]:
    """Filters are [out, height, width, in of the group]."""
    weights = site.constant(1)
    num_out, num_in = weights.shape[0], weights.shape[3]
    mean, std = _by_channel(site, 0, site.input_shape[-1])
    groups = mean.size // num_in
    grouped = weights.reshape(groups, num_out // groups, -1, num_in)
    yield _linear(site, grouped, mean.reshape(groups, 1, 1, num_in), std.reshape(groups, 1, 1, num_in))


def _depthwise(site: Site) -> Iterator[State]:
    """Filters are [1, height, width, out]; each input channel has ``out / in`` of them."""
    weights = site.constant(1)
    mean, std = _by_channel(site, 0, site.input_shape[-1])
    num_out = weights.shape[3]
    grouped = weights.reshape(-1, num_out).T[:, None, :, None]
    each = [np.repeat(moment, num_out // mean.size).reshape(-1, 1, 1, 1) for moment in (mean, std)]
    yield _linear(site, grouped, *each)


def _fully_connected(site: Site) -> Iterator[State]:
    weights = site.constant(1)
    size = weights.shape[1]
    mean, std = _by_channel(site, 0, size)
    yield _linear(site, weights[None, :, None, :], mean.reshape(1, 1, 1, size), std.reshape(1, 1, 1, size))


def _transposed(site: Site) -> Iterator[State]:
    """The filter's places fall on different outputs, as many on each as the strides leave."""
    weights = site.constant(1)
    mean, std = _by_channel(site, 2, weights.shape[3])
    share = max(1, prod(weights.shape[1:3]) // max(1, site.option("stride_h", 1) * site.option("stride_w", 1)))
    grouped = weights.reshape(1, weights.shape[0], -1, weights.shape[3])
    shape = (1, 1, 1, mean.size)
    yield _linear(site, grouped * share / grouped.shape[2], mean.reshape(shape), std.reshape(shape), bias=3)


def _linear(site: Site, weights: Array, mean: Array, std: Array, *, bias: int = 2) -> State:
    """[groups, out, places, in] of weights on means and deviations per channel; neighbours may be alike or not."""
    expected = (weights * mean).sum((2, 3)).ravel()
    alike = ((weights.sum(2, keepdims=True) * std) ** 2).sum((2, 3))
    apart = ((weights * std) ** 2).sum((2, 3))
    if site.is_given(bias):
        expected = expected + site.constant(bias)
    variance = np.maximum.reduce([alike, apart, _along_weights(weights.sum(2), std[:, 0, 0])])
    shape = (1,) * (len(site.output_shape) - 1) + (expected.size,)
    return State.gaussian(expected.reshape(shape), np.sqrt(variance).reshape(shape))


def _along_weights(weights: Array, std: Array) -> Array:
    """The variance of each output where the inputs vary along the weights alone: [groups, out, in] and [groups, in].

    A trained layer's inputs have learned to vary in the directions that it looks at (of classifiers: Papyan et al.
    2020, "Prevalence of neural collapse"). Of 256 features for 10 classes that is 25 times the variance of independent
    ones. A head for fewer classes reads features learned for more: they vary in ``_DIRECTIONS`` at the least.
    Inputs count in units of their deviations, so that channels of other scales make no difference.
    """
    num_out, num_in = weights.shape[1:]
    share = min(1.0, num_out / min(_DIRECTIONS, num_in))
    scaled = weights * std[:, None]
    total = np.maximum((scaled**2).sum((1, 2)), 1e-30)
    products = scaled @ scaled.transpose(0, 2, 1)
    return np.asarray((products**2).sum(2) * (share * num_in / total)[:, None])


def _pooled(site: Site) -> Iterator[State]:
    yield site.state(0).pooled()


def _softmax(site: Site) -> Iterator[State]:
    num_classes = site.output_shape[-1]
    shape = (1,) * len(site.output_shape)
    yield State.gaussian(np.full(shape, 1 / num_classes), np.full(shape, 1 / num_classes), 0.0, 1.0)


def _unit_length(site: Site) -> Iterator[State]:
    size = site.output_shape[-1]
    shape = (1,) * (len(site.output_shape) - 1) + (size,)
    yield State.gaussian(np.zeros(shape), np.full(shape, size**-0.5), -1.0, 1.0)


RULES: Mapping[str, Rule] = MappingProxyType(
    {name: _elementwise(function) for name, function in _FUNCTIONS.items()}
    | {
        "ADD": _two(np.add, _sum_of(+1)),
        "AVERAGE_POOL_2D": _pooled,
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise,
        "DIV": _two(lambda x, y: x / np.where(np.abs(y) < 1e-6, 1e-6, y), _product),
        "FULLY_CONNECTED": _fully_connected,
        "L2_NORMALIZATION": _unit_length,
        "LEAKY_RELU": _leaky_relu,
        "MAXIMUM": _two(np.maximum, _extreme(np.maximum)),
        "MAX_POOL_2D": _pooled,
        "MINIMUM": _two(np.minimum, _extreme(np.minimum)),
        "MUL": _two(np.multiply, _product),
        "PRELU": _prelu,
        "RESIZE_BILINEAR": _pooled,
        "RESIZE_NEAREST_NEIGHBOR": _pooled,
        "SOFTMAX": _softmax,
        "SUB": _two(np.subtract, _sum_of(-1)),
        "TRANSPOSE_CONV": _transposed,
    }
    | dict(ARRANGING)
)
