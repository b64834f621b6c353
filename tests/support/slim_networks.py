"""MobileNets as other projects compute and name them, in NumPy: what imported weights have to reproduce.

Written from the papers and from those projects' names, with nothing of mnmodels: stem, separable convolutions or
inverted residuals, batch normalization with epsilon 0.001, SAME padding as TensorFlow counts it, softmax.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mnmodels.weights.network import LayerSlots, Network
from support.network import Layer

__all__ = [
    "NAMINGS",
    "Naming",
    "folded_v1",
    "forward_v1",
    "forward_v2",
    "keras_v1",
    "keras_v2",
    "keras_v2_name",
    "random_v1",
    "random_v2",
    "v2_name",
]

Array = NDArray[np.float32]
V2Name = Callable[[str, int, str], str]
V1_FILTERS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
V1_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
V2_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


@dataclass(frozen=True)
class Naming:
    """How a project calls V1's weights: ``name`` of "stem", "dw", "pw" or "logits", the block and the variable."""

    name: Callable[[str, int, str], str]
    has_bias: bool = False
    has_gamma: bool = True
    has_ceiling: bool = True
    flat_logits: bool = False


def _slim(layer: str, block: int, variable: str) -> str:
    kernel = {"kernel": "depthwise_weights" if layer == "dw" else "weights", "bias": "biases"}
    scope = {"stem": "Conv2d_0", "logits": "Logits/Conv2d_1c_1x1"}.get(
        layer, f"Conv2d_{block}_{'depthwise' if layer == 'dw' else 'pointwise'}"
    )
    last = kernel.get(variable, f"BatchNorm/{variable}")
    return f"MobilenetV1/{scope}/{last}"


def _zehaos(layer: str, block: int, variable: str) -> str:
    if layer == "stem":
        norm, conv = "conv_1/batch_norm", "conv_1"
    elif layer == "logits":
        norm, conv = "", "fc_16"
    else:
        norm = f"conv_ds_{block + 1}/{layer}_batch_norm"
        conv = f"conv_ds_{block + 1}/{'depthwise' if layer == 'dw' else 'pointwise'}_conv"
    kernel = "depthwise_weights" if layer == "dw" else "weights"
    last = {"kernel": f"{conv}/{kernel}", "bias": f"{conv}/biases"}.get(variable, f"{norm}/{variable}")
    return f"MobileNet/{last}"


def _mg2033(layer: str, block: int, variable: str) -> str:
    kinds = {"dw": "depthwise", "pw": "pointwise"}
    conv = {"stem": "conv_1", "logits": "fc"}.get(layer) or f"conv_ds_{block + 1}/{kinds[layer]}"
    last = {"kernel": "weights", "bias": "biases"}.get(variable, f"batch_normalization/{variable}")
    return f"mobilenet_encoder/{conv}/{last}:0"


def _keras(layer: str, block: int, variable: str) -> str:
    name = {"stem": "conv1", "logits": "conv_preds"}.get(layer, f"conv_{layer}_{block}")
    if variable in ("kernel", "bias"):
        return f"{name}/{'depthwise_' if (layer, variable) == ('dw', 'kernel') else ''}{variable}"
    return f"{name}_bn/{variable}"


NAMINGS = {
    "slim": Naming(_slim),
    "Zehaos": Naming(_zehaos, has_bias=True, has_gamma=False, has_ceiling=False, flat_logits=True),
    "MG2033": Naming(_mg2033, has_bias=True),
    "Keras": Naming(_keras),
}


def random_v1(naming: Naming, alpha: float = 0.25, classes: int = 11, seed: int = 0) -> dict[str, Array]:
    """All weights of a V1, by the naming's names."""
    make = _Maker(seed, naming.has_bias, naming.has_gamma)
    channels = int(32 * alpha)
    make.block(lambda v: naming.name("stem", 0, v), (3, 3, 3, channels))
    for block, filters in enumerate(V1_FILTERS, 1):
        make.block(lambda v, b=block: naming.name("dw", b, v), (3, 3, channels, 1))
        make.block(lambda v, b=block: naming.name("pw", b, v), (1, 1, channels, int(filters * alpha)))
        channels = int(filters * alpha)
    shape = (channels, classes) if naming.flat_logits else (1, 1, channels, classes)
    make.logits(lambda v: naming.name("logits", 0, v), shape)
    return make.arrays


def forward_v1(arrays: Mapping[str, Array], naming: Naming, x: Array) -> Array:
    """Probabilities of ``x`` (n, height, width, 3)."""

    def block(x: Array, layer: str, number: int, stride: int) -> Array:
        parts = {v: arrays.get(naming.name(layer, number, v)) for v in _VARIABLES}
        return _activated(_layer(x, parts, stride, is_depthwise=layer == "dw"), naming.has_ceiling)

    x = block(x, "stem", 0, 2)
    for number, stride in enumerate(V1_STRIDES, 1):
        x = block(x, "dw", number, stride)
        x = block(x, "pw", number, 1)
    return _classified(x, arrays[naming.name("logits", 0, "kernel")], arrays[naming.name("logits", 0, "bias")])


