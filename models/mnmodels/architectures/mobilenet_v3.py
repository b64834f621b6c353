"""MobileNet V3 (Howard et al. 2019), small and large: inverted residuals with squeeze-and-excitation and hard-swish.

Layers are named as in ``keras.applications``, so that weights load by name in both directions; the input is in [-1, 1],
as theirs is with ``include_preprocessing=False``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from mnmodels.architectures.batch_norm import batch_norm
from mnmodels.architectures.forms import Form, halving_pad, image_shape, norm_momentum, strides_of
from mnmodels.architectures.options import network_builder
from mnmodels.architectures.pretrained import Pretrained
from mnmodels.architectures.tops import Top
from mnmodels.architectures.widths import divisible

__all__ = ["MobileNetV3Large", "MobileNetV3Small"]


@dataclass(frozen=True, slots=True)
class _Block:
    """A row of the paper's tables 1 and 2; ``is_swish`` is its column NL, ``has_se`` its column SE."""

    expansion: float
    filters: int
    kernel: int
    has_se: bool
    is_swish: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variant:
    """Small or large: its blocks, which of them halve the picture, and the width of its last layer."""

    name: str
    blocks: tuple[_Block, ...]
    strided: tuple[int, ...]
    last_filters: int


STRIDES = {  # of the stem, then of the strided blocks
    Form.IMAGENET: (2, 2, 2, 2, 2),
    Form.CIFAR: (1, 1, 1, 2, 2),
    Form.CIFAR_SMALL: (1, 2, 2, 1, 2),
}

SMALL = _Variant(
    name="mobilenet_v3_small",
    blocks=(
        _Block(1, 16, 3, has_se=True, is_swish=False),
        _Block(72 / 16, 24, 3, has_se=False, is_swish=False),
        _Block(88 / 24, 24, 3, has_se=False, is_swish=False),
        _Block(4, 40, 5, has_se=True, is_swish=True),
        _Block(6, 40, 5, has_se=True, is_swish=True),
        _Block(6, 40, 5, has_se=True, is_swish=True),
        _Block(3, 48, 5, has_se=True, is_swish=True),
        _Block(3, 48, 5, has_se=True, is_swish=True),
        _Block(6, 96, 5, has_se=True, is_swish=True),
        _Block(6, 96, 5, has_se=True, is_swish=True),
        _Block(6, 96, 5, has_se=True, is_swish=True),
    ),
    strided=(0, 1, 3, 8),
    last_filters=1024,
)

