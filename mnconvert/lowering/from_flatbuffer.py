"""A float .tflite as it is: nothing is known of its BatchNorms any more, so that ranges have to be measured."""

from typing import NoReturn

import numpy as np
import numpy.typing as npt

from mnconvert.calibration import ActivationRunner
from mnconvert.config import Ends, Variant
from mnconvert.lowering.lowered import Lowered
from mninfer.errors import UnsupportedModelError

__all__ = ["lowered_flatbuffer"]


def lowered_flatbuffer(flatbuffer: bytes) -> Lowered:
    """The file as its own reference; its integer forms are not made yet."""

    def reference(tensors: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        with ActivationRunner(flatbuffer) as runner:
            runs = [runner.run_real(tensor[None]) for tensor in tensors]
            return [np.concatenate([run[index] for run in runs]) for index in runner.graph.outputs]

    def no_variant(variant: Variant, _ends: Ends = Ends.FLOAT32) -> NoReturn:
        raise UnsupportedModelError(
            f"a float .tflite can't become {variant} yet: TensorFlow's converter starts from a Keras model",
            hints=("give the Keras model that it was made from", "--quantize none attaches the contract to it"),
        )

    return Lowered(flatbuffer=flatbuffer, norms={}, reference=reference, variant_of=no_variant, unfused=no_variant)
