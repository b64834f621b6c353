"""The recipe's optimizer, for whichever backend Keras runs on."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mnmodels.training.recipe import Recipe

__all__ = ["LearningRateTable", "make_optimizer"]

NOT_DECAYED = ("gamma", "beta", "bias")  # decay is for what multiplies many inputs


class LearningRateTable(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate per step, looked up: the same numbers on every backend, and after a resume."""

    def __init__(self, rates: NDArray[np.float32]) -> None:
        super().__init__()
        self.rates = rates

    def __call__(self, step: Any) -> Any:
        last = len(self.rates) - 1
        return ops.take(ops.convert_to_tensor(self.rates), ops.minimum(ops.cast(step, "int32"), last))

    def get_config(self) -> dict[str, Any]:
        return {"rates": self.rates.tolist()}


def make_optimizer(recipe: Recipe, rates: NDArray[np.float32], model: Any) -> Any:
    """A fresh Keras optimizer for the variables of ``model``, with one learning rate for each step."""
    spec = recipe.optimizer
    shared = {
        "learning_rate": LearningRateTable(rates),
        "weight_decay": spec.weight_decay or None,
        "global_clipnorm": spec.clip_norm or None,
    }
    if spec.name == "sgd":
        optimizer = keras.optimizers.SGD(momentum=spec.momentum, nesterov=spec.nesterov and spec.momentum > 0, **shared)
    elif spec.name == "rmsprop":
        optimizer = keras.optimizers.RMSprop(rho=spec.rho, momentum=spec.momentum, epsilon=spec.epsilon, **shared)
    else:
        optimizer = keras.optimizers.AdamW(
            beta_1=spec.momentum, epsilon=spec.epsilon, **{**shared, "weight_decay": spec.weight_decay}
        )
    spared = [] if spec.decay_depthwise else _depthwise_kernels(model)
    optimizer.exclude_from_weight_decay(var_list=spared, var_names=list(NOT_DECAYED))
    return optimizer


def _depthwise_kernels(model: Any) -> list[Any]:
    """Of the model and of models inside it; by the layers, as Keras calls a depthwise kernel "kernel", too."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _depthwise_kernels(layer)
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            found.append(layer.kernel)
    return found
