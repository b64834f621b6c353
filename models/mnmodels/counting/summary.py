"""What a count of a network says: a row to each layer, and the totals. Plain data; nothing is counted here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["COUNTING_RULE", "Kind", "LayerRow", "PeakMemory", "Summary"]

COUNTING_RULE = (
    "One multiply-add is one product added to a sum, for a batch of 1. Counted are convolutions (plain, grouped, "
    "depthwise, transposed, separable) and matrix products (dense layers), those of squeeze-and-excitation among them; "
    "padding counts as pixels do. Not counted: biases, normalization, activations, pooling, additions, scaling. "
    "FLOPs are twice the multiply-adds."
)
"""The one rule, as --help and docs/zoo.md print it; mninfer counts the operators of a .tflite by the same."""


class Kind(StrEnum):
    """What was counted: layers of a Keras model, or operators of a flatbuffer."""

    KERAS = "keras"
    TFLITE = "tflite"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One call of a layer, or one operator.

    ``parameters`` counts weights where they are first used: a layer that is called twice has them once.
    ``trainable`` is None for a flatbuffer, which does not tell. ``condensed_macs`` is what a learned group convolution
    costs once it is regrouped, None for every other layer. ``is_counted`` is False where there is no rule for a layer
    that computes with weights: its multiply-adds are then unknown, not 0.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int = 0
    trainable: int | None = None
    macs: int = 0
    condensed_macs: int | None = None
    condensed_parameters: int | None = None
    is_counted: bool = True

    def to_json(self) -> dict[str, Any]:
        row = {
            "name": self.name,
            "kind": self.kind,
            "output_shape": list(self.output_shape),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "macs": self.macs if self.is_counted else None,
        }
        if self.condensed_macs is not None:
            row |= {"condensed_macs": self.condensed_macs, "condensed_parameters": self.condensed_parameters}
        return row


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """The most that activations take at once, and the layer that runs then (None: a flatbuffer)."""

    size_bytes: int
    layer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A network, counted by ``COUNTING_RULE`` for ``input_shapes`` (batch 1, but for a flatbuffer of a fixed one)."""

    name: str
    kind: Kind
    input_shapes: tuple[tuple[int, ...], ...]
    layers: tuple[LayerRow, ...]
    peak: PeakMemory

    @property
    def parameters(self) -> int:
        """All of them, statistics of batch normalization included."""
        return sum(row.parameters for row in self.layers)

    @property
    def trainable(self) -> int | None:
        """Those that training changes; None for a flatbuffer."""
        if self.kind is Kind.TFLITE:
            return None
        return sum(row.trainable or 0 for row in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of one run, without ``uncounted`` layers."""
        return sum(row.macs for row in self.layers)

    @property
    def flops(self) -> int:
        """Two to a multiply-add."""
        return 2 * self.macs

    @property
    def condensed_macs(self) -> int | None:
        """Multiply-adds after regrouping; None where there is no learned group convolution."""
        if all(row.condensed_macs is None for row in self.layers):
            return None
        return sum(row.macs if row.condensed_macs is None else row.condensed_macs for row in self.layers)

    @property
    def condensed_trainable(self) -> int | None:
        """Trainable parameters after regrouping; None where there is no learned group convolution."""
        if self.trainable is None or self.condensed_macs is None:
            return None
        spared = sum(
            row.trainable - row.condensed_parameters
            for row in self.layers
            if row.condensed_parameters is not None and row.trainable
        )
        return self.trainable - spared

    @property
    def uncounted(self) -> tuple[LayerRow, ...]:
        """Layers whose multiply-adds are unknown."""
        return tuple(row for row in self.layers if not row.is_counted)

    def to_json(self) -> dict[str, Any]:
        """The whole count, as ``mnmodels summary --json`` prints it."""
        condensed = (
            {}
            if self.condensed_macs is None
            else {"condensed_macs": self.condensed_macs, "condensed_trainable": self.condensed_trainable}
        )
        return {
            "schema": 1,
            "model": self.name,
            "kind": str(self.kind),
            "input_shapes": [list(shape) for shape in self.input_shapes],
            "num_layers": len(self.layers),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "macs": self.macs,
            "flops": self.flops,
            **condensed,
            "peak_activation_bytes": self.peak.size_bytes,
            "peak_layer": self.peak.layer,
            "uncounted": [row.name for row in self.uncounted],
            "layers": [row.to_json() for row in self.layers],
        }
