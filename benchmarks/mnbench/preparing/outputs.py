"""What a model answers to the input that all engines get: the reference that their outputs are held against."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mnbench.workloads.inputs import quantize
from mninfer.engines import open_engine
from mninfer.postprocessing import dequantize

__all__ = ["flatbuffer_outputs", "keras_outputs"]

Array = npt.NDArray[np.float32]
_CHUNK = 8  # pictures at a time: a batch of 256 need not fit at once


def keras_outputs(model: Any, pictures: Array) -> list[Array]:
    """Every output of a Keras model, for any number of pictures."""
    import keras

    def run(chunk: Array) -> list[Array]:
        found = model(chunk, training=False)
        outputs = (
            found if isinstance(found, list | tuple) else list(found.values()) if isinstance(found, dict) else [found]
        )
        return [np.asarray(keras.ops.convert_to_numpy(output), np.float32) for output in outputs]

    return _in_chunks(run, pictures, _CHUNK)


def flatbuffer_outputs(data: bytes, pictures: Array, *, use_xnnpack: bool = True) -> list[Array]:
    """Every output of a checked flatbuffer in real numbers, by the best engine that is installed.

    A file of a fixed batch gets so many pictures at a time.
    """
    engine = open_engine(data, use_xnnpack=use_xnnpack)
    spec = engine.inputs[0]

    def run(chunk: Array) -> list[Array]:
        outputs = zip(engine.run([quantize(chunk, spec)]), engine.outputs, strict=True)
        return [np.asarray(dequantize(array, output.quantization), np.float32) for array, output in outputs]

    found = _in_chunks(run, pictures, spec.shape[0])
    engine.close()
    return found


def _in_chunks(run: Callable[[Array], list[Array]], pictures: Array, size: int) -> list[Array]:
    parts = [run(pictures[start : start + size]) for start in range(0, len(pictures), size)]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]
