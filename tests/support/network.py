"""A small MobileNet-like classifier in numpy: run it, train it, write it as a float or int8 flatbuffer.

Layers are convolutions with bias and ReLU6, depthwise ones too, then global average pooling, a dense layer, softmax.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from support.builder import GraphBuilder, quantization

__all__ = [
    "Layer",
    "float_model",
    "forward",
    "initial_network",
    "int8_model",
    "load_network",
    "normalize",
    "save_network",
    "train",
]

Floats = npt.NDArray[np.float32]
MEAN = STD = 127.5


@dataclass(frozen=True, slots=True)
class Layer:
    """``kind`` conv: weights [k, k, in, out]; depthwise: [k, k, channels]; dense: [in, out]."""

    kind: str
    weights: Floats
    bias: Floats
    stride: int = 1


def normalize(pictures: npt.NDArray[np.uint8]) -> Floats:
    return ((pictures.astype(np.float32) - MEAN) / STD).astype(np.float32)


def initial_network(channels: Sequence[tuple[int, int]], num_classes: int, *, seed: int) -> list[Layer]:
    """A stem and depthwise-separable blocks; ``channels`` holds (width, stride) of each, the stem first."""
    rng = np.random.default_rng(seed)

    def weights(*shape: int, fan_in: int) -> Floats:
        return (rng.normal(size=shape) * np.sqrt(2 / fan_in)).astype(np.float32)

    (width, stride), *blocks = channels
    layers = [Layer("conv", weights(3, 3, 3, width, fan_in=27), np.zeros(width, np.float32), stride)]
    for after, stride in blocks:
        layers.append(Layer("depthwise", weights(3, 3, width, fan_in=9), np.full(width, 0.1, np.float32), stride))
        layers.append(Layer("conv", weights(1, 1, width, after, fan_in=width), np.full(after, 0.1, np.float32)))
        width = after
    return [*layers, Layer("dense", weights(width, num_classes, fan_in=2 * width), np.zeros(num_classes, np.float32))]


def padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TFLite's SAME: (before, after), the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _windows(x: Floats, kernel: int, stride: int) -> tuple[list[tuple[int, int, Floats]], Floats]:
    """(row, column, strided view) for each tap of the kernel, over x padded SAME."""
    rows, columns = (padding(side, kernel, stride) for side in x.shape[1:3])
    padded = np.pad(x, ((0, 0), rows, columns, (0, 0)))
    height, width = (-(-side // stride) for side in x.shape[1:3])
    return [
        (i, j, padded[:, i : i + (height - 1) * stride + 1 : stride, j : j + (width - 1) * stride + 1 : stride])
        for i in range(kernel)
        for j in range(kernel)
    ], padded


def _apply(layer: Layer, x: Floats) -> Floats:
    if layer.kind == "dense":
        return x @ layer.weights + layer.bias
    views, _ = _windows(x, layer.weights.shape[0], layer.stride)
    if layer.kind == "conv":
        return sum((view @ layer.weights[i, j] for i, j, view in views), start=np.float32(0)) + layer.bias
    return sum((view * layer.weights[i, j] for i, j, view in views), start=np.float32(0)) + layer.bias


def activations(layers: Sequence[Layer], x: Floats) -> list[Floats]:
    """Every layer's output after its ReLU6; the last is the logits."""
    result = []
    for layer in layers:
        is_dense = layer.kind == "dense"
        x = _apply(layer, x.mean((1, 2))) if is_dense else np.clip(_apply(layer, x), 0, 6)
        result.append(x)
    return result


def forward(layers: Sequence[Layer], x: Floats) -> Floats:
    """Probabilities for normalized pictures [n, height, width, 3]."""
    logits = activations(layers, x)[-1]
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(exponents / exponents.sum(1, keepdims=True), np.float32)


# ---- training: plain backpropagation with Adam, enough for flat shapes in a minute ----


def _gradients(
    layers: Sequence[Layer], x: Floats, labels: npt.NDArray[np.int64]
) -> tuple[float, list[tuple[Floats, Floats]]]:
    outputs = activations(layers, x)
    logits = outputs[-1] - outputs[-1].max(1, keepdims=True)
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float(-np.log(probabilities[rows, labels] + 1e-9).mean())
    grad = probabilities.copy()
    grad[rows, labels] -= 1
    grad /= len(labels)
    result: list[tuple[Floats, Floats]] = []
    for index in reversed(range(len(layers))):
        layer, before = layers[index], outputs[index - 1] if index else x
        if layer.kind == "dense":
            pooled = before.mean((1, 2))
            result.append((pooled.T @ grad, grad.sum(0)))
            pixels = before.shape[1] * before.shape[2]
            grad = np.broadcast_to((grad @ layer.weights.T / pixels)[:, None, None], before.shape)
            continue
        grad = grad * ((outputs[index] > 0) & (outputs[index] < 6))
        grad, step = _backward(layer, before, grad)
        result.append(step)
    return loss, result[::-1]


