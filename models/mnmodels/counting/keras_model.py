"""Count a Keras model: a row to each call of a layer, in the order in which they run."""

from typing import Any

from mnmodels.counting.calls import Call, Trace, trace_calls
from mnmodels.counting.memory import peak_memory
from mnmodels.counting.rules import condensed_parameters, count_call, is_countable, kind_of
from mnmodels.counting.summary import Kind, LayerRow, Summary

__all__ = ["summarize_keras"]


def summarize_keras(model: Any, *, name: str | None = None, input_size: tuple[int, int] | None = None) -> Summary:
    """Count ``model``; ``input_size`` is (width, height), for one that leaves it open.

    Raises:
        UnsupportedModelError: the model is no graph of layers.
        InputError: its input's size is open and not stated, or doesn't fit.
    """
    trace = trace_calls(model, input_size=input_size)
    seen: set[int] = set()
    return Summary(
        name=name or str(model.name),
        kind=Kind.KERAS,
        input_shapes=trace.shapes_of(trace.inputs),
        layers=tuple(_row(call, trace, seen) for call in trace.calls),
        peak=peak_memory(trace),
    )


def _row(call: Call, trace: Trace, seen: set[int]) -> LayerRow:
    """``seen`` has the weights that were counted: those that layers share count where they come first."""
    layer = call.operation
    weights = {id(weight): weight for weight in getattr(layer, "weights", ())}
    trainable = {id(weight) for weight in getattr(layer, "trainable_weights", ())}
    new = weights.keys() - seen
    seen |= new
    macs = count_call(layer, trace.shapes_of(call.inputs), trace.shapes_of(call.outputs))
    condensed = condensed_parameters(layer)
    return LayerRow(
        name=call.name,
        kind=kind_of(layer),
        output_shape=trace.shapes[call.outputs[0]],
        parameters=sum(_size(weights[key]) for key in new),
        trainable=sum(_size(weights[key]) for key in new & trainable),
        macs=macs,
        condensed_parameters=condensed,
        condensed_macs=None if condensed is None else macs // _size(layer.kernel) * condensed,
        is_counted=is_countable(layer),
    )


def _size(weight: Any) -> int:
    size = 1
    for side in weight.shape:
        size *= int(side)
    return size
