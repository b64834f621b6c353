"""Count a checked TFLite graph: a row to each operator, by mninfer's counts. Needs no Keras and no engine."""

from dataclasses import replace

from mninfer.engines.protocol import fix_shape
from mninfer.model_file.check import check_graph, peak_activation_bytes
from mninfer.model_file.graph import Graph, Operator, Tensor
from mninfer.model_file.macs import macs_by_operator
from mninfer.model_file.operators import load_operators
from mninfer.model_file.parameters import parameters_by_operator
from mnmodels.counting.summary import Kind, LayerRow, PeakMemory, Summary

__all__ = ["summarize_flatbuffer"]


def summarize_flatbuffer(graph: Graph, *, name: str, input_size: tuple[int, int] | None = None) -> Summary:
    """Count ``graph``; ``input_size`` is (width, height), for a file that leaves it open; an open batch counts as 1.

    Raises:
        UnsupportedModelError: a size is open and not stated, or contradicts the file.
        ModelFileError: the graph cannot run in that size.
    """
    shapes = {index: _input_shape(graph, index, input_size) for index in graph.inputs}
    closed = replace(graph, tensors=_reshaped(graph, check_graph(graph, input_shapes=shapes)))
    counts = zip(graph.operators, parameters_by_operator(closed), macs_by_operator(closed), strict=True)
    return Summary(
        name=name,
        kind=Kind.TFLITE,
        input_shapes=tuple(shapes.values()),
        layers=tuple(_row(closed, operator, parameters, macs) for operator, parameters, macs in counts),
        peak=PeakMemory(peak_activation_bytes(graph, input_shapes=shapes)),
    )


def _input_shape(graph: Graph, index: int, input_size: tuple[int, int] | None) -> tuple[int, ...]:
    tensor = graph.tensors[index]
    stated = None
    if input_size is not None and len(tensor.shape_signature) == 4:
        batch, _, _, channels = tensor.shape_signature
        stated = (max(batch, 1), input_size[1], input_size[0], channels)
    return fix_shape(tensor.name, tensor.shape, tensor.shape_signature, stated)


def _reshaped(graph: Graph, shapes: tuple[tuple[int, ...], ...]) -> tuple[Tensor, ...]:
    return tuple(replace(tensor, shape=shape) for tensor, shape in zip(graph.tensors, shapes, strict=True))


def _row(graph: Graph, operator: Operator, parameters: int, macs: int) -> LayerRow:
    output = graph.tensors[operator.outputs[0]]
    listed, custom = load_operators()
    return LayerRow(
        name=output.name.partition(";")[0],  # of fused operators the converter keeps all names
        kind=operator.name,
        output_shape=output.shape,
        parameters=parameters,
        macs=macs,
        is_counted=operator.name in (custom if operator.is_custom else listed),
    )
