"""TensorFlow's own converter, its own numbers: what ours are compared with."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.lowering.prepare import prepare
from mnconvert.lowering.tensorflow import trace
from mnconvert.source import Source

__all__ = ["stock_int8"]


def stock_int8(
    source: Source, tensors: Callable[[], Iterator[npt.NDArray[np.float32]]], *, is_per_tensor: bool = False
) -> bytes:
    """Full int8 with uint8 ends, calibrated on these tensors."""
    import tensorflow

    assert source.leading is not None
    traced = trace(prepare(source.model, source.leading, batch=1, size=None, scores=None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converter: Any = tensorflow.lite.TFLiteConverter.from_concrete_functions([traced.function])
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tensorflow.uint8
        converter._experimental_disable_per_channel = is_per_tensor
        converter.representative_dataset = lambda: ([tensor] for tensor in tensors())
        return bytes(converter.convert())
