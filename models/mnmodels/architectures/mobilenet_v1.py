"""MobileNet V1 (Howard et al. 2017): a stem and 13 pairs of a depthwise and a pointwise convolution.

Layers are named as in ``keras.applications``, so that weights load by name in both directions.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from mninfer.errors import MnError
from mnmodels.architectures.batch_norm import batch_norm
from mnmodels.architectures.forms import Form, image_shape, strides_of
from mnmodels.architectures.options import network_builder
from mnmodels.architectures.pretrained import Pretrained
from mnmodels.architectures.tops import Top

__all__ = ["MobileNet"]

STEM_FILTERS = 32
FILTERS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
STRIDED_BLOCKS = (2, 4, 6, 12)  # the four blocks that halve the picture in the ImageNet form, counted from 1
STRIDES = {  # of the stem, then of the strided blocks
    Form.IMAGENET: (2, 2, 2, 2, 2),
    Form.CIFAR: (1, 1, 1, 2, 2),
    Form.CIFAR_SMALL: (1, 2, 2, 1, 2),
}


@network_builder
def MobileNet(  # noqa: N802 - the familiar name
    *,
    input_shape: Sequence[int] | None = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    classes: int = 1000,
    form: str = "imagenet",
    norm: str = "fused",
    include_top: bool = True,
    pooling: str | None = None,
    weights: Any = None,
    name: str | None = None,
) -> Any:
    """Build a MobileNet V1. Its input is float32 NHWC in [-1, 1], its output probabilities (n, classes).

    ``form`` is imagenet, cifar (the published one) or cifar_small. Without the top the output is the last feature map,
    pooled if asked. ``weights`` is "imagenet" (downloaded) or a Keras file of such a network.

    >>> MobileNet(alpha=0.25, form="cifar_small", classes=10).output_shape
    (None, 10)
    """
    stem = int(STEM_FILTERS * alpha)
    if stem < 1:
        raise MnError(
            f'MobileNet can\'t have alpha "{alpha:g}": its first convolution would have no filter',
            hints=f"alpha: at least {1 / STEM_FILTERS:g}",
        )
    top = Top(include_top=include_top, classes=classes, dropout=dropout, pooling=pooling)
    usual = form == Form.IMAGENET and depth_multiplier == 1
    pretrained = Pretrained(weights=weights, family="mobilenet_v1", alpha=alpha, top=top, is_usual=usual)
    strides = strides_of(STRIDES, form)
    inputs = layers.Input(image_shape(form, strides, input_shape))
    x = layers.Conv2D(stem, 3, strides=strides[0], padding="same", use_bias=False, name="conv1")(inputs)
    x = _norm_and_relu(x, "conv1", norm)
    for block, filters in enumerate(FILTERS, start=1):
        stride = strides[1 + STRIDED_BLOCKS.index(block)] if block in STRIDED_BLOCKS else 1
        x = _separable_block(x, block, int(filters * alpha), stride, depth_multiplier, norm)
    x = _classifier(x, top) if include_top else top.pooled(x)
    return pretrained.give_to(keras.Model(inputs, x, name=name or f"mobilenet_v1_{alpha:g}"))


def _separable_block(x: Any, block: int, filters: int, stride: int, depth_multiplier: int, norm: str) -> Any:
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{block}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{block}",
    )(x)
    x = _norm_and_relu(x, f"conv_dw_{block}", norm)
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{block}")(x)
    return _norm_and_relu(x, f"conv_pw_{block}", norm)


def _norm_and_relu(x: Any, name: str, norm: str) -> Any:
    return layers.ReLU(6.0, name=f"{name}_relu")(batch_norm(x, f"{name}_bn", norm))


def _classifier(x: Any, top: Top) -> Any:
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
    x = top.dropped_out(x)
    x = layers.Conv2D(top.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((top.classes,), name="reshape_2")(x)
    return layers.Activation("softmax", name="predictions")(x)
