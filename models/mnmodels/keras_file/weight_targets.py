"""Where weights go: a network's layers that have any, and the values found for their variables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import KerasFileError
from mnmodels.keras_file.build import Built
from mnmodels.keras_file.description import LayerKind, ModelPlan

__all__ = ["FoundWeights", "Target", "targets_of_model", "targets_of_plan"]

MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Target:
    """A layer with weights. ``name`` and ``saved_class`` are the file's words; ``inside`` are a model's layers."""

    name: str
    saved_class: str
    layer: Any
    inside: tuple["Target", ...] = ()

    @property
    def variables(self) -> list[Any]:
        """The layer's weights, trainable ones first: the order in which Keras has always saved them."""
        return list(self.layer.trainable_weights) + list(self.layer.non_trainable_weights)

    def leaves(self) -> Iterator["Target"]:
        """The layer itself, or all layers of the model that it is."""
        if not self.inside:
            yield self
        for target in self.inside:
            yield from target.leaves()


def targets_of_plan(plan: ModelPlan, built: Built) -> tuple[Target, ...]:
    """The layers of a network that a file describes."""
    targets = []
    for planned in plan.layers:
        layer = built.layers.get(id(planned))
        if layer is None or planned.kind is LayerKind.OPERATION or not layer.weights:
            continue
        inside = targets_of_plan(planned.what, built) if planned.kind is LayerKind.MODEL else ()
        targets.append(Target(planned.saved_name, planned.saved_class, layer, inside))
    return tuple(targets)


def targets_of_model(model: Any) -> tuple[Target, ...]:
    """The layers of a network that we built."""
    return tuple(
        Target(layer.name, type(layer).__name__, layer, targets_of_model(layer) if hasattr(layer, "layers") else ())
        for layer in model.layers
        if layer.weights
    )


@dataclass(slots=True)
class FoundWeights:
    """Values by the identity (``id``) of the variable that they are for, and all that does not fit."""

    values: dict[int, NDArray[Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def give(self, target: Target, variable: Any, array: NDArray[Any]) -> None:
        """Take ``array`` for ``variable``, or note why it cannot be."""
        wanted = tuple(int(size) for size in variable.shape)
        where = f'"{target.name}" {variable.name}'
        if array.shape != wanted:
            self.problems.append(f"{where}: {array.shape} in the file, the network wants {wanted}")
        elif array.dtype.kind == "f" and not np.isfinite(array).all():
            self.problems.append(f"{where}: {int((~np.isfinite(array)).sum())} of its numbers are not finite")
        else:
            self.values[id(variable)] = array

    def check(self, targets: tuple[Target, ...]) -> None:
        """Raise KerasFileError that lists what does not fit, or is not there."""
        if not self.problems:
            self.problems = [
                f'"{target.name}" has no weights in the file'
                for top in targets
                for target in top.leaves()
                if any(id(variable) not in self.values for variable in target.layer.weights)
            ]
        if not self.problems:
            return
        more = len(self.problems) - MAX_PROBLEMS
        lines = self.problems[:MAX_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise KerasFileError(
            "\n".join(("the weights do not fit the network:", *(f"  {line}" for line in lines))),
            hints=(
                "save or download the file again",
                "numbers that are not finite: the training ran away, take an earlier file",
            ),
        )
