"""TensorFlow's quantizer on a float flatbuffer: the structure of its integer form, for numbers to be written into.

The public converter starts from a model; these are the two steps that it ends with (TensorFlow 2.21, lite.py).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.config import Ends, Variant
from mnconvert.lowering.tensorflow import not_converted, quiet, synthetic_pictures
from mnmodels.backend import start_keras

__all__ = ["integer_skeleton"]


def integer_skeleton(flatbuffer: bytes, input_shape: tuple[int, ...], variant: Variant, ends: Ends) -> bytes:
    """The int8 or int16x8 form; its numbers are those of two synthetic pictures.

    Raises:
        UnsupportedModelError: the quantizer does not know what to do with it.
    """
    start_keras("tensorflow")
    import tensorflow
    from tensorflow.lite.python.convert import mlir_quantize
    from tensorflow.lite.python.optimize import calibrator

    def pictures() -> Iterator[list[npt.NDArray[np.float32]]]:
        yield from synthetic_pictures(input_shape)

    end: Any = getattr(tensorflow, ends)
    with quiet():
        try:
            calibrating = calibrator.Calibrator(calibrator.add_intermediate_tensors(flatbuffer))
            if variant is Variant.INT16X8:
                types = (tensorflow.float32, tensorflow.float32, False, tensorflow.int16, tensorflow.int64)
                return bytes(calibrating.calibrate_and_quantize(pictures, *types))
            return bytes(mlir_quantize(calibrating.calibrate(pictures), input_data_type=end, output_data_type=end))
        except Exception as error:  # it raises whatever its passes do
            raise not_converted(error) from error
