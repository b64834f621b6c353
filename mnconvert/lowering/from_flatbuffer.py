"""A float .tflite as it is: nothing is known of its BatchNorms any more, so that ranges have to be measured."""

from functools import cache

import numpy as np
import numpy.typing as npt

from mnconvert.calibration import ActivationRunner
from mnconvert.config import ConvertConfig, Ends, Variant
from mnconvert.lowering.lowered import Lowered
from mnconvert.passes.half_constants import half_constants
from mninfer.errors import VariantError
from mninfer.model_file import check_model

__all__ = ["lowered_flatbuffer"]

_KERAS_MODEL = "give the Keras model that the file was made from"


def lowered_flatbuffer(flatbuffer: bytes, config: ConvertConfig) -> Lowered:
    """The file as its own reference, and as what its variants are made from.

    Raises:
        VariantError: a batch, size or scores that the file does not have: its graph stays as it is.
    """
    _refuse_in_vain(config)

    def reference(tensors: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        with ActivationRunner(flatbuffer) as runner:
            runs = [runner.run_real(tensor[None]) for tensor in tensors]
            return [np.concatenate([run[index] for run in runs]) for index in runner.graph.outputs]

    def variant_of(variant: Variant, ends: Ends = Ends.FLOAT32) -> bytes:
        if variant is Variant.FP16:
            return half_constants(flatbuffer)
        if variant is Variant.DYNAMIC:
            raise _needs_keras("a float .tflite does not become a dynamic one")
        from mnconvert.lowering.integer_skeleton import integer_skeleton

        graph = check_model(flatbuffer)
        return integer_skeleton(flatbuffer, graph.tensors[graph.inputs[0]].shape, variant, ends)

    def unfused(_variant: Variant) -> bytes:
        raise _needs_keras("BatchNorm is folded into the weights of a .tflite, and can't be left in any more")

    return Lowered(
        flatbuffer=flatbuffer, norms={}, reference=reference, variant_of=cache(variant_of), unfused=cache(unfused)
    )


def _refuse_in_vain(config: ConvertConfig) -> None:
    asked = {"--batch": config.batch != 1, "--size": config.size is not None, "--scores": config.scores is not None}
    if found := [name for name, is_asked in asked.items() if is_asked]:
        raise _needs_keras(f"{' and '.join(found)} can't be changed in a finished .tflite")


def _needs_keras(what: str) -> VariantError:
    return VariantError(what, hints=_KERAS_MODEL)
