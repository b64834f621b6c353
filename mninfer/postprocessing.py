"""Output tensors -> scores: real values, and the best classes.

What a model's outputs mean is read from its graph (``outputs.py``), never guessed from their values. Boxes are made in
``detection.py``, masks in ``segmentation.py``.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import EngineError
from mninfer.results import Prediction, label_of
from mninfer.tensors import Quantization

__all__ = ["best_classes", "dequantize"]

Array = npt.NDArray[Any]


def dequantize(array: Array, quantization: Quantization | None) -> Array:
    """Real values as float32; floats pass through."""
    if quantization is None or array.dtype.kind == "f":
        return array.astype(np.float32, copy=False)
    scale, zero_point = np.float32(quantization.scales[0]), quantization.zero_points[0]
    return (array.astype(np.int32) - zero_point).astype(np.float32) * scale


def best_classes(
    output: Array,
    quantization: Quantization | None,
    *,
    top: int,
    needs_softmax: bool,
    labels: Sequence[str] | None,
) -> tuple[Prediction, ...]:
    """The ``top`` classes of one score per class, best first; equal scores by index.

    Quantized scores are ranked as integers, and only the winners become real numbers. Kept to few and cheap steps: an
    engine leaves the processor's caches cold, which makes each of them cost several times what it does in a loop.
    """
    scores = output.reshape(-1)
    if needs_softmax:
        scores, quantization = _softmax(dequantize(scores, quantization)), None
    scale, zero_point = (quantization.scales[0], quantization.zero_points[0]) if quantization else (1.0, 0)
    return tuple(
        [
            Prediction(label_of(labels, index), index, (value - zero_point) * scale)
            for index, value in _largest(scores, min(top, scores.size))
        ]
    )


def _softmax(logits: Array) -> Array:
    exponents = np.exp(logits - logits.max())
    return np.asarray(exponents / exponents.sum())


def _largest(scores: Array, count: int) -> list[tuple[int, Any]]:
    """(index, value) of the ``count`` largest, descending; equal ones by index, which argpartition doesn't promise."""
    if count < 1:
        return []
    if scores.dtype.kind in "iu":  # numpy sorts small integers by radix; backwards, so that the first of equals is last
        from_end = scores[::-1].argsort(kind="stable")[: -count - 1 : -1].tolist()
        return [(scores.size - 1 - index, scores.item(-1 - index)) for index in from_end]
    ranked = scores.copy()
    first = scores.size - count
    ranked.partition(first)
    winners = ranked[first:].tolist()
    if any(map(math.isnan, winners)):  # it counts as the largest
        raise EngineError("the model's output holds NaN", hints='"mninfer check MODEL" compares with what it should be')
    least = winners[0]
    above = [(index, scores.item(index)) for index in (scores > least).nonzero()[0].tolist()]
    above.sort(key=lambda pair: -pair[1])
    equal = (scores == least).nonzero()[0][: count - len(above)].tolist()
    return above + [(index, least) for index in equal]
