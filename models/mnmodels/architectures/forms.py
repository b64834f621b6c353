"""The forms of a network: where it halves the picture, and how large a picture it takes."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import prod
from typing import Any

from mninfer.errors import MnError

__all__ = ["Form", "halving_pad", "image_shape", "norm_momentum", "strides_of"]


class Form(StrEnum):
    """``cifar`` is the form whose figures were published; ``cifar_small`` has far fewer multiply-adds."""

    IMAGENET = "imagenet"
    CIFAR = "cifar"
    CIFAR_SMALL = "cifar_small"


def strides_of(strides: Mapping[Form, tuple[int, ...]], form: str) -> tuple[int, ...]:
    """The strides of a form, the stem's first."""
    return strides[Form(form)]


def image_shape(form: str, strides: Sequence[int], stated: Sequence[int] | None) -> tuple[int, int, int]:
    """What is stated, else the form's usual picture. Raise MnError for a picture that ``strides`` leave nothing of."""
    if stated is None:
        return (224, 224, 3) if form == Form.IMAGENET else (32, 32, 3)
    height, width, channels = stated
    smallest = prod(strides)
    if min(height, width) < smallest:
        raise MnError(
            f'input_shape "{height} x {width}" is too small: form "{form}" makes pictures {smallest} times smaller',
            hints=f"input_shape: at least {smallest} x {smallest}, or a form that makes them less small",
        )
    return height, width, channels


def halving_pad(x: Any, kernel: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The zeros around ``x`` before a stride of 2, in V2 and V3: so that the weights of TensorFlow's nets fit."""
    before, after = kernel // 2 - 1, kernel // 2
    height, width = x.shape[1:3]
    return (before + height % 2, after), (before + width % 2, after)


def norm_momentum(form: str) -> float:
    """V2's and V3's: of keras.applications; in the CIFAR forms Keras' usual one, since runs there have few steps."""
    return 0.999 if form == Form.IMAGENET else 0.99
