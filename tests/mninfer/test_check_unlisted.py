"""Operators outside the table: all of them named, each kind with its remedy."""

from dataclasses import replace

import pytest

from mninfer.errors import UnsupportedModelError
from mninfer.model_file.check import check_model
from mninfer.model_file.flatbuffer import encode, load_schema
from support.builder import GraphBuilder


def chain(*names: str, versions: tuple[int, ...] = ()) -> bytes:
    """One operator after the other, each with one input and one output."""
    b = GraphBuilder()
    first = last = b.activation("x", (1, 4))
    for i, name in enumerate(names):
        y = b.activation(f"y{i}", (1, 4))
        b.operator(name, [last], [y], version=versions[i] if versions else 1)
        last = y
    return b.build([first], [last])


def refused(data: bytes, **options: object) -> UnsupportedModelError:
    with pytest.raises(UnsupportedModelError) as caught:
        check_model(data, **options)  # type: ignore[arg-type]
    return caught.value


def test_all_unlisted_operators_are_named() -> None:
    error = refused(chain("RELU", "FLOOR", "MyOperator", "SIN"))
    assert error.offenders == ("FLOOR", "MyOperator", "SIN")
    assert "--allow-unlisted-ops" in str(error)


def test_the_remedy_works() -> None:
    assert len(check_model(chain("RELU", "FLOOR", "MyOperator"), allow_unlisted_ops=True).operators) == 3


def test_listed_operators_stay_checked_beside_unlisted_ones() -> None:
    b = GraphBuilder()
    x, y, z = b.activation("x", (1, 4)), b.activation("y", (1, 4)), b.activation("z", (1, 5))
    b.operator("FLOOR", [x], [y])
    b.operator("RELU", [y], [z])
    with pytest.raises(Exception, match="comes out as"):
        check_model(b.build([x], [z]), allow_unlisted_ops=True)


def test_versions_from_the_future_are_unlisted() -> None:
    assert refused(chain("RELU", versions=(99,))).offenders == ("RELU version 99",)


def test_flex_operators_need_tensorflow() -> None:
    error = refused(chain("RELU", "FlexErf"), allow_unlisted_ops=True)
    assert "needs TensorFlow to run: FlexErf" in str(error)
    assert "TFLITE_BUILTINS" in str(error)


def test_edge_tpu_files_need_their_delegate() -> None:
    data = chain("edgetpu-custom-op")
    error = refused(data)
    assert "compiled for an Edge TPU" in str(error)
    assert "libedgetpu.so.1" in str(error)
    assert check_model(data, allow_custom=("edgetpu-custom-op",)).operators


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"external_buffer": 1}, "its data is in another file"),
        ({"sparsity": {}}, 'tensor 1 "y": sparse or variant data'),
    ],
)
def test_data_that_is_not_in_a_buffer_is_named(fields: dict[str, object], expected: str) -> None:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 4)), b.activation("y", (1, 4))
    b.operator("RELU", [x], [y])
    root = b.root([x], [y])
    root["subgraphs"][0]["tensors"][1].update(fields)
    schema = load_schema("tflite")
    with_sparsity = replace(schema, tables={**schema.tables, "SparsityParameters": ()})
    with pytest.raises(UnsupportedModelError, match=expected):
        check_model(encode(root, with_sparsity))
