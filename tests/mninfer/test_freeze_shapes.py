"""Shape arithmetic becomes constants: fires, leaves alone, same outputs, twice is once; XNNPACK applies everywhere."""

import numpy as np
import pytest

from mninfer.engines import open_engine
from mninfer.errors import UnsupportedModelError
from mninfer.model_file.check import check_model
from mninfer.model_file.flatbuffer import decode, encode, load_schema
from mninfer.model_file.freeze_shapes import freeze_shapes
from support.boards import needs_xnnpack
from support.builder import GraphBuilder
from support.networks import shapes_float

SHAPE = (1, 2, 3, 4)


def computed_reshape() -> bytes:
    """[-1, 2, 3, 4] flattened as Keras converters do it with an open batch, then a dense layer."""
    b = GraphBuilder()
    x = b.activation("x", SHAPE, signature=(-1, 2, 3, 4))
    whole = b.activation("whole", (4,), "int32")
    batch = b.activation("batch", (), "int32")
    target = b.activation("target", (2,), "int32")
    flat = b.activation("flat", (1, 24), signature=(-1, 24))
    y = b.activation("y", (1, 5), signature=(-1, 5))
    begin, end, step = (b.constant(name, np.array([value], np.int32)) for name, value in (("b", 0), ("e", 1), ("s", 1)))
    b.operator("SHAPE", [x], [whole], "ShapeOptions", {"out_type": b.enums["TensorType"]["INT32"]})
    b.operator("STRIDED_SLICE", [whole, begin, end, step], [batch], "StridedSliceOptions", {"shrink_axis_mask": 1})
    width = b.constant("width", np.array([24], np.int32))
    b.tensors[width]["shape"] = ()
    b.operator("PACK", [batch, width], [target], "PackOptions", {"values_count": 2, "axis": 0})
    b.operator("RESHAPE", [x, target], [flat], "ReshapeOptions", {})
    weights = b.constant("weights", np.random.default_rng(0).normal(size=(5, 24)).astype(np.float32))
    b.operator("FULLY_CONNECTED", [flat, weights, b.constant("bias", np.zeros(5, np.float32))], [y],
               "FullyConnectedOptions", {})  # fmt: skip
    return b.build([x], [y])


def test_computed_shapes_become_constants() -> None:
    frozen = freeze_shapes(computed_reshape(), [SHAPE])
    assert frozen is not None
    assert [operator.name for operator in check_model(frozen).operators] == ["RESHAPE", "FULLY_CONNECTED"]


@needs_xnnpack
def test_the_outputs_are_the_same_and_the_delegate_applies() -> None:
    frozen = freeze_shapes(computed_reshape(), [SHAPE])
    assert frozen is not None
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    before, after = open_engine(computed_reshape()), open_engine(frozen)
    assert np.allclose(before.run([x])[0], after.run([x])[0], atol=1e-6)
    assert before.uses_xnnpack  # tflite-runtime's engine freezes by itself
    assert after.coverage().num_delegated == 2


@pytest.mark.parametrize("data", [shapes_float(), shapes_float(dynamic_batch=True)])
def test_without_shape_arithmetic_there_is_nothing_to_do(data: bytes) -> None:
    assert freeze_shapes(data, [(1, 48, 48, 3)]) is None


def test_twice_is_once() -> None:
    frozen = freeze_shapes(computed_reshape(), [SHAPE])
    assert frozen is not None
    assert freeze_shapes(frozen, [SHAPE]) is None


def test_what_rewriting_would_lose_is_refused() -> None:
    schema = load_schema("tflite")
    data = bytearray(encode(decode(computed_reshape(), schema), schema))
    data[data.index(b"made by")] = 0xFF  # text that is not UTF-8 could not be written back
    with pytest.raises(UnsupportedModelError, match="without losing"):
        freeze_shapes(bytes(data), [SHAPE])
