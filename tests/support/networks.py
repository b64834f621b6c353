"""Small models that tests, vectors and the demo use, each with a meaning that a test can state.

``shapes_*`` name the colour and shape of one flat shape; ``red_detector`` boxes red things; ``colour_segmenter`` labels
every pixel with a colour; ``embedder`` gives the shapes network's pooled features.
"""

from functools import cache
from pathlib import Path

import numpy as np

from support.builder import GraphBuilder
from support.network import Layer, float_model, int8_model, load_network
from support.pictures import CLASSES, COLOURS, shape_pictures

__all__ = [
    "CLASSES",
    "COLOUR_LABELS",
    "SHAPES_SIZE",
    "colour_segmenter",
    "embedder",
    "red_detector",
    "shapes_float",
    "shapes_int8",
    "shapes_network",
]

SHAPES_SIZE = (48, 48)
COLOUR_LABELS = ("background", *COLOURS)


@cache
def shapes_network() -> tuple[Layer, ...]:
    """The trained network; tools/make_shapes_model.py wrote it."""
    return tuple(load_network(Path(__file__).with_name("shapes.npz")))


@cache
def shapes_float(*, dynamic_batch: bool = False, softmax: bool = True) -> bytes:
    """float32; 16 classes; input [-1, 1]."""
    return float_model(shapes_network(), SHAPES_SIZE, dynamic_batch=dynamic_batch, softmax=softmax)


@cache
def shapes_int8(*, ends: str = "uint8") -> bytes:
    """Full int8, uint8 or int8 ends, calibrated on 200 pictures of ours."""
    return int8_model(shapes_network(), SHAPES_SIZE, shape_pictures(200, seed=3)[0], ends=ends)


@cache
def embedder() -> bytes:
    """The shapes network without its head: [1, 64] features."""
    layers = shapes_network()[:-1]
    width = len(layers[-1].bias)
    identity = Layer("dense", np.eye(width, dtype=np.float32), np.zeros(width, np.float32))
    return float_model([*layers, identity], SHAPES_SIZE, softmax=False)


@cache
def colour_segmenter(*, argmax: bool = False) -> bytes:
    """[1, 64, 64, 3] in 0..1 -> [1, 64, 64, 5] scores: the colour nearest to each pixel, or any grey (background)."""
    b = GraphBuilder()
    x = b.activation("image", (1, 64, 64, 3))
    pooled = b.activation("pooled", (1, 32, 32, 3))
    pool = {"padding": 0, "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
    b.operator("AVERAGE_POOL_2D", [x], [pooled], "Pool2DOptions", pool)
    # nearest prototype: argmax of 2 p.c - |c|^2, the same for every pixel; grey: the least of three prototypes' scores
    prototypes = np.array([(128, 128, 128), *COLOURS.values()], np.float32) / 255
    weights = 2 * prototypes
    bias = -(prototypes**2).sum(1)
    weights[0] = 2 * 0.5
    bias[0] = -0.62
    scores = b.activation("scores", (1, 32, 32, 5))
    operands = [
        pooled,
        b.constant("w", weights[:, None, None, :].astype(np.float32)),
        b.constant("b", bias.astype(np.float32)),
    ]
    b.operator("CONV_2D", operands, [scores], "Conv2DOptions", {"padding": 0, "stride_w": 1, "stride_h": 1})
    large = b.activation("segmentation", (1, 64, 64, 5))
    size = b.constant("size", np.array([64, 64], np.int32))
    b.operator(
        "RESIZE_BILINEAR", [scores, size], [large], "ResizeBilinearOptions", {"half_pixel_centers": True}, version=3
    )
    if not argmax:
        return b.build([x], [large])
    mask = b.activation("mask", (1, 64, 64), "int32")
    axis = b.constant("axis", np.array(3, np.int32))
    b.operator("ARG_MAX", [large, axis], [mask], "ArgMaxOptions", {"output_type": b.enums["TensorType"]["INT32"]})
    return b.build([x], [mask])


@cache
def red_detector() -> bytes:
    """[1, 64, 64, 3] in 0..1 -> SSD boxes: one anchor for each of 8 x 8 cells, scored by how red the cell is."""
    b = GraphBuilder()
    x = b.activation("image", (1, 64, 64, 3))
    cells = b.activation("cells", (1, 8, 8, 3))
    pool = {"padding": 1, "stride_w": 8, "stride_h": 8, "filter_width": 8, "filter_height": 8}
    b.operator("AVERAGE_POOL_2D", [x], [cells], "Pool2DOptions", pool)
    redness = np.array([[0, 0, 0], [12, -12, -12]], np.float32)  # background, red
    conv = {"padding": 0, "stride_w": 1, "stride_h": 1}
    scores = b.activation("scores", (1, 8, 8, 2))
    operands = [cells, b.constant("w", redness[:, None, None, :]), b.constant("b", np.array([0, -3], np.float32))]
    b.operator("CONV_2D", operands, [scores], "Conv2DOptions", conv)
    offsets = b.activation("offsets", (1, 8, 8, 4))
    operands = [cells, b.constant("w0", np.zeros((4, 1, 1, 3), np.float32)), b.constant("b0", np.zeros(4, np.float32))]
    b.operator("CONV_2D", operands, [offsets], "Conv2DOptions", conv)
    flat_scores, flat_offsets = b.activation("class_logits", (1, 64, 2)), b.activation("box_encodings", (1, 64, 4))
    for source, target in ((scores, flat_scores), (offsets, flat_offsets)):
        shape = b.tensors[target]["shape"]
        new_shape = b.constant(f"shape_{target}", np.array(shape, np.int32))
        b.operator("RESHAPE", [source, new_shape], [target], "ReshapeOptions", {"new_shape": shape})
    classes = b.activation("class_predictions", (1, 64, 2))
    b.operator("LOGISTIC", [flat_scores], [classes])
    rows, columns = np.mgrid[0:8, 0:8]
    side = np.full(64, 1 / 8)
    anchors = np.stack([(rows.ravel() + 0.5) / 8, (columns.ravel() + 0.5) / 8, side, side], 1).astype(np.float32)
    outputs = [
        b.activation("boxes", (1, 10, 4)),
        b.activation("classes", (1, 10)),
        b.activation("scores_out", (1, 10)),
        b.activation("count", (1,)),
    ]
    operands = [flat_offsets, classes, b.constant("anchors", anchors)]
    b.operator("TFLite_Detection_PostProcess", operands, outputs, custom_options=detection_options())
    return b.build([x], outputs)


def detection_options(**changes: float | bool) -> bytes:
    """The flexbuffer map that TFLite_Detection_PostProcess reads."""
    from flatbuffers import flexbuffers

    values: dict[str, float | bool] = {
        "max_detections": 10,
        "max_classes_per_detection": 1,
        "detections_per_class": 100,
        "use_regular_nms": False,
        "nms_score_threshold": 0.3,
        "nms_iou_threshold": 0.5,
        "num_classes": 1,
        "y_scale": 10.0,
        "x_scale": 10.0,
        "h_scale": 5.0,
        "w_scale": 5.0,
    } | changes
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, value in values.items():
            if isinstance(value, bool):
                builder.Bool(name, value)
            elif isinstance(value, int):
                builder.Int(name, value)
            else:
                builder.Float(name, value)
    return bytes(builder.Finish())
