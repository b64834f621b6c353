"""Statistics of batch normalization as a trained net has them: at the initial ones a net's outputs are all the same."""

from typing import Any

import numpy as np

__all__ = ["randomize_batch_norm"]


def randomize_batch_norm(model: Any, seed: int = 0) -> Any:
    """Give every BatchNormalization of ``model`` gamma, beta, mean and variance of its own; return the model."""
    import keras

    random = np.random.default_rng(seed)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            ranges = ((0.5, 1.5), (-0.5, 0.8), (-0.3, 0.3), (0.1, 0.5))
            layer.set_weights([random.uniform(low, high, shape) for low, high in ranges])
    return model
