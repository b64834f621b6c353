"""Rules by the names that ``schema/operators.json`` gives them: each infers its outputs' shapes or refuses."""

from collections.abc import Mapping

from mninfer.model_file.rules import arranging, convolution, cutting, detection, elementwise, matrix, reducing, spatial
from mninfer.model_file.rules.site import Rule, Shape, Site

__all__ = ["RULES", "Rule", "Shape", "Site"]

RULES: Mapping[str, Rule] = {
    "arg_extremum": reducing.arg_extremum,
    "batch_matmul": matrix.batch_matmul,
    "batch_to_space": spatial.batch_to_space,
    "broadcast": elementwise.broadcast,
    "concatenation": arranging.concatenation,
    "conv_2d": convolution.conv_2d,
    "depth_to_space": spatial.depth_to_space,
    "depthwise_conv_2d": convolution.depthwise_conv_2d,
    "detection_postprocess": detection.detection_postprocess,
    "division": elementwise.division,
    "expand_dims": arranging.expand_dims,
    "fully_connected": matrix.fully_connected,
    "gather": cutting.gather,
    "mirror_pad": cutting.mirror_pad,
    "pack": arranging.pack,
    "pad": cutting.pad,
    "pool_2d": convolution.pool_2d,
    "prelu": elementwise.prelu,
    "reduce": reducing.reduce,
    "reshape": arranging.reshape,
    "resize": spatial.resize,
    "shape": arranging.shape_of,
    "slice": cutting.slice_of,
    "space_to_batch": spatial.space_to_batch,
    "space_to_depth": spatial.space_to_depth,
    "split": cutting.split,
    "split_v": cutting.split_v,
    "squeeze": arranging.squeeze,
    "strided_slice": cutting.strided_slice,
    "tile": arranging.tile,
    "transpose": arranging.transpose,
    "transpose_conv": convolution.transpose_conv,
    "unary": elementwise.unary,
    "unpack": arranging.unpack,
}
