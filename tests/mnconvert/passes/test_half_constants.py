"""Float16 constants: the same answers to their rounding, what float16 can't hold left alone, twice as once."""

import numpy as np
import pytest

from mnconvert.passes.editing import Editing
from mnconvert.passes.half_constants import half_constants
from mninfer.model_file import check_model
from support.networks import shapes_float

pytestmark = pytest.mark.smoke


def test_every_constant_is_halved_and_widened_once() -> None:
    before, after = check_model(shapes_float()), check_model(half_constants(shapes_float()))
    floats = [tensor for tensor in before.tensors if tensor.data is not None and tensor.dtype == "float32"]
    halves = [tensor for tensor in after.tensors if tensor.dtype == "float16"]
    assert len(halves) == len(floats) > 2
    assert sum(op.name == "DEQUANTIZE" for op in after.operators) == len(halves)
    assert not any(tensor.data is not None and tensor.dtype == "float32" for tensor in after.tensors)
    values = sorted(np.frombuffer(tensor.data or b"", "<f4").astype("<f2").tobytes() for tensor in floats)
    assert sorted(bytes(tensor.data or b"") for tensor in halves) == values


def test_twice_is_once() -> None:
    once = half_constants(shapes_float())
    assert half_constants(once) == once


def test_what_float16_cannot_hold_stays() -> None:
    editing = Editing(shapes_float())
    graph = check_model(shapes_float())
    index = next(op.inputs[2] for op in graph.operators if op.name == "CONV_2D")
    editing.set_data(index, np.full(graph.tensors[index].shape, 7e4, np.float32))
    made = check_model(half_constants(editing.encoded()))
    (kept,) = [tensor for tensor in made.tensors if tensor.data is not None and tensor.dtype == "float32"]
    assert np.frombuffer(kept.data or b"", "<f4").max() == np.float32(7e4)