def v2_name(layer: str, block: int, variable: str) -> str:
    """TF-slim's names: layer is "stem", "expand", "depthwise", "project", "last" or "logits"."""
    kernel = {"kernel": "depthwise_weights" if layer == "depthwise" else "weights", "bias": "biases"}
    scope = {"stem": "Conv", "last": "Conv_1", "logits": "Logits/Conv2d_1c_1x1"}.get(
        layer, f"expanded_conv{f'_{block}' if block else ''}/{layer}"
    )
    return f"MobilenetV2/{scope}/{kernel.get(variable, f'BatchNorm/{variable}')}"


def _v2_blocks() -> list[tuple[int, int, int]]:
    """Expansion, filters and stride of each block."""
    return [(t, c, s if place == 0 else 1) for t, c, n, s in V2_STAGES for place in range(n)]


def _rounded(filters: float) -> int:
    """To a multiple of 8, and not below nine tenths (slim's make_divisible)."""
    result = max(8, int(filters + 4) // 8 * 8)
    return result + 8 if result < 0.9 * filters else result


def random_v2(alpha: float = 0.35, classes: int = 11, seed: int = 0, name: V2Name = v2_name) -> dict[str, Array]:
    """All weights of a V2, by slim's names or others."""
    make = _Maker(seed, has_bias=False, has_gamma=True)
    channels = _rounded(32 * alpha)
    make.block(lambda v: name("stem", 0, v), (3, 3, 3, channels))
    for block, (expansion, filters, _) in enumerate(_v2_blocks()):
        inner, out = channels * expansion, _rounded(filters * alpha)
        if block:
            make.block(lambda v, b=block: name("expand", b, v), (1, 1, channels, inner))
        make.block(lambda v, b=block: name("depthwise", b, v), (3, 3, inner, 1))
        make.block(lambda v, b=block: name("project", b, v), (1, 1, inner, out))
        channels = out
    last = _rounded(1280 * max(alpha, 1))
    make.block(lambda v: name("last", 0, v), (1, 1, channels, last))
    make.logits(lambda v: name("logits", 0, v), (1, 1, last, classes))
    return make.arrays


def keras_v2_name(layer: str, block: int, variable: str) -> str:
    """The same layers by Keras' names."""
    conv = {"stem": "Conv1", "last": "Conv_1", "logits": "predictions"}.get(
        layer, f"{f'block_{block}' if block else 'expanded_conv'}_{layer}"
    )
    norm = {"stem": "bn_Conv1", "last": "Conv_1_bn"}.get(layer, f"{conv}_BN")
    return f"{conv if variable in ('kernel', 'bias') else norm}/{variable}"


def keras_v1(alpha: float = 0.25, classes: int = 11) -> Network:
    """What Keras' V1 wants, without Keras."""
    naming = Naming(lambda *place: NAMINGS["Keras"].name(*place).replace("depthwise_", ""))
    return _network("v1", random_v1(naming, alpha, classes))


def keras_v2(alpha: float = 0.35, classes: int = 11) -> Network:
    """What Keras' V2 wants, without Keras."""
    arrays = random_v2(alpha, classes, name=keras_v2_name)
    return _network("v2", arrays | {"predictions/kernel": arrays["predictions/kernel"][0, 0]})


def _network(name: str, arrays: Mapping[str, Array]) -> Network:
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for target, array in arrays.items():
        layer, variable = target.split("/")
        shapes.setdefault(layer, {})[variable] = array.shape
    names = list(shapes)
    layers = []
    for layer, following in zip(names, [*names[1:], ""], strict=True):
        is_norm = "gamma" in shapes[layer]
        kind = "depthwise" if layer.startswith("conv_dw_") or layer.endswith("depthwise") else "conv"
        kind = "norm" if is_norm else "dense" if layer == "predictions" else kind
        norm = following if not is_norm and "gamma" in shapes.get(following, {}) else None
        order = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
        ordered = {variable: shapes[layer][variable] for variable in order if variable in shapes[layer]}
        layers.append(LayerSlots(name=layer, kind=kind, shapes=ordered, norm=norm, epsilon=0.001 if is_norm else 0.0))
    return Network(name, tuple(layers))


def forward_v2(arrays: Mapping[str, Array], x: Array, name: V2Name = v2_name) -> Array:
    """Probabilities of ``x`` (n, height, width, 3)."""

    def layer(x: Array, layer: str, block: int, stride: int = 1) -> Array:
        parts = {v: arrays.get(name(layer, block, v)) for v in _VARIABLES}
        return _layer(x, parts, stride, is_depthwise=layer == "depthwise")

    x = _activated(layer(x, "stem", 0, 2), True)
    for block, (_, _, stride) in enumerate(_v2_blocks()):
        y = _activated(layer(x, "expand", block), True) if block else x
        y = _activated(layer(y, "depthwise", block, stride), True)
        y = layer(y, "project", block)
        x = x + y if x.shape == y.shape else y
    x = _activated(layer(x, "last", 0), True)
    return _classified(x, arrays[name("logits", 0, "kernel")], arrays[name("logits", 0, "bias")])


_VARIABLES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


class _Maker:
    """Random weights of a scale at which answers differ from picture to picture, and a ceiling of 6 matters."""

    def __init__(self, seed: int, has_bias: bool, has_gamma: bool) -> None:
        self.random = np.random.default_rng(seed)
        self.has_bias, self.has_gamma = has_bias, has_gamma
        self.arrays: dict[str, Array] = {}

    def block(self, name: Callable[[str], str], shape: tuple[int, ...]) -> None:
        channels = shape[2] if shape[3] == 1 and shape[0] == 3 else shape[3]
        fan_in = shape[0] * shape[1] * (1 if shape[3] == 1 and shape[0] == 3 else shape[2])
        self.arrays[name("kernel")] = self._normal(shape, 1.4 * fan_in**-0.5)
        self.arrays[name("beta")] = self._normal((channels,), 0.5)
        self.arrays[name("moving_mean")] = self._normal((channels,), 0.3)
        self.arrays[name("moving_variance")] = self.random.uniform(0.2, 1.5, channels).astype(np.float32)
        if self.has_gamma:
            self.arrays[name("gamma")] = self.random.uniform(0.5, 1.5, channels).astype(np.float32)
        if self.has_bias:
            self.arrays[name("bias")] = self._normal((channels,), 0.3)

    def logits(self, name: Callable[[str], str], shape: tuple[int, ...]) -> None:
        self.arrays[name("kernel")] = self._normal(shape, 2 * shape[-2] ** -0.5)
        self.arrays[name("bias")] = self._normal(shape[-1:], 0.5)

    def _normal(self, shape: tuple[int, ...], scale: float) -> Array:
        return (self.random.normal(size=shape) * scale).astype(np.float32)


def _layer(x: Array, parts: Mapping[str, Array | None], stride: int, *, is_depthwise: bool) -> Array:
    kernel, beta, mean, variance = (parts[v] for v in ("kernel", "beta", "moving_mean", "moving_variance"))
    assert kernel is not None and beta is not None and mean is not None and variance is not None  # noqa: PT018
    x = _convolved(x, kernel, stride, is_depthwise)
    if (bias := parts["bias"]) is not None:
        x = x + bias
    gamma = parts["gamma"]
    scaled = (x - mean) / np.sqrt(variance + 0.001)
    return (scaled if gamma is None else scaled * gamma) + beta


def _convolved(x: Array, kernel: Array, stride: int, is_depthwise: bool) -> Array:
    side = kernel.shape[0]
    pads = [max((-(-size // stride) - 1) * stride + side - size, 0) for size in x.shape[1:3]]
    x = np.pad(x, ((0, 0), *((pad // 2, pad - pad // 2) for pad in pads), (0, 0)))
    windows = sliding_window_view(x, (side, side), axis=(1, 2))[:, ::stride, ::stride]  # n, y, x, channel, row, column
    if is_depthwise:
        return np.einsum("nyxcij,ijc->nyxc", windows, kernel[..., 0])
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel, optimize=True)


def _activated(x: Array, has_ceiling: bool) -> Array:
    return np.clip(x, 0, 6 if has_ceiling else None)


def _classified(x: Array, kernel: Array, bias: Array) -> Array:
    logits = x.mean(axis=(1, 2)) @ kernel.reshape(kernel.shape[-2:]) + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def folded_v1(arrays: Mapping[str, Array], naming: Naming) -> list[Layer]:
    """V1 as a converter leaves it: each normalization folded into its convolution, the classifier a dense layer."""

    def block(layer: str, number: int, stride: int) -> Layer:
        parts = {v: arrays[naming.name(layer, number, v)] for v in _VARIABLES if v != "bias"}
        scale = parts["gamma"] / np.sqrt(parts["moving_variance"] + np.float32(0.001))
        bias = parts["beta"] - parts["moving_mean"] * scale
        if layer == "dw":
            return Layer("depthwise", parts["kernel"][..., 0] * scale, bias, stride)
        return Layer("conv", parts["kernel"] * scale, bias, stride)

    layers = [block("stem", 0, 2)]
    for number, stride in enumerate(V1_STRIDES, 1):
        layers += [block("dw", number, stride), block("pw", number, 1)]
    kernel, bias = (arrays[naming.name("logits", 0, v)] for v in ("kernel", "bias"))
    return [*layers, Layer("dense", kernel.reshape(kernel.shape[-2:]), bias)]
