"""When a net of learned groups loses inputs, and the losing: for whoever trains it."""

from typing import Any

from mninfer.errors import MnError
from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D

__all__ = ["condense_factor_of", "condense_model", "condensing_schedule", "learned_group_convs"]


def condensing_schedule(total_epochs: int, condense_factor: int) -> dict[int, int]:
    """Which stage begins at which epoch (counted from 0): evenly over the first half (CondenseNet, section 3.2).

    A net is to be condensed *before* it trains that epoch. Where epochs are few, stages that fall on one are one.

    >>> condensing_schedule(30, 4)
    {5: 1, 10: 2, 15: 3}
    >>> condensing_schedule(2, 4)
    {0: 2, 1: 3}
    """
    if total_epochs < 1 or condense_factor < 1:
        raise MnError(
            f'no condensing over "{total_epochs}" epochs by a factor "{condense_factor}"', hints="both: at least 1"
        )
    stages = range(1, condense_factor)
    return {total_epochs * stage // (2 * len(stages)): stage for stage in stages}


def condense_model(model: Any, stage: int) -> int:
    """Condense every learned group convolution of a model to ``stage``, at most its last; return how many there are.

    It depends on the weights alone: a run that goes on after a stop condenses as one that never stopped.
    """
    convs = learned_group_convs(model)
    for conv in convs:
        conv.condense(min(stage, conv.condense_factor - 1))
    return len(convs)


def condense_factor_of(model: Any) -> int:
    """The greatest condense factor of a model's layers; 1 for a net that has none to condense."""
    return max((conv.condense_factor for conv in learned_group_convs(model)), default=1)


def learned_group_convs(model: Any) -> list[LearnedGroupConv2D]:
    """A model's learned group convolutions, those of models inside it included."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, LearnedGroupConv2D)]
