"""Weights for a network that was just built: those of ImageNet, or a Keras file's, layer by layer by name."""

import os
from dataclasses import dataclass
from typing import Any

from mninfer.errors import MnError
from mnmodels.architectures.tops import Top

__all__ = ["Pretrained", "copy_weights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretrained:
    """The weights that a builder is asked for: none, "imagenet", or the path of a Keras file.

    ``is_usual``: whether the network has the structure that ImageNet weights were made for. Refused before it is built.
    """

    weights: Any
    family: str
    alpha: float
    top: Top
    is_usual: bool

    def __post_init__(self) -> None:
        if self.weights != "imagenet":
            return
        if not self.is_usual or (self.top.include_top and self.top.classes != 1000):
            raise MnError(
                f'there are no ImageNet weights for this structure of "{self.family}"',
                hints='form="imagenet", 1000 classes or include_top=False, and nothing else but alpha and input_shape',
            )

    def give_to(self, model: Any) -> Any:
        """Set the weights of ``model``, where any were asked for; return it."""
        if self.weights == "imagenet":
            self._give_imagenet(model)
        elif self.weights is not None:
            from mnmodels.keras_file import load_keras

            copy_weights(load_keras(os.fspath(self.weights)).model, model)
        return model

    def _give_imagenet(self, model: Any) -> None:
        from mnmodels.weights.imagenet import load_imagenet_weights

        height, width, channels = model.input_shape[1:]
        if channels != 3:
            raise MnError(
                f'ImageNet weights are for pictures of 3 channels, not "{channels}"', hints="input_shape=(…, …, 3)"
            )
        size = height if height == width else 224
        load_imagenet_weights(model, family=self.family, alpha=self.alpha, size=size, include_top=self.top.include_top)


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
