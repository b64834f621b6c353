"""Batch normalization as a trained net has it: with the initial statistics, outputs are the same for any picture."""

from typing import Any

import numpy as np

__all__ = ["randomize_batch_norm"]


def randomize_batch_norm(model: Any, seed: int = 0) -> Any:
    """Give every BatchNormalization of ``model`` a gamma and beta, and the statistics of noise; return the model."""
    import keras

    random = np.random.default_rng(seed)
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.gamma.assign(random.uniform(0.5, 1.5, layer.gamma.shape))
        layer.beta.assign(random.uniform(-0.5, 0.8, layer.beta.shape))
        layer.momentum = 0.0  # the statistics become those of the batch that comes
    model(random.uniform(-1, 1, (8, *model.input_shape[1:])).astype("float32"), training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    return model
