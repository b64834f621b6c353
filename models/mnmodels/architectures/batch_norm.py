"""Batch normalization in two forms behind one switch: composed operations, or the backend's fused kernel.

Keras composes it of some ten operations (3.15, on TensorFlow and on JAX). ``fused`` runs TensorFlow's FusedBatchNormV3,
forward and backward, instead; on JAX the composed operations are what XLA fuses best, so both forms are the same there.
The form is a matter of this process: the layer stays Keras' own BatchNormalization, and so does what a file says of it.

Outputs, gradients and moving statistics agree to rounding. That holds for one layer; a whole net at random weights
turns any rounding, of either form, into gradients that differ by per cent (against float64 both are equally far off).
"""

from enum import StrEnum
from functools import partial
from typing import Any

import keras
from keras import layers

__all__ = ["Norm", "batch_norm", "norm_of", "use_norm"]

_FUSED_DTYPES = ("float32", "float16", "bfloat16")


class Norm(StrEnum):
    """The forms. ``fused`` is the default: a fifth to a third faster to train on CPU, with equal results and files."""

    COMPOSED = "composed"
    FUSED = "fused"


def batch_norm(x: Any, name: str, norm: str, *, momentum: float = 0.99, epsilon: float = 1e-3) -> Any:
    """Normalize ``x`` in the form that ``norm`` names."""
    layer = layers.BatchNormalization(axis=-1, momentum=momentum, epsilon=epsilon, name=name)
    use_norm(layer, norm)
    return layer(x)


def use_norm(model_or_layer: Any, norm: str) -> int:
    """Switch all batch normalization in a Keras model, of whatever origin, to a form; return how many layers changed.

    A model that is compiled already has to be compiled anew. Weights and saved files are not touched.
    """
    norm = Norm(norm)
    changed = 0
    for layer in _batch_norms(model_or_layer):
        if norm_of(layer) == norm:
            continue
        if norm == Norm.FUSED:
            layer.call = partial(_fused_call, layer)  # on the object, not in a class: it is saved as Keras' own layer
        else:
            del layer.call
        changed += 1
    return changed


def norm_of(layer: Any) -> Norm:
    """The form that a BatchNormalization layer runs in."""
    return Norm.FUSED if "call" in vars(layer) else Norm.COMPOSED


def _batch_norms(model_or_layer: Any) -> list[Any]:
    return [each for each in model_or_layer._flatten_layers() if type(each) is layers.BatchNormalization]


def _fused_call(layer: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    is_image = len(inputs.shape) == 4 and layer.axis in (-1, 3) and inputs.dtype in _FUSED_DTYPES
    is_special = mask is not None or layer.renorm or layer.synchronized
    if keras.backend.backend() != "tensorflow" or not is_image or is_special:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    return _fused_training(layer, inputs) if training and layer.trainable else _fused_inference(layer, inputs)


def _fused_training(layer: Any, inputs: Any) -> Any:
    import tensorflow as tf

    scale, offset = _scale_and_offset(layer, inputs)
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        inputs, scale, offset, epsilon=layer.epsilon, is_training=True
    )
    # The kernel returns the unbiased variance (Bessel: n / (n - 1)); Keras' moving statistic is of the biased one.
    count = tf.cast(tf.size(inputs, out_type=tf.int64) // inputs.shape[-1], variance.dtype)
    variance *= (count - 1.0) / count
    kept, new = layer.momentum, 1.0 - layer.momentum
    layer.moving_mean.assign(layer.moving_mean * kept + mean * new)
    layer.moving_variance.assign(layer.moving_variance * kept + variance * new)
    return outputs


def _fused_inference(layer: Any, inputs: Any) -> Any:
    import tensorflow as tf

    scale, offset = _scale_and_offset(layer, inputs)
    mean, variance = (tf.convert_to_tensor(each) for each in (layer.moving_mean, layer.moving_variance))
    return tf.compat.v1.nn.fused_batch_norm(
        inputs, scale, offset, mean=mean, variance=variance, epsilon=layer.epsilon, is_training=False
    )[0]


def _scale_and_offset(layer: Any, inputs: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    channels = inputs.shape[-1]
    scale = tf.ones(channels) if layer.gamma is None else tf.convert_to_tensor(layer.gamma)
    offset = tf.zeros(channels) if layer.beta is None else tf.convert_to_tensor(layer.beta)
    return scale, offset
