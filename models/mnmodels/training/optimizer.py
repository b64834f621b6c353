"""The recipe's optimizer, for whichever backend Keras runs on."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mnmodels.training.recipe import Recipe

__all__ = ["LearningRateTable", "make_optimizer"]

# Decay is for what multiplies many inputs. A depthwise kernel has nine weights, and the papers leave it alone.
NOT_DECAYED = ("gamma", "beta", "bias", "depthwise_kernel")


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


def make_optimizer(recipe: Recipe, rates: NDArray[np.float32]) -> Any:
    """A fresh Keras optimizer with one learning rate for each step."""
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
    optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    return optimizer
