"""What a network wants: its layers with weights in order, as plain data that translation and fitting work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["LayerSlots", "Network", "network_of"]

_KINDS = {"Conv2D": "conv", "DepthwiseConv2D": "depthwise", "Dense": "dense", "BatchNormalization": "norm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSlots:
    """A layer with weights: ``shapes`` by variable, in Keras' order; ``kind`` conv, depthwise, dense, norm or other.

    ``norm`` is the batch normalization that follows at once, ``epsilon`` that of a norm.
    """

    name: str
    kind: str
    shapes: Mapping[str, tuple[int, ...]]
    norm: str | None = None
    epsilon: float = 0.0


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in the order of the data's way through them."""

    name: str
    layers: tuple[LayerSlots, ...]

    @property
    def targets(self) -> dict[str, tuple[int, ...]]:
        """All places for weights, as ``layer/variable``, with their shapes."""
        return {f"{layer.name}/{name}": shape for layer in self.layers for name, shape in layer.shapes.items()}

    def layer(self, name: str) -> LayerSlots | None:
        """The layer of that name; None where there is none."""
        return next((layer for layer in self.layers if layer.name == name), None)

    @property
    def head(self) -> LayerSlots | None:
        """The classifier: the last layer, where its outputs are not normalized."""
        last = self.layers[-1] if self.layers else None
        return last if last is not None and last.kind in ("conv", "dense") and last.norm is None else None


def network_of(model: Any) -> Network:
    """The layers of a Keras model that have weights."""
    norms = {id(layer.input): layer.name for layer in model.layers if type(layer).__name__ == "BatchNormalization"}
    layers = [
        LayerSlots(
            name=layer.name,
            kind=_kind(layer),
            shapes={variable.name: tuple(variable.shape) for variable in layer.weights},
            norm=norms.get(id(layer.output)),
            epsilon=float(getattr(layer, "epsilon", 0.0)),
        )
        for layer in model.layers
        if layer.weights
    ]
    return Network(model.name, tuple(layers))


def _kind(layer: Any) -> str:
    """By the nearest known class: our convolutions are made from Keras' own."""
    return next((_KINDS[base.__name__] for base in type(layer).__mro__ if base.__name__ in _KINDS), "other")
