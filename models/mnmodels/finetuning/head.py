"""A trained network with a new head: everything up to the pooled features is kept, flat and by name."""

from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import layers

from mninfer.errors import UnsupportedModelError
from mninfer.near import near_names
from mnmodels.keras_file.description import unique_name

__all__ = ["features_of", "freeze", "with_new_head"]

HEAD_NAME = "predictions"
POOLS = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D)


def features_of(model: Any, cut: str | None = None) -> Any:
    """The tensor that a new head takes: the output of the layer ``cut``, else of the last global pooling.

    Raises:
        UnsupportedModelError: there is no such layer, or none pools.
    """
    names = [layer.name for layer in model.layers]
    if cut is not None:
        if cut not in names:
            raise UnsupportedModelError(
                f'the network has no layer "{cut}"',
                hints=near_names(cut, names, most=3) or "mnmodels summary lists them",
            )
        return model.get_layer(cut).output
    pools = [layer for layer in model.layers if isinstance(layer, POOLS)]
    if pools:
        return pools[-1].output
    maps = [layer for layer in model.layers if len(getattr(layer.output, "shape", ())) == 4]
    if maps and maps[-1] is model.layers[-1]:
        return maps[-1].output  # a network without a top ends in its feature map
    raise UnsupportedModelError(
        "it is not known where the features of this network end: no global pooling",
        hints="--cut LAYER, the last layer to keep; mnmodels summary lists them",
    )


def with_new_head(model: Any, num_classes: int, *, dropout: float, cut: str | None = None) -> Any:
    """A network of the same layers, up to the features, and a fresh dense softmax over ``num_classes``."""
    features = features_of(model, cut)
    taken = {kept.name for kept in keras.Model(model.inputs, features).operations}
    if len(features.shape) == 4 and tuple(features.shape[1:3]) != (1, 1):
        features = layers.GlobalAveragePooling2D(name=unique_name("head_pool", taken))(features)
    if len(features.shape) != 2:
        features = layers.Flatten(name=unique_name("head_flatten", taken))(features)
    if dropout:
        features = layers.Dropout(dropout, name=unique_name("head_dropout", taken))(features)
    outputs = layers.Dense(num_classes, activation="softmax", name=unique_name(HEAD_NAME, taken))(features)
    return keras.Model(model.inputs, outputs, name=model.name)


def freeze(model: Any, unfrozen: int) -> int:
    """Let the head and the last ``unfrozen`` layers with weights learn; return how many layers do.

    Batch normalization below the head keeps its statistics and factors: a few pictures of a user's classes would spoil
    what a million have made.
    """
    *outer, head = model.layers
    for each in outer:
        each.trainable = True  # a model inside is as trainable as its layers are, which it sets as well
    body = list(_leaves(outer))
    head.trainable = True
    weighted = [layer for layer in body if layer.weights and not isinstance(layer, layers.BatchNormalization)]
    learning = set(map(id, weighted[len(weighted) - min(unfrozen, len(weighted)) :]))
    for layer in body:
        layer.trainable = id(layer) in learning
    return 1 + len(learning)


def _leaves(found: Iterable[Any]) -> Iterator[Any]:
    """The layers themselves, those of models inside in the place of these."""
    for layer in found:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer.layers)
        else:
            yield layer
