"""Batch normalization behind one switch."""

from typing import Any

from keras import layers

__all__ = ["batch_norm"]


def batch_norm(x: Any, name: str, norm: str, *, momentum: float = 0.99, epsilon: float = 1e-3) -> Any:
    """Normalize ``x`` in the form that ``norm`` names."""
    return layers.BatchNormalization(axis=-1, momentum=momentum, epsilon=epsilon, name=name)(x)
