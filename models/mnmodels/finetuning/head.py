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
        return _output_of(model, model.get_layer(cut))
    pools = [layer for layer in model.layers if _pools(layer)]
    if pools:
        return _output_of(model, pools[-1])
    if len(model.outputs) == 1 and len(model.outputs[0].shape) == 4:
        return model.outputs[0]  # a network without a top ends in its feature map
    raise UnsupportedModelError(
        "it is not known where the features of this network end: no global pooling",
        hints="--cut LAYER, the last layer to keep; mnmodels summary lists them",
    )


def _pools(layer: Any) -> bool:
    """Whether it is a global pooling, or a model that ends in one."""
    return isinstance(layer, POOLS) or (isinstance(layer, keras.Model) and _pools(layer.layers[-1]))


def _output_of(model: Any, layer: Any) -> Any:
    """What a layer gives when this network last calls it; ``layer.output`` is of its first call, or inside of it."""
    depths = getattr(model, "_functional", model)._nodes_by_depth  # a Sequential keeps its graph apart
    calls = [node for depth in sorted(depths, reverse=True) for node in depths[depth] if node.operation is layer]
    outputs = calls[-1].output_tensors
    if len(outputs) != 1:
        raise UnsupportedModelError(f'the layer "{layer.name}" has {len(outputs)} outputs', hints="--cut another")
    return outputs[0]


def with_new_head(model: Any, num_classes: int, *, dropout: float, cut: str | None = None) -> Any:
    """A network of the same layers, up to the features, and a fresh dense softmax over ``num_classes``."""
    features = features_of(model, cut)
    taken = {kept.name for kept in keras.Model(model.inputs[0], features).operations}
    if len(features.shape) == 4 and tuple(features.shape[1:3]) != (1, 1):
        features = layers.GlobalAveragePooling2D(name=unique_name("head_pool", taken))(features)
    if len(features.shape) != 2:
        features = layers.Flatten(name=unique_name("head_flatten", taken))(features)
    if dropout:
        features = layers.Dropout(dropout, name=unique_name("head_dropout", taken))(features)
    outputs = layers.Dense(num_classes, activation="softmax", name=unique_name(HEAD_NAME, taken))(features)
    return keras.Model(model.inputs[0], outputs, name=model.name)


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
