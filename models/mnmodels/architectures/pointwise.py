"""The 1×1 convolution of a block, in three kinds: plain, in groups, in learned groups."""

from dataclasses import dataclass
from enum import StrEnum
from math import gcd
from typing import Any

from keras import layers

from mnmodels.architectures.channel_gather import ChannelGather, interleaved
from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D
from mnmodels.architectures.widths import check_divides

__all__ = ["Grouping", "Pointwise", "pointwise_conv"]


class Pointwise(StrEnum):
    """The kinds."""

    PLAIN = "plain"
    GROUP = "group"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How the 1×1 convolutions of a network's blocks are grouped."""

    expansion: Pointwise = Pointwise.PLAIN
    projection: Pointwise = Pointwise.PLAIN
    groups: int = 1
    condense_factor: int = 1
    lasso: float = 0.0
    shuffle: bool = False

    def shuffled(self, x: Any, name: str) -> Any:
        """``x`` shuffled between two group convolutions: else a group would see itself alone, all through the net."""
        if not (self.shuffle and self.expansion == self.projection == Pointwise.GROUP):
            return x
        return ChannelGather(interleaved(int(x.shape[-1]), self.groups), name=name)(x)


def pointwise_conv(x: Any, filters: int, name: str, kind: Pointwise, grouping: Grouping) -> Any:
    """A 1×1 convolution of a kind. Raise MnError where the groups don't divide its channels."""
    if kind == Pointwise.PLAIN:
        return layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)
    channels, groups = int(x.shape[-1]), grouping.groups
    if kind == Pointwise.LEARNED:
        learned = LearnedGroupConv2D(
            filters, groups=groups, condense_factor=grouping.condense_factor, lasso=grouping.lasso, name=name
        )
        return learned(x)
    check_divides(name, "groups", groups, gcd(channels, filters))
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, groups=groups, name=name)(x)