def _backward(layer: Layer, before: Floats, grad: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    kernel, stride = layer.weights.shape[0], layer.stride
    views, padded = _windows(before, kernel, stride)
    weights, spread = np.empty_like(layer.weights), np.zeros_like(padded)
    height, width = grad.shape[1:3]
    for i, j, view in views:
        place = spread[:, i : i + (height - 1) * stride + 1 : stride, j : j + (width - 1) * stride + 1 : stride]
        if layer.kind == "conv":
            weights[i, j] = view.reshape(-1, view.shape[-1]).T @ grad.reshape(-1, grad.shape[-1])
            place += grad @ layer.weights[i, j].T
        else:
            weights[i, j] = (view * grad).sum((0, 1, 2))
            place += grad * layer.weights[i, j]
    top, left = padding(before.shape[1], kernel, stride)[0], padding(before.shape[2], kernel, stride)[0]
    inner = spread[:, top : top + before.shape[1], left : left + before.shape[2]]
    return inner, (weights, grad.sum((0, 1, 2)))


def train(
    layers: Sequence[Layer],
    x: Floats,
    labels: npt.NDArray[np.int64],
    *,
    epochs: int,
    seed: int,
    rate: float = 3e-3,
    batch: int = 64,
) -> tuple[list[Layer], list[float]]:
    """The trained layers and each epoch's mean loss; cosine-decayed Adam."""
    rng = np.random.default_rng(seed)
    current = list(layers)
    memory = [[np.zeros_like(p) for p in (layer.weights, layer.bias) for _ in (0, 1)] for layer in current]
    losses, step, num_steps = [], 0, epochs * (len(x) // batch)
    for _ in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for start in range(0, len(x) - batch + 1, batch):
            pick = order[start : start + batch]
            loss, gradients = _gradients(current, x[pick], labels[pick])
            step += 1
            speed = rate * (0.5 + 0.5 * np.cos(np.pi * step / num_steps))
            current = [_adam(*item, step, speed) for item in zip(current, gradients, memory, strict=True)]
            total += loss
        losses.append(total / (len(x) // batch))
    return current, losses


def _adam(layer: Layer, gradients: tuple[Floats, Floats], memory: list[Floats], step: int, rate: float) -> Layer:
    updated = []
    for which, (value, grad) in enumerate(zip((layer.weights, layer.bias), gradients, strict=True)):
        mean, square = memory[2 * which], memory[2 * which + 1]
        mean += 0.1 * (grad - mean)
        square += 0.001 * (grad * grad - square)
        change = (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        updated.append((value - rate * change).astype(np.float32))
    return replace(layer, weights=updated[0], bias=updated[1])


def save_network(path: Path, layers: Sequence[Layer]) -> None:
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(layers):
        arrays |= {
            f"{i}_{layer.kind}_{layer.stride}_weights": layer.weights,
            f"{i}_{layer.kind}_{layer.stride}_bias": layer.bias,
        }
    np.savez(path, **arrays)


def load_network(path: Path) -> list[Layer]:
    with np.load(path) as data:
        names = [name.removesuffix("_weights") for name in data.files if name.endswith("_weights")]
        return [
            Layer(name.split("_")[1], data[f"{name}_weights"], data[f"{name}_bias"], int(name.split("_")[2]))
            for name in names
        ]


# ---- writing ----


def _shapes(layers: Sequence[Layer], size: tuple[int, int]) -> list[tuple[int, ...]]:
    """Every layer's output shape for an input of (height, width)."""
    height, width = size
    result: list[tuple[int, ...]] = []
    for layer in layers:
        height, width = -(-height // layer.stride), -(-width // layer.stride)
        channels = len(layer.bias)
        result.append((1, channels) if layer.kind == "dense" else (1, height, width, channels))
    return result


def _options(layer: Layer) -> tuple[str, str, dict[str, Any]]:
    """(operator, options table, options)."""
    if layer.kind == "dense":
        return "FULLY_CONNECTED", "FullyConnectedOptions", {}
    options = {"padding": 0, "stride_w": layer.stride, "stride_h": layer.stride, "fused_activation_function": 3}
    if layer.kind == "conv":
        return "CONV_2D", "Conv2DOptions", options
    return "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", options | {"depth_multiplier": 1}


def _as_stored(layer: Layer) -> Floats:
    """Weights in TFLite's layout: OHWI, 1HWC, [out, in]."""
    if layer.kind == "conv":
        return layer.weights.transpose(3, 0, 1, 2)
    return layer.weights[None] if layer.kind == "depthwise" else layer.weights.T


def float_model(
    layers: Sequence[Layer], size: tuple[int, int], *, dynamic_batch: bool = False, softmax: bool = True
) -> bytes:
    """The float32 flatbuffer; input [1, height, width, 3] in [-1, 1]."""
    b = GraphBuilder()
    signature = (-1, *size, 3) if dynamic_batch else None
    x = first = b.activation("input", (1, *size, 3), signature=signature)
    for i, (layer, shape) in enumerate(zip(layers, _shapes(layers, size), strict=True)):
        if layer.kind == "dense":
            x = _mean(b, x, "float32", None)
        operator, table, options = _options(layer)
        y = b.activation(f"layer_{i}", shape, signature=(-1, *shape[1:]) if dynamic_batch else None)
        operands = [x, b.constant(f"layer_{i}/weights", _as_stored(layer)), b.constant(f"layer_{i}/bias", layer.bias)]
        b.operator(operator, operands, [y], table, options)
        x = y
    if softmax:
        y = b.activation("probabilities", b.tensors[x]["shape"], signature=b.tensors[x].get("shape_signature"))
        b.operator("SOFTMAX", [x], [y], "SoftmaxOptions", {"beta": 1.0})
        x = y
    return b.build([first], [x])


def _mean(b: GraphBuilder, x: int, dtype: str, quant: dict[str, Any] | None) -> int:
    shape = b.tensors[x]["shape"]
    signature = (-1, shape[3]) if "shape_signature" in b.tensors[x] else None
    y = b.activation("pooled", (1, shape[3]), dtype, quant, signature=signature)
    axes = b.constant("pooled/axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [x, axes], [y], "ReducerOptions", {"keep_dims": False}, version=1 if dtype == "float32" else 2)
    return y


def _range_quantization(low: float, high: float) -> dict[str, Any]:
    low, high = min(low, 0.0), max(high, 0.0)
    scale = np.float32((high - low) / 255)
    return quantization(float(scale), int(np.clip(round(-128 - low / float(scale)), -128, 127)))


def int8_model(
    layers: Sequence[Layer], size: tuple[int, int], pictures: npt.NDArray[np.uint8], *, ends: str = "uint8"
) -> bytes:
    """Full int8, per channel, ranges measured on ``pictures``; input and output are ``ends`` (uint8 or int8)."""
    b = GraphBuilder()
    outputs = activations(layers, normalize(pictures))
    # scale 1/std and the zero point nearest to the mean, so that the quantized value is the pixel
    quant = quantization(1 / STD, 127 if ends == "uint8" else -1)
    x = first = b.activation("input", (1, *size, 3), ends, quant)
    if ends == "uint8":
        x = _requantize(b, x, "input_int8", "int8", quantization(1 / STD, -1))
    for i, (layer, shape, values) in enumerate(zip(layers, _shapes(layers, size), outputs, strict=True)):
        if layer.kind == "dense":
            pooled = outputs[i - 1].mean((1, 2))
            x = _mean(b, x, "int8", _range_quantization(float(pooled.min()), float(pooled.max())))
        x = _int8_layer(b, x, i, layer, shape, values)
    y = b.activation("probabilities", b.tensors[x]["shape"], "int8", quantization(1 / 256, -128))
    b.operator("SOFTMAX", [x], [y], "SoftmaxOptions", {"beta": 1.0}, version=2)
    if ends == "uint8":
        y = _requantize(b, y, "output", "uint8", quantization(1 / 256, 0))
    return b.build([first], [y])


def _requantize(b: GraphBuilder, x: int, name: str, dtype: str, quant: dict[str, Any]) -> int:
    y = b.activation(name, b.tensors[x]["shape"], dtype, quant)
    b.operator("QUANTIZE", [x], [y], "QuantizeOptions", {}, version=2)
    return y


def _int8_layer(b: GraphBuilder, x: int, i: int, layer: Layer, shape: tuple[int, ...], values: Floats) -> int:
    stored = _as_stored(layer)
    axis = 3 if layer.kind == "depthwise" else 0
    others = tuple(a for a in range(stored.ndim) if a != axis)
    per_tensor = layer.kind == "dense"  # per-channel FULLY_CONNECTED needs a runtime of 2.17
    peak = abs(stored).max() if per_tensor else abs(stored).max(others)
    scale = np.atleast_1d(np.maximum(peak, 1e-9) / 127).astype(np.float32)
    along = scale.reshape([-1 if a == axis else 1 for a in range(stored.ndim)])
    input_scale = b.tensors[x]["quantization"]["scale"][0]
    bias_scale = scale.astype(np.float64) * input_scale
    weights = b.constant(
        f"layer_{i}/weights", np.clip(np.round(stored / along), -127, 127).astype(np.int8), quantization(scale, 0, axis)
    )
    bias = b.constant(
        f"layer_{i}/bias", np.round(layer.bias / bias_scale).astype(np.int32), quantization(bias_scale, 0)
    )
    y = b.activation(f"layer_{i}", shape, "int8", _range_quantization(float(values.min()), float(values.max())))
    operator, table, options = _options(layer)
    b.operator(operator, [x, weights, bias], [y], table, options, version=4 if per_tensor else 3)
    return y
