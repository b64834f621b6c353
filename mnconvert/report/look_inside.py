"""An integer file and the float file it was made from, run side by side: which layers lose most, and how they look.

Runs both on a few pictures; the numbers of the worst layers are kept as a sample, so that memory is bounded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.calibration.visible import ActivationRunner, real_values
from mnconvert.report.detail import Detail, Histogram, LayerPoint, WorstLayer
from mnconvert.verification import sqnr_by_operator
from mnconvert.verification.layer_errors import LayerError, as_batch, matching_operators
from mnconvert.verification.pictures import PicturePreparer
from mninfer.model_file import Graph, Operator, Tensor
from mninfer.preprocessing import PreprocessSpec

__all__ = ["look_inside"]

Array = npt.NDArray[Any]

_NUM_WORST = 6
_NUM_BINS = 64
_MOST_VALUES = 50_000  # of one layer and picture that are kept
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True, slots=True)
class _Pair:
    """One layer in both files."""

    error: LayerError
    wanted: Operator
    found: Operator


def look_inside(
    float_flatbuffer: bytes,
    quantized: bytes,
    *,
    name: str,
    preprocess: PreprocessSpec,
    pictures: Sequence[Array],
    kind: str,
) -> Detail:
    """The error of every activation on ``pictures``, and histograms of the worst. ``kind`` names the pictures.

    Raises:
        ValueError: the files are not of one network.
    """
    errors = sqnr_by_operator(float_flatbuffer, quantized, preprocess=preprocess, pictures=pictures)
    with ActivationRunner(float_flatbuffer) as wanted, ActivationRunner(quantized) as found:
        operators = matching_operators(wanted.graph, found.graph)
        pairs = [_Pair(error, *pair) for error, pair in zip(errors, operators, strict=True)]
        worst = sorted(pairs, key=lambda pair: pair.error.sqnr_db)[:_NUM_WORST]
        ranks = {pair.error.operator: rank for rank, pair in enumerate(worst, 1)}
        values = _sampled_values(wanted, found, worst, preprocess, pictures)
        return Detail(
            name=name,
            pictures=f"{len(pictures)} pictures of {kind}",
            points=tuple(_point(pair, ranks) for pair in pairs),
            worst=tuple(_worst(pair, ranks, values, wanted.graph, found.graph) for pair in worst),
        )


def _point(pair: _Pair, ranks: Mapping[int, int]) -> LayerPoint:
    error = pair.error
    return LayerPoint(
        index=error.operator,
        operator=error.kind,
        name=error.name,
        sqnr_db=error.sqnr_db,
        rank=ranks.get(error.operator),
    )


def _sampled_values(
    wanted: ActivationRunner,
    found: ActivationRunner,
    worst: Sequence[_Pair],
    preprocess: PreprocessSpec,
    pictures: Sequence[Array],
) -> dict[int, tuple[Array, Array]]:
    """Float operator -> the same places of its activation in both files, from all pictures."""
    spec = found.graph.tensors[found.graph.inputs[0]].spec(found.input_shape)
    prepare = PicturePreparer(spec, recorded=preprocess, preprocess=preprocess)
    kept: dict[int, list[tuple[Array, Array]]] = {pair.wanted.index: [] for pair in worst}
    for picture in pictures:
        tensor, reference = prepare(picture)
        floats, integers = wanted.run_real(as_batch(reference, wanted)), found.run_real(as_batch(tensor, found))
        for pair in worst:
            left = floats[pair.wanted.outputs[0]].ravel()
            step = max(1, left.size // _MOST_VALUES)
            # Copies: a slice would keep the whole activation alive.
            kept[pair.wanted.index].append(
                (left[::step].copy(), integers[pair.found.outputs[0]].ravel()[::step].copy())
            )
    return {
        operator: (np.concatenate([left for left, _ in parts]), np.concatenate([right for _, right in parts]))
        for operator, parts in kept.items()
    }


def _worst(
    pair: _Pair, ranks: Mapping[int, int], values: Mapping[int, tuple[Array, Array]], wanted: Graph, found: Graph
) -> WorstLayer:
    activation = found.tensors[pair.found.outputs[0]]
    return WorstLayer(
        point=_point(pair, ranks),
        activations=_histogram("Activations", *values[pair.wanted.index], limits=_limits(activation)),
        weights=_weights(pair, wanted, found),
    )


def _weights(pair: _Pair, wanted: Graph, found: Graph) -> Histogram | None:
    """Both files' weights; None for an operator without, or one that the file keeps in another order."""
    if pair.wanted.name not in _WEIGHTED:
        return None
    left, right = (_constant(graph.tensors[op.inputs[1]]) for graph, op in ((wanted, pair.wanted), (found, pair.found)))
    if left is None or right is None or left.size != right.size:
        return None
    return _histogram("Weights", left.ravel(), right.ravel(), limits=None)


def _constant(tensor: Tensor) -> Array | None:
    if tensor.data is None or tensor.dtype not in ("float32", "float16", "int8", "int16", "uint8"):
        return None
    return real_values(np.frombuffer(tensor.data, tensor.dtype).reshape(tensor.shape), tensor.quantization)


def _limits(tensor: Tensor) -> tuple[float, float] | None:
    """The least and the greatest number that a quantized activation can be."""
    if tensor.quantization is None or tensor.dtype not in ("int8", "uint8", "int16"):
        return None
    ends = np.iinfo(tensor.dtype)
    low, high = real_values(np.array([ends.min, ends.max], tensor.dtype), tensor.quantization)
    return float(low), float(high)


def _histogram(title: str, wanted: Array, found: Array, *, limits: tuple[float, float] | None) -> Histogram:
    ends = [float(wanted.min()), float(wanted.max()), float(found.min()), float(found.max()), *(limits or ())]
    low, high = min(ends), max(ends)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _NUM_BINS + 1)
    return Histogram(
        title=f"{title}: how many have which value (heights are logarithmic)",
        low=low,
        high=high,
        float_counts=tuple(np.histogram(wanted, edges)[0].tolist()),
        file_counts=tuple(np.histogram(found, edges)[0].tolist()),
        limits=limits,
    )
