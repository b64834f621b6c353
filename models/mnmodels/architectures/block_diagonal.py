"""Group convolutions computed as dense ones of a block-diagonal kernel: for training on TensorFlow's CPU.

TensorFlow's CPU kernels know no groups, so Keras compiles every group convolution with XLA, which trains 2 to 4 times
slower than the dense product, zeros included. The layer stays Keras' own Conv2D, and so does what a file says of it;
only what is computed in this process differs. Not for a model to be converted in this process: it would become dense.
"""

from functools import partial
from typing import Any

import keras
import numpy as np
from keras import layers, ops

__all__ = ["use_block_diagonal"]


def use_block_diagonal(model: Any) -> int:
    """Compute a model's 1×1 group convolutions so, from its next compile on; return how many. JAX doesn't need it."""
    if keras.backend.backend() != "tensorflow":
        return 0
    convs = [layer for layer in model._flatten_layers() if _is_group_pointwise(layer)]
    for conv in convs:
        conv.call = partial(_call, conv)
    return len(convs)


def _is_group_pointwise(layer: Any) -> bool:
    if type(layer) is not layers.Conv2D or layer.groups == 1:
        return False
    is_plain = layer.strides == (1, 1) and layer.data_format == "channels_last"
    return (
        layer.kernel_size == (1, 1) and is_plain and not layer.use_bias and layer.activation is keras.activations.linear
    )


def _call(conv: Any, inputs: Any) -> Any:
    kernel = ops.convert_to_tensor(conv.kernel)
    width, filters = int(kernel.shape[2]), int(kernel.shape[3])
    blocks = np.kron(np.eye(conv.groups), np.ones((width, filters // conv.groups)))
    dense = ops.tile(kernel, (1, 1, conv.groups, 1)) * ops.cast(blocks, kernel.dtype)
    return ops.conv(inputs, dense, padding="valid", data_format="channels_last")
