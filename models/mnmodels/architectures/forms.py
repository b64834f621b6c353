"""The forms of a network: where it halves the picture, and how large a picture it takes."""

from collections.abc import Mapping
from enum import StrEnum

from mninfer.errors import MnError
from mninfer.near import near_names

__all__ = ["Form", "image_shape", "strides_of"]


class Form(StrEnum):
    """``cifar`` is the form whose figures were published; ``cifar_small`` has far fewer multiply-adds."""

    IMAGENET = "imagenet"
    CIFAR = "cifar"
    CIFAR_SMALL = "cifar_small"


def strides_of(strides: Mapping[Form, tuple[int, ...]], form: str) -> tuple[int, ...]:
    """The strides of a form, of those that a network has."""
    if form not in strides:
        names = [str(known) for known in strides]
        raise MnError(f'no form "{form}"', hints=near_names(form, names) or f"one of {', '.join(names)}")
    return strides[Form(form)]


def image_shape(form: str, stated: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """What is stated, else the form's usual picture."""
    if stated is not None:
        return stated
    return (224, 224, 3) if form == Form.IMAGENET else (32, 32, 3)
