"""Shapes that a graph computes, once its batch is one: gone, with the same outputs; other files are left alone."""

import numpy as np
import pytest

from mnconvert.passes.settle_shapes import settle_shapes
from mninfer.engines import open_engine
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model
from support.builder import GraphBuilder
from support.networks import shapes_float

pytestmark = pytest.mark.smoke


def computed_reshape() -> bytes:
    """x, its batch open, made flat by a shape that the graph computes: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    b = GraphBuilder()
    x = b.activation("x", (1, 4, 4, 3), signature=(-1, 4, 4, 3))
    shape, batch, wanted = (b.activation(n, s, "int32") for n, s in (("shape", (4,)), ("batch", ()), ("wanted", (2,))))
    y = b.activation("y", (1, 48), signature=(-1, 48))
    ends = [b.constant(name, np.array([value], np.int32)) for name, value in (("from", 0), ("to", 1), ("by", 1))]
    rest = b.constant("rest", np.array([48], np.int32))
    b.tensors[rest]["shape"] = ()
    b.operator("SHAPE", [x], [shape], "ShapeOptions", {"out_type": 2})
    b.operator("STRIDED_SLICE", [shape, *ends], [batch], "StridedSliceOptions", {"shrink_axis_mask": 1})
    b.operator("PACK", [batch, rest], [wanted], "PackOptions", {"values_count": 2})
    b.operator("RESHAPE", [x, wanted], [y], "ReshapeOptions")
    return b.build([x], [y])


def test_what_computes_shapes_is_gone_and_the_batch_with_it():
    graph = check_model(settle_shapes(computed_reshape()))
    assert [operator.name for operator in graph.operators] == ["RESHAPE"]
    assert graph.tensors[graph.inputs[0]].shape_signature == (1, 4, 4, 3)


def test_the_outputs_are_the_same():
    picture = np.arange(48, dtype=np.float32).reshape(1, 4, 4, 3)
    before, after = (
        open_engine(data).run([picture])[0] for data in (computed_reshape(), settle_shapes(computed_reshape()))
    )
    assert np.array_equal(before, after)


def test_twice_is_once_and_others_are_left_alone():
    once = settle_shapes(computed_reshape())
    assert settle_shapes(once) == once
    for data in (shapes_float(), shapes_float(dynamic_batch=True)):
        assert settle_shapes(data) == data


def test_several_pictures_are_refused():
    b = GraphBuilder()
    x, z, y = (b.activation(name, (1, 4, 4, 3)) for name in "xzy")
    b.operator("ADD", [x, z], [y], "AddOptions")
    with pytest.raises(UnsupportedModelError, match="2 inputs"):
        settle_shapes(b.build([x, z], [y]))
