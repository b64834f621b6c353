"""Weights for a network that was just built: those of ImageNet, or a Keras file's, layer by layer by name."""

import os
from dataclasses import dataclass
from typing import Any

from mninfer.errors import MnError
from mnmodels.architectures.tops import Top

__all__ = ["Pretrained", "copy_weights", "load_pretrained"]


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What ImageNet weights are chosen by; ``is_usual``: whether the network has the structure they were made for."""

    family: str
    alpha: float
    top: Top
    is_usual: bool


def load_pretrained(model: Any, weights: Any, pretrained: Pretrained) -> None:
    """Give ``model`` the weights that its builder was asked for: none, "imagenet", or those of a Keras file."""
    if weights is None:
        return
    if weights == "imagenet":
        _load_imagenet(model, pretrained)
        return
    from mnmodels.keras_file import load_keras

    copy_weights(load_keras(os.fspath(weights)).model, model)


def _load_imagenet(model: Any, pretrained: Pretrained) -> None:
    top = pretrained.top
    if not pretrained.is_usual or (top.include_top and top.classes != 1000):
        raise MnError(
            f'there are no ImageNet weights for this structure of "{pretrained.family}"',
            hints='form="imagenet" with 1000 classes (or include_top=False) and nothing else but alpha and input_shape',
        )
    from mnmodels.weights.imagenet import load_imagenet_weights

    height, width, channels = model.input_shape[1:]
    if channels != 3:
        raise MnError(f'ImageNet weights are for pictures of 3 channels, not "{channels}"', hints="input_shape")
    load_imagenet_weights(
        model,
        family=pretrained.family,
        alpha=pretrained.alpha,
        size=height if height == width else 224,
        include_top=top.include_top,
    )


def copy_weights(source: Any, target: Any) -> None:
    """Set every weight of ``target`` from the layer of that name in ``source``. Raise MnError that lists what lacks."""
    found = {layer.name: layer for layer in source._flatten_layers() if layer.weights}
    wanted = [layer for layer in target.layers if layer.weights]
    lacking = [
        layer.name for layer in wanted if layer.name not in found or _shapes(found[layer.name]) != _shapes(layer)
    ]
    if lacking:
        raise MnError(
            f"no weights of that shape for {len(lacking)} of {len(wanted)} layers: {', '.join(lacking[:12])}"
            + (" …" if len(lacking) > 12 else ""),
            where=str(source.name),
            hints="the alpha, form and classes of the network that they were made for (include_top=False for features)",
        )
    for layer in wanted:
        layer.set_weights(found[layer.name].get_weights())


def _shapes(layer: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
