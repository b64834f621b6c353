"""A network that computes in float16, bfloat16 or float64 -> the same in float32, as flatbuffers have it.

Models that were trained in mixed precision keep their policy, and TFLite has no kernels for it.
"""

from typing import Any

import keras

__all__ = ["in_float32"]


def in_float32(model: Any) -> tuple[Any, tuple[str, ...]]:
    """``model`` itself, or a copy that computes in float32; and what else it computed in.

    >>> in_float32(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, dtype="mixed_float16")]))[1]
    ('float16',)
    """
    others = tuple(dict.fromkeys(dtype for layer in model._flatten_layers() if (dtype := _other(layer))))
    if not others:
        return model, ()
    copy = keras.models.clone_model(model, clone_function=_copied, recursive=True)
    copy.set_weights([keras.ops.convert_to_numpy(keras.ops.cast(each, "float32")) for each in model.weights])
    return copy, others


def _other(layer: Any) -> str:
    """What a layer's floats are computed in, where that is not float32."""
    dtype = str(layer.compute_dtype)
    return "" if dtype == "float32" or "float" not in dtype else dtype


def _copied(layer: Any) -> Any:
    config = layer.get_config()
    if isinstance(layer, keras.layers.Layer):
        config["dtype"] = "float32"
    return type(layer).from_config(config)
