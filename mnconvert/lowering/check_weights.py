"""Refuses weights that no network computes with: TensorFlow's converter silently makes a damaged file of them."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from mninfer.errors import UnsupportedModelError

__all__ = ["check_weights"]


def check_weights(model: Any) -> None:
    """Raise UnsupportedModelError where weights are NaN or infinite, or a variance negative; lists all such layers."""
    found = dict.fromkeys(layer.name for layer in model._flatten_layers(include_self=False) if any(_wrong_in(layer)))
    if found:
        listed = ", ".join(f'"{name}"' for name in found)
        raise UnsupportedModelError(
            f"weights are not finite, or a variance is negative, in {listed}",
            offenders=tuple(found),
            hints="a checkpoint from before the training went astray",
        )


def _wrong_in(layer: Any) -> Iterator[bool]:
    """Of each weight of its own, not of the layers in it, which come by themselves."""
    for weight in (*layer._trainable_variables, *layer._non_trainable_variables):
        if "float" in str(weight.dtype):
            values = np.asarray(keras.ops.convert_to_numpy(weight), np.float64)
            yield not np.isfinite(values).all() or bool(weight.name == "moving_variance" and (values < 0).any())
