"""What XNNPACK computes wrongly, so that an engine's own kernels have to."""

from collections.abc import Sequence

from mninfer.model_file.check import check_graph
from mninfer.model_file.graph import Graph, Operator

__all__ = ["MISREAD", "has_idle_padding", "misread_by_xnnpack"]

MISREAD = (
    "XNNPACK computes it wrongly, or crashes on it, for its strides leave pixels over; switched off for this model "
    "here, and to be switched off in other programs"
)
SAME = 0


def misread_by_xnnpack(graph: Graph, shapes: Sequence[tuple[int, ...]] | None = None) -> Operator | None:
    """The first convolution that XNNPACK gets wrong, in these ``shapes`` of all tensors, else as it is in the file.

    Padding SAME has nothing to pad where the last window ends before the picture does, as with 3 x 1 filters and stride
    2. XNNPACK (in LiteRT 2.1.6 and tflite-runtime 2.14) then counts a negative padding, and reads the wrong pixels.
    Filters of a single pixel it reads right. A transposed convolution it cuts into one for each pixel of a stride, of
    which some have no output where there is less than a stride of it: tflite-runtime's then reads beyond its memory.
    """
    sizes = shapes or _own_shapes(graph)
    return next((operator for operator in graph.operators if _is_misread(operator, sizes)), None)


def has_idle_padding(graph: Graph, operator: Operator) -> bool:
    """Whether XNNPACK misreads this convolution, and would not with padding VALID, which computes the same."""
    left_over = _left_over(operator, [tensor.shape for tensor in graph.tensors])
    return max(left_over, default=0) > 0 and min(left_over) >= 0


def _own_shapes(graph: Graph) -> Sequence[tuple[int, ...]]:
    """As declared; where heights or widths are open, which writers declare as 1, as they follow from the inputs."""
    if any(-1 in tensor.shape_signature[1:3] for tensor in graph.tensors):
        return check_graph(graph)
    return [tensor.shape for tensor in graph.tensors]


def _is_misread(operator: Operator, shapes: Sequence[tuple[int, ...]]) -> bool:
    if operator.name == "TRANSPOSE_CONV" and not operator.is_custom:
        height, width = shapes[operator.outputs[0]][1:3]
        return bool(height < operator.options["stride_h"] or width < operator.options["stride_w"])
    return max(_left_over(operator, shapes), default=0) > 0


def _left_over(operator: Operator, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """How many rows and columns the windows of a padded convolution leave over; negative ones are padded."""
    if operator.is_custom or operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return ()
    options = operator.options
    source, filters, result = (shapes[index][1:3] for index in (*operator.inputs[:2], operator.outputs[0]))
    if options["padding"] != SAME or filters == (1, 1):
        return ()
    strides = options["stride_h"], options["stride_w"]
    dilations = options["dilation_hfactor"], options["dilation_wfactor"]
    return tuple(
        size - ((num_outputs - 1) * stride + (window - 1) * dilation + 1)
        for size, window, num_outputs, stride, dilation in zip(source, filters, result, strides, dilations, strict=True)
    )
