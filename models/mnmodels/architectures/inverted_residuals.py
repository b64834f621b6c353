"""The body of MobileNet V2 and of its grouped twins: a stem, 17 inverted residual blocks, a last 1×1 convolution.

Layers are named as in ``keras.applications``, so that weights load by name in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import layers

from mnmodels.architectures.batch_norm import batch_norm
from mnmodels.architectures.forms import Form, halving_pad, image_shape, norm_momentum, strides_of
from mnmodels.architectures.pointwise import Grouping, Pointwise, pointwise_conv
from mnmodels.architectures.tops import Top
from mnmodels.architectures.widths import divisible

__all__ = ["InvertedResiduals"]

STAGES = ((16, 1), (24, 2), (32, 3), (64, 4), (96, 3), (160, 3), (320, 1))  # channels, blocks: table 2 of the paper
STRIDES = {  # of the stem, then of each stage's first block
    Form.IMAGENET: (2, 1, 2, 2, 2, 1, 2, 1),
    Form.CIFAR: (1, 1, 1, 1, 2, 1, 2, 1),
    Form.CIFAR_SMALL: (1, 1, 2, 1, 2, 1, 2, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvertedResiduals:
    """A network as it is to be built."""

    alpha: float
    expansion_factor: int
    depth_multiplier: int
    form: str
    norm: str
    input_shape: Sequence[int] | None
    top: Top
    grouping: Grouping = field(default_factory=Grouping)

    def build(self, name: str) -> Any:
        """The Keras model."""
        strides = strides_of(STRIDES, self.form)
        inputs = layers.Input(image_shape(self.form, strides, self.input_shape))
        stem = divisible(32 * self.alpha)
        x = layers.Conv2D(stem, 3, strides=strides[0], padding="same", use_bias=False, name="Conv1")(inputs)
        x = self._norm(x, "bn_Conv1", "Conv1_relu")
        block = 0
        for (filters, blocks), stride in zip(STAGES, strides[1:], strict=True):
            for place in range(blocks):
                x = self._block(x, block, divisible(int(filters * self.alpha)), stride if place == 0 else 1)
                block += 1
        last = divisible(1280 * max(self.alpha, 1.0))  # the paper doesn't narrow the last one
        x = layers.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
        x = self._norm(x, "Conv_1_bn", "out_relu")
        return keras.Model(inputs, self._end(x), name=name)

    def _block(self, inputs: Any, block: int, filters: int, stride: int) -> Any:
        prefix = f"block_{block}_" if block else "expanded_conv_"
        channels = int(inputs.shape[-1])
        x = self._expand(inputs, prefix, channels * self.expansion_factor) if block else inputs
        if stride == 2:
            x = layers.ZeroPadding2D(halving_pad(x, 3), name=f"{prefix}pad")(x)
        x = layers.DepthwiseConv2D(
            3,
            strides=stride,
            padding="same" if stride == 1 else "valid",
            depth_multiplier=self.depth_multiplier,
            use_bias=False,
            name=f"{prefix}depthwise",
        )(x)
        x = self._norm(x, f"{prefix}depthwise_BN", f"{prefix}depthwise_relu")
        kind = self.grouping.projection if block else Pointwise.PLAIN
        x = pointwise_conv(x, filters, f"{prefix}project", kind, self.grouping)
        x = self._norm(x, f"{prefix}project_BN")
        if channels == filters and stride == 1:
            x = layers.Add(name=f"{prefix}add")([inputs, x])
        return x

    def _expand(self, x: Any, prefix: str, filters: int) -> Any:
        x = pointwise_conv(x, filters, f"{prefix}expand", self.grouping.expansion, self.grouping)
        x = self._norm(x, f"{prefix}expand_BN", f"{prefix}expand_relu")
        return self.grouping.shuffled(x, f"{prefix}shuffle")

    def _norm(self, x: Any, name: str, relu: str | None = None) -> Any:
        x = batch_norm(x, name, self.norm, momentum=norm_momentum(self.form))
        return layers.ReLU(6.0, name=relu)(x) if relu else x

    def _end(self, x: Any) -> Any:
        if not self.top.include_top:
            return self.top.pooled(x)
        x = layers.GlobalAveragePooling2D(name="global_average_pooling2d")(x)
        return layers.Dense(self.top.classes, activation="softmax", name="predictions")(self.top.dropped_out(x))
