"""A Keras model -> ``Lowered``: what is traced, converted and known of BatchNorm, put together."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from mnconvert.config import ConvertConfig, Scores, Variant
from mnconvert.lowering.fix_feeds import fix_feeds
from mnconvert.lowering.leading_layers import LeadingLayers
from mnconvert.lowering.lowered import Lowered, Reference, runnable
from mnconvert.lowering.prepare import Prepared, mark_in, prepare
from mnconvert.lowering.tensorflow import as_graph, trace
from mnconvert.quantize.plan import Moments
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph
from mninfer.outputs import read_outputs

__all__ = ["find_norms", "lower"]


def lower(model: Any, leading: LeadingLayers, config: ConvertConfig) -> Lowered:
    """Trace ``model`` once and convert it to float; other variants are made when they are asked for.

    Raises:
        UnsupportedModelError: no single picture as input, or operations that TFLite does not have.
    """
    prepared = prepare(model, leading, batch=config.batch, size=config.size, scores=config.scores)
    traced = trace(prepared)
    flatbuffer = traced.flatbuffer(Variant.NONE)
    if config.scores is not None:
        _check_scores(runnable(flatbuffer), config.scores)

    def unfused(variant: Variant) -> bytes:
        loose = trace(prepared, is_fused=False)
        return fix_feeds(loose.flatbuffer(variant), loose.feeds)

    return Lowered(
        flatbuffer=flatbuffer,
        norms=find_norms(runnable(flatbuffer), prepared.moments),
        reference=_reference(*_float_model(model, prepared, leading, config), leading),
        variant_of=cache(traced.flatbuffer),
        unfused=cache(unfused),
    )


def _check_scores(graph: Graph, asked: Scores) -> None:
    """Raise UnsupportedModelError where the first output is the other kind: nothing is put behind a network's end."""
    if read_outputs(graph).has_probabilities == (asked is Scores.PROBABILITIES):
        return
    if asked is Scores.PROBABILITIES:
        what, hint = "ends without a softmax or sigmoid: it gives logits", "keras.layers.Softmax() as the last layer"
    else:
        what, hint = "has its softmax or sigmoid in the middle of its last layers", "a network that ends before it"
    raise UnsupportedModelError(f"--scores {asked}, but the network {what}", hints=("leave --scores out", hint))


def find_norms(graph: Graph, moments: tuple[Moments, ...]) -> Mapping[int, Moments]:
    """Where each BatchNorm's output is: the last tensor in a row whose names tell of its mark."""
    found: dict[int, Moments] = {}
    for operator in graph.operators:
        output = operator.outputs[0]
        for number in mark_in(graph.tensors[output].name):
            if not _fits(graph, output, moments[number]):
                continue
            for earlier in operator.inputs:
                if found.get(earlier) is moments[number]:
                    del found[earlier]
            found[output] = moments[number]
    return found


def _fits(graph: Graph, index: int, moments: Moments) -> bool:
    return graph.tensors[index].shape[-1:] == moments.mean.shape


def _batches(tensors: npt.NDArray[np.float32], size: int) -> Iterator[npt.NDArray[np.float32]]:
    """As many at once as the model was built for, where that is fixed; the last ones are filled up with the first."""
    for first in range(0, len(tensors), size):
        part = tensors[first : first + size]
        yield part if len(part) == size else np.concatenate([part, np.repeat(part[:1], size - len(part), axis=0)])


def _float_model(model: Any, prepared: Prepared, leading: LeadingLayers, config: ConvertConfig) -> tuple[Any, bool]:
    """What the file is held against, and whether it is the model itself.

    It isn't where other scores were asked for, or where the model takes pictures of one size and resizes them itself:
    what is verified has been resized.
    """
    fixed = tuple(model.inputs[0].shape[1:3])
    is_resized = leading.size is not None and any(
        own not in (None, size) for own, size in zip(fixed, leading.size, strict=True)
    )
    return (prepared.network, False) if config.scores or is_resized else (model, True)


def _reference(model: Any, is_original: bool, leading: LeadingLayers) -> Reference:
    """The float model on normalized tensors: where it normalizes pictures itself, they are first made pixels again."""
    std, mean = (np.array(numbers, np.float32) for numbers in (leading.std, leading.mean))
    compute = as_graph(lambda given: keras.tree.flatten(model(given, training=False)), model.inputs[0].shape[1:])

    def run(tensors: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        channels = tensors.shape[-1]
        given = tensors if leading.is_idle or not is_original else tensors * std[:channels] + mean[:channels]
        runs = [compute(batch) for batch in _batches(given, model.inputs[0].shape[0] or len(given))]
        return [np.concatenate(parts)[: len(given)] for parts in zip(*runs, strict=True)]

    return run
