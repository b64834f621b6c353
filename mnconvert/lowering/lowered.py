"""What lowering gives: the float file, what BatchNorm knows of its tensors, and the float model to compare with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mnconvert.config import Ends, Variant
from mnconvert.quantize.plan import Moments
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, check_model

__all__ = ["WITHOUT_THEM", "Lowered", "Reference", "runnable"]

WITHOUT_THEM = "replace the layers that these come from, or leave them to the program around the network"

Reference = Callable[[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """``norms``: index of a tensor in ``flatbuffer`` -> a BatchNorm's moments there, before the fused activation.

    ``reference`` is the float Keras model on a batch of normalized tensors; ``variant_of`` gives the stock converter's
    file of a variant, of an integer one the skeleton with these ends; ``unfused`` one in which BatchNorm is left.
    """

    flatbuffer: bytes = field(repr=False)
    norms: Mapping[int, Moments] = field(repr=False)
    reference: Reference = field(repr=False)
    variant_of: Callable[[Variant, Ends], bytes] = field(repr=False)
    unfused: Callable[[Variant], bytes] = field(repr=False)


def runnable(flatbuffer: bytes) -> Graph:
    """The file as a graph that mninfer runs, as it runs anybody's.

    Raises:
        UnsupportedModelError: operators that it has no rules for; lists all of them.
    """
    try:
        return check_model(flatbuffer)
    except UnsupportedModelError as error:
        raise UnsupportedModelError(error.what, offenders=error.offenders, hints=WITHOUT_THEM) from None