LARGE = _Variant(
    name="mobilenet_v3_large",
    blocks=(
        _Block(1, 16, 3, has_se=False, is_swish=False),
        _Block(4, 24, 3, has_se=False, is_swish=False),
        _Block(3, 24, 3, has_se=False, is_swish=False),
        _Block(3, 40, 5, has_se=True, is_swish=False),
        _Block(3, 40, 5, has_se=True, is_swish=False),
        _Block(3, 40, 5, has_se=True, is_swish=False),
        _Block(6, 80, 3, has_se=False, is_swish=True),
        _Block(2.5, 80, 3, has_se=False, is_swish=True),
        _Block(2.3, 80, 3, has_se=False, is_swish=True),
        _Block(2.3, 80, 3, has_se=False, is_swish=True),
        _Block(6, 112, 3, has_se=True, is_swish=True),
        _Block(6, 112, 3, has_se=True, is_swish=True),
        _Block(6, 160, 5, has_se=True, is_swish=True),
        _Block(6, 160, 5, has_se=True, is_swish=True),
        _Block(6, 160, 5, has_se=True, is_swish=True),
    ),
    strided=(1, 3, 6, 12),
    last_filters=1280,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Network:
    """A V3 as it is to be built. ``minimalistic``: no squeeze-and-excitation, no hard-swish, no 5×5 kernels."""

    variant: _Variant
    alpha: float
    minimalistic: bool
    form: str
    norm: str
    input_shape: Sequence[int] | None
    top: Top

    def build(self, name: str) -> Any:
        stem_stride, *block_strides = strides = strides_of(STRIDES, self.form)
        inputs = layers.Input(image_shape(self.form, strides, self.input_shape))
        x = layers.Conv2D(16, 3, strides=stem_stride, padding="same", use_bias=False, name="conv")(inputs)
        x = self._activated(self._norm(x, "conv_bn"), "conv_act", is_swish=True)
        for number, block in enumerate(self.variant.blocks):
            is_strided = number in self.variant.strided
            stride = block_strides[self.variant.strided.index(number)] if is_strided else 1
            x = self._block(x, number, block, stride)
        last = divisible(int(x.shape[-1]) * 6)
        x = layers.Conv2D(last, 1, padding="same", use_bias=False, name="conv_1")(x)
        x = self._activated(self._norm(x, "conv_1_bn"), "conv_1_act", is_swish=True)
        return keras.Model(inputs, self._end(x), name=name)

    def _block(self, inputs: Any, number: int, block: _Block, stride: int) -> Any:
        prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
        channels, filters = int(inputs.shape[-1]), divisible(block.filters * self.alpha)
        kernel = 3 if self.minimalistic else block.kernel
        expanded = divisible(channels * block.expansion)
        x = inputs
        if number:
            x = layers.Conv2D(expanded, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
            x = self._activated(self._norm(x, f"{prefix}expand_bn"), f"{prefix}expand_act", is_swish=block.is_swish)
        if stride == 2:
            x = layers.ZeroPadding2D(halving_pad(x, kernel), name=f"{prefix}depthwise_pad")(x)
        padding = "same" if stride == 1 else "valid"
        x = layers.DepthwiseConv2D(kernel, strides=stride, padding=padding, use_bias=False, name=f"{prefix}depthwise")(
            x
        )
        x = self._activated(self._norm(x, f"{prefix}depthwise_bn"), f"{prefix}depthwise_act", is_swish=block.is_swish)
        if block.has_se and not self.minimalistic:
            x = _squeeze_excite(x, expanded, f"{prefix}squeeze_excite_")
        x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
        x = self._norm(x, f"{prefix}project_bn")
        if stride == 1 and channels == filters:
            x = layers.Add(name=f"{prefix}add")([inputs, x])
        return x

    def _norm(self, x: Any, name: str) -> Any:
        return batch_norm(x, name, self.norm, momentum=norm_momentum(self.form))

    def _activated(self, x: Any, name: str, *, is_swish: bool) -> Any:
        if is_swish and not self.minimalistic:
            return layers.Activation("hard_swish", name=name)(x)
        return layers.ReLU(name=name)(x)

    def _end(self, x: Any) -> Any:
        if not self.top.include_top:
            return self.top.pooled(x)
        filters = self.variant.last_filters
        filters = divisible(filters * self.alpha) if self.alpha > 1 else filters
        x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
        x = layers.Conv2D(filters, 1, padding="same", name="conv_2")(x)
        x = self.top.dropped_out(self._activated(x, "conv_2_act", is_swish=True))
        x = layers.Conv2D(self.top.classes, 1, padding="same", name="logits")(x)
        x = layers.Flatten(name="flatten")(x)
        return layers.Activation("softmax", name="predictions")(x)


def _squeeze_excite(inputs: Any, filters: int, prefix: str) -> Any:
    x = layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}avg_pool")(inputs)
    x = layers.Conv2D(divisible(filters * 0.25), 1, padding="same", name=f"{prefix}conv")(x)
    x = layers.ReLU(name=f"{prefix}relu")(x)
    x = layers.Conv2D(filters, 1, padding="same", name=f"{prefix}conv_1")(x)
    x = layers.Activation("hard_sigmoid", name=f"{prefix}gate")(x)
    return layers.Multiply(name=f"{prefix}mul")([inputs, x])


def _build(network: _Network, weights: Any, name: str | None) -> Any:
    family = f"{network.variant.name}_minimalistic" if network.minimalistic else network.variant.name
    usual = network.form == Form.IMAGENET
    pretrained = Pretrained(weights=weights, family=family, alpha=network.alpha, top=network.top, is_usual=usual)
    return pretrained.give_to(network.build(name or f"{family}_{network.alpha:g}"))


@network_builder
def MobileNetV3Small(  # noqa: N802 - the familiar name
    *,
    input_shape: Sequence[int] | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    dropout: float = 0.2,
    classes: int = 1000,
    form: str = "imagenet",
    norm: str = "fused",
    include_top: bool = True,
    pooling: str | None = None,
    weights: Any = None,
    name: str | None = None,
) -> Any:
    """Build a MobileNet V3 small. Its input is float32 NHWC in [-1, 1], its output probabilities (n, classes).

    ``form`` is imagenet, cifar or cifar_small (ours: none was published). Without the top the output is the last
    feature map, pooled if asked. ``weights`` is "imagenet" (downloaded) or a Keras file of such a network.

    >>> MobileNetV3Small(alpha=0.35, form="cifar_small", classes=10).output_shape
    (None, 10)
    """
    network = _Network(
        variant=SMALL,
        alpha=alpha,
        minimalistic=minimalistic,
        form=form,
        norm=norm,
        input_shape=input_shape,
        top=Top(include_top=include_top, classes=classes, dropout=dropout, pooling=pooling),
    )
    return _build(network, weights, name)


@network_builder
def MobileNetV3Large(  # noqa: N802 - the familiar name
    *,
    input_shape: Sequence[int] | None = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    dropout: float = 0.2,
    classes: int = 1000,
    form: str = "imagenet",
    norm: str = "fused",
    include_top: bool = True,
    pooling: str | None = None,
    weights: Any = None,
    name: str | None = None,
) -> Any:
    """Build a MobileNet V3 large. Its input is float32 NHWC in [-1, 1], its output probabilities (n, classes).

    ``form`` is imagenet, cifar or cifar_small (ours: none was published). Without the top the output is the last
    feature map, pooled if asked. ``weights`` is "imagenet" (downloaded) or a Keras file of such a network.

    >>> MobileNetV3Large(alpha=0.35, form="cifar_small", classes=10).output_shape
    (None, 10)
    """
    network = _Network(
        variant=LARGE,
        alpha=alpha,
        minimalistic=minimalistic,
        form=form,
        norm=norm,
        input_shape=input_shape,
        top=Top(include_top=include_top, classes=classes, dropout=dropout, pooling=pooling),
    )
    return _build(network, weights, name)
