"""The small models of tests/vectors: weights by formula, arithmetic that is exact in float32: the same bits everywhere.

Values are multiples of a power of two and short enough that no sum is ever rounded: neither the processor nor the order
of summation can change an output. They name nothing; what matters is that every implementation gives the same for them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from support.builder import GraphBuilder, quantization
from support.networks import detection_options

__all__ = ["classifier_float", "classifier_int8", "detector", "segmenter"]

HEIGHT, WIDTH, NUM_FEATURES, NUM_CLASSES = 16, 32, 8, 5
CONV = {"padding": 0, "stride_w": 2, "stride_h": 2, "fused_activation_function": 3}
POINTWISE = {"padding": 0, "stride_w": 1, "stride_h": 1}


def small_integers(shape: Sequence[int], limit: int, seed: int) -> npt.NDArray[np.int64]:
    """Whole numbers from -limit to limit, by a formula."""
    index = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((index * 2654435761 + seed * 40503) % 2**32 // 65536 % (2 * limit + 1) - limit).reshape(shape)


def quarters(shape: Sequence[int], limit: int, seed: int) -> npt.NDArray[np.float32]:
    """The same in steps of 1/4."""
    return (small_integers(shape, limit, seed) / 4).astype(np.float32)


def classifier_float(*, has_head: bool = True) -> bytes:
    """[1, 16, 32, 3] in [-1, 1) -> [1, 5] scores, or [1, 8] features: convolution, ReLU6, mean, dense."""
    b = GraphBuilder("mnkit test vector")
    x = b.activation("image", (1, HEIGHT, WIDTH, 3))
    features = b.activation("features", (1, HEIGHT // 2, WIDTH // 2, NUM_FEATURES))
    weights = b.constant("conv/weights", quarters((NUM_FEATURES, 3, 3, 3), 2, 1))
    bias = b.constant("conv/bias", quarters((NUM_FEATURES,), 4, 2))
    b.operator("CONV_2D", [x, weights, bias], [features], "Conv2DOptions", CONV)
    pooled = b.activation("pooled", (1, NUM_FEATURES))
    axes = b.constant("axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [features, axes], [pooled], "ReducerOptions", {"keep_dims": False})
    if not has_head:
        return b.build([x], [pooled])
    scores = b.activation("scores", (1, NUM_CLASSES))
    dense = b.constant("dense/weights", quarters((NUM_CLASSES, NUM_FEATURES), 2, 3))
    b.operator("FULLY_CONNECTED", [pooled, dense, -1], [scores], "FullyConnectedOptions", {})
    return b.build([x], [scores])


def classifier_int8(ends: str) -> bytes:
    """The same net in int8, per channel; ends uint8 or int8: the quantized input is the pixel, or the pixel - 128."""
    b = GraphBuilder("mnkit test vector")
    offset = 128 if ends == "uint8" else 0
    first = x = b.activation("image", (1, HEIGHT, WIDTH, 3), ends, quantization(1 / 128, offset))
    if ends == "uint8":
        x = _requantize(b, x, "image_int8", "int8", quantization(1 / 128, 0))
    features = b.activation("features", (1, HEIGHT // 2, WIDTH // 2, NUM_FEATURES), "int8", quantization(1 / 32, -128))
    scales = np.where(np.arange(NUM_FEATURES) % 2, 1 / 64, 1 / 128)
    weights = small_integers((NUM_FEATURES, 3, 3, 3), 60, 1).astype(np.int8)
    bias = small_integers((NUM_FEATURES,), 4000, 2).astype(np.int32)
    operands = [
        x,
        b.constant("conv/weights", weights, quantization(scales, 0, 0)),
        b.constant("conv/bias", bias, quantization(scales / 128, 0)),
    ]
    b.operator("CONV_2D", operands, [features], "Conv2DOptions", CONV, version=3)
    pooled = b.activation("pooled", (1, NUM_FEATURES), "int8", quantization(1 / 32, -128))
    axes = b.constant("axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [features, axes], [pooled], "ReducerOptions", {"keep_dims": False}, version=2)
    scores = b.activation("scores", (1, NUM_CLASSES), "int8", quantization(1 / 8, 0))
    dense = small_integers((NUM_CLASSES, NUM_FEATURES), 100, 3).astype(np.int8)
    operands = [
        pooled,
        b.constant("dense/weights", dense, quantization(1 / 64, 0)),
        b.constant("dense/bias", np.zeros(NUM_CLASSES, np.int32), quantization(1 / 2048, 0)),
    ]
    b.operator("FULLY_CONNECTED", operands, [scores], "FullyConnectedOptions", {}, version=4)
    if ends == "uint8":
        scores = _requantize(b, scores, "scores_uint8", "uint8", quantization(1 / 8, 128))
    return b.build([first], [scores])


def detector() -> bytes:
    """[1, 16, 16, 3] in 0..1 -> boxes, classes, scores, count: 4 x 4 cells, the reddest and the bluest ones found."""
    b = GraphBuilder("mnkit test vector")
    x = b.activation("image", (1, 16, 16, 3))
    cells = b.activation("cells", (1, 4, 4, 3))
    pool = {"padding": 1, "stride_w": 4, "stride_h": 4, "filter_width": 4, "filter_height": 4}
    b.operator("AVERAGE_POOL_2D", [x], [cells], "Pool2DOptions", pool)
    colours = np.array([[0, 0, 0], [1, -0.5, -0.25], [-0.5, -0.25, 1]], np.float32)  # background, red, blue
    seen = _pointwise(b, cells, "seen", colours, 4)
    # Equal cells must not tie: each place has a score of its own to add.
    own = (np.arange(48).reshape(1, 16, 3) / 4096).astype(np.float32)
    scores = b.activation("scores", (1, 16, 3))
    b.operator("ADD", [seen, b.constant("own", own)], [scores], "AddOptions", {})
    encodings = _pointwise(b, cells, "offsets", np.zeros((4, 3), np.float32), 4)
    anchors = _anchors(4)
    outputs = [
        b.activation("boxes", (1, 5, 4)),
        b.activation("classes", (1, 5)),
        b.activation("scores_kept", (1, 5)),
        b.activation("count", (1,)),
    ]
    options = detection_options(max_detections=5, num_classes=2, nms_score_threshold=0.0625)
    operands = [encodings, scores, b.constant("anchors", anchors)]
    b.operator("TFLite_Detection_PostProcess", operands, outputs, custom_options=options)
    return b.build([x], outputs)


def segmenter() -> bytes:
    """[1, 8, 12, 3] in 0..1 -> [1, 8, 12, 4] scores per pixel."""
    b = GraphBuilder("mnkit test vector")
    x = b.activation("image", (1, 8, 12, 3))
    scores = b.activation("scores", (1, 8, 12, 4))
    operands = [x, b.constant("weights", quarters((4, 1, 1, 3), 4, 5)), b.constant("bias", quarters((4,), 1, 6))]
    b.operator("CONV_2D", operands, [scores], "Conv2DOptions", POINTWISE)
    return b.build([x], [scores])


def _requantize(b: GraphBuilder, x: int, name: str, dtype: str, quant: dict[str, Any]) -> int:
    y = b.activation(name, b.tensors[x]["shape"], dtype, quant)
    b.operator("QUANTIZE", [x], [y], "QuantizeOptions", {}, version=2)
    return y


def _pointwise(b: GraphBuilder, x: int, name: str, weights: npt.NDArray[np.float32], side: int) -> int:
    """A 1x1 convolution, its places laid out in a row: [1, side * side, channels]."""
    channels = len(weights)
    grid = b.activation(f"{name}_grid", (1, side, side, channels))
    kernel = b.constant(f"{name}/weights", weights[:, None, None, :])
    bias = b.constant(f"{name}/bias", np.zeros(channels, np.float32))
    b.operator("CONV_2D", [x, kernel, bias], [grid], "Conv2DOptions", POINTWISE)
    row = b.activation(name, (1, side * side, channels))
    shape = b.tensors[row]["shape"]
    b.operator("RESHAPE", [grid, b.constant(f"{name}/shape", np.array(shape, np.int32))], [row],
               "ReshapeOptions", {"new_shape": shape})  # fmt: skip
    return row


def _anchors(side: int) -> npt.NDArray[np.float32]:
    rows, columns = np.mgrid[0:side, 0:side]
    size = np.full(side * side, 1 / side)
    centres = (rows.ravel() + 0.5) / side, (columns.ravel() + 0.5) / side
    return np.stack([*centres, size, size], 1).astype(np.float32)
