"""MobileNet V2 with grouped 1×1 convolutions: in groups from the start (GC), or in groups that are learned (LGC)."""

from collections.abc import Sequence
from typing import Any

from mninfer.errors import MnError
from mnmodels.architectures.inverted_residuals import InvertedResiduals
from mnmodels.architectures.options import network_builder
from mnmodels.architectures.pointwise import Grouping, Pointwise
from mnmodels.architectures.tops import Top

__all__ = ["MobileNetV2GC", "MobileNetV2LGC"]


@network_builder
def MobileNetV2GC(  # noqa: N802 - beside the familiar name
    *,
    input_shape: Sequence[int] | None = None,
    alpha: float = 1.0,
    expansion_factor: int = 6,
    depth_multiplier: int = 1,
    groups: int = 4,
    expansion: str = "group",
    projection: str = "group",
    shuffle: bool = True,
    dropout: float = 0.0,
    classes: int = 1000,
    form: str = "imagenet",
    norm: str = "fused",
    include_top: bool = True,
    pooling: str | None = None,
    name: str | None = None,
) -> Any:
    """Build a MobileNet V2 whose expansions and projections (plain or group) are group convolutions.

    Where both are, channels are shuffled between them (ShuffleNet), unless told not to. The first block, which has no
    expansion, keeps its projection.

    >>> MobileNetV2GC(alpha=0.35, form="cifar_small", classes=10).get_layer("block_1_expand").groups
    4
    """
    _no_learned(expansion=expansion, projection=projection)
    network = InvertedResiduals(
        alpha=alpha,
        expansion_factor=expansion_factor,
        depth_multiplier=depth_multiplier,
        form=form,
        norm=norm,
        input_shape=input_shape,
        top=Top(include_top=include_top, classes=classes, dropout=dropout, pooling=pooling),
        grouping=Grouping(
            expansion=Pointwise(expansion), projection=Pointwise(projection), groups=groups, shuffle=shuffle
        ),
    )
    return network.build(name or f"mobilenet_v2_gc_{alpha:g}")


@network_builder
def MobileNetV2LGC(  # noqa: N802 - beside the familiar name
    *,
    input_shape: Sequence[int] | None = None,
    alpha: float = 1.0,
    expansion_factor: int = 6,
    depth_multiplier: int = 1,
    groups: int = 4,
    condense_factor: int = 4,
    lasso: float = 1e-5,
    expansion: str = "learned",
    projection: str = "learned",
    dropout: float = 0.0,
    classes: int = 1000,
    form: str = "imagenet",
    norm: str = "fused",
    include_top: bool = True,
    pooling: str | None = None,
    name: str | None = None,
) -> Any:
    """Build a MobileNet V2 whose expansions and projections (plain, group or learned) learn their groups in training.

    It starts dense; ``condensing`` prunes it while it trains, and ``regroup`` makes standard group convolutions of it.
    The first block, which has no expansion, keeps its projection.

    >>> MobileNetV2LGC(alpha=0.35, form="cifar_small", classes=10).get_layer("block_1_expand").condense_factor
    4
    """
    grouping = Grouping(
        expansion=Pointwise(expansion),
        projection=Pointwise(projection),
        groups=groups,
        condense_factor=condense_factor,
        lasso=lasso,
        shuffle=True,
    )
    network = InvertedResiduals(
        alpha=alpha,
        expansion_factor=expansion_factor,
        depth_multiplier=depth_multiplier,
        form=form,
        norm=norm,
        input_shape=input_shape,
        top=Top(include_top=include_top, classes=classes, dropout=dropout, pooling=pooling),
        grouping=grouping,
    )
    return network.build(name or f"mobilenet_v2_lgc_{alpha:g}")


def _no_learned(**kinds: str) -> None:
    for option, kind in kinds.items():
        if kind == Pointwise.LEARNED:
            raise MnError(
                f'MobileNetV2GC can\'t have {option} "{kind}"', hints="plain or group; mobilenet_v2_lgc learns"
            )
