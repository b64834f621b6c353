"""A network whose one input is in a list or by name, as ``keras.Model([x], y)`` -> one that takes the tensor itself."""

from typing import Any

import keras

__all__ = ["bare_input"]


def bare_input(model: Any) -> Any:
    """``model`` itself, or another face of its layers.

    >>> x = keras.Input((8, 8, 3))
    >>> type(bare_input(keras.Model([x], keras.layers.Flatten()(x))).input).__name__
    'KerasTensor'
    """
    if isinstance(model, keras.Sequential):  # takes the tensor; one of networks has no ``input`` to ask
        return model
    if len(model.inputs) != 1 or isinstance(model.input, keras.KerasTensor):
        return model
    return keras.Model(model.inputs[0], model.output, name=model.name)
