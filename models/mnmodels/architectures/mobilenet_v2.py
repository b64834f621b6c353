"""MobileNet V2 (Sandler et al. 2018)."""

from collections.abc import Sequence
from typing import Any

from mnmodels.architectures.forms import Form
from mnmodels.architectures.inverted_residuals import InvertedResiduals
from mnmodels.architectures.options import network_builder
from mnmodels.architectures.pretrained import Pretrained
from mnmodels.architectures.tops import Top

__all__ = ["MobileNetV2"]


@network_builder
def MobileNetV2(  # noqa: N802 - the familiar name
    *,
    input_shape: Sequence[int] | None = None,
    alpha: float = 1.0,
    expansion_factor: int = 6,
    depth_multiplier: int = 1,
    dropout: float = 0.0,
    classes: int = 1000,
    form: str = "imagenet",
    norm: str = "fused",
    include_top: bool = True,
    pooling: str | None = None,
    weights: Any = None,
    name: str | None = None,
) -> Any:
    """Build a MobileNet V2. Its input is float32 NHWC in [-1, 1], its output probabilities (n, classes).

    ``form`` is imagenet, cifar (the published one) or cifar_small. Without the top the output is the last feature map,
    pooled if asked. ``weights`` is "imagenet" (downloaded) or a Keras file of such a network.

    >>> MobileNetV2(alpha=0.35, form="cifar_small", classes=10).output_shape
    (None, 10)
    """
    top = Top(include_top=include_top, classes=classes, dropout=dropout, pooling=pooling)
    usual = form == Form.IMAGENET and (expansion_factor, depth_multiplier) == (6, 1)
    pretrained = Pretrained(weights=weights, family="mobilenet_v2", alpha=alpha, top=top, is_usual=usual)
    network = InvertedResiduals(
        alpha=alpha,
        expansion_factor=expansion_factor,
        depth_multiplier=depth_multiplier,
        form=form,
        norm=norm,
        input_shape=input_shape,
        top=top,
    )
    return pretrained.give_to(network.build(name or f"mobilenet_v2_{alpha:g}"))
