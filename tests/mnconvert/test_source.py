"""A float .tflite as it is opened: what it says, what is taken out of it, what it can't be. Needs no TensorFlow."""

from pathlib import Path

import numpy as np
import pytest

from mnconvert.config import ConvertConfig
from mnconvert.file_contract import contract_for
from mnconvert.source import open_source
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import check_model
from mninfer.model_file.archive import ArchiveEntry, write_archive
from support.builder import GraphBuilder
from support.networks import shapes_float

pytestmark = pytest.mark.smoke

RAW = ConvertConfig(preprocess="raw")  # type: ignore[arg-type]


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


def opened(tmp_path: Path, data: bytes, name: str = "net.tflite"):
    path = tmp_path / name
    path.write_bytes(data)
    return open_source(path, RAW)


def test_shapes_that_the_graph_computes_are_settled(tmp_path):
    """Of whole numbers no picture tells a range: int8 asked for the pictures that it was given."""
    source = opened(tmp_path, computed_reshape())
    assert [operator.name for operator in check_model(source.flatbuffer).operators] == ["RESHAPE"]


def test_several_inputs_are_told_at_once(tmp_path):
    b = GraphBuilder()
    x, z, y = (b.activation(name, (1, 4, 4, 3)) for name in "xzy")
    b.operator("ADD", [x, z], [y], "AddOptions")
    with pytest.raises(UnsupportedModelError, match="2 inputs"):
        opened(tmp_path, b.build([x, z], [y]))


def test_what_does_not_fit_in_the_file_is_told(tmp_path):
    data = shapes_float()
    source = opened(tmp_path, data + write_archive([ArchiveEntry("labels.txt", b"a\nb\n")], len(data)))
    assert any("2 labels for 16 classes" in warning for warning in source.warnings)


def test_a_name_with_a_backslash_is_a_name(tmp_path):
    source = opened(tmp_path, shapes_float(), "my\\net.tflite")
    contract = contract_for(shapes_float(), source, RAW, None)
    assert contract.to_json()["provenance"]["source_name"] == "my_net.tflite"
