"""The record beside a peer's file: there and back, and wrong ones told by the field that is wrong."""

from pathlib import Path

import pytest

from mnbench.peers.prepared import PreparedFile, record_path
from mninfer.errors import InputError
from mninfer.tensors import Quantization, TensorSpec

pytestmark = pytest.mark.smoke

SHAPE = (1, 8, 8, 3)
PREPARED = PreparedFile(
    peer="onnxruntime",
    variant="int8",
    source="ab" * 32,
    made_by={"tf2onnx": "1.17.0"},
    input=TensorSpec(
        name="image", shape=SHAPE, shape_signature=SHAPE, dtype="int8", quantization=Quantization((0.5,), (-128,))
    ),
    outputs=(TensorSpec(name="scores", shape=(1, 5), shape_signature=(1, 5), dtype="float32"),),
    mean=(127.5, 127.5, 127.5),
    std=(127.5, 127.5, 127.5),
)


def test_a_record_comes_back_as_it_was() -> None:
    assert PreparedFile.from_json(PREPARED.to_json(), "the record") == PREPARED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, '"schema" is 2, not 1'),
        ({"peer": 3}, '"peer" is 3'),
        ({"mean": ["a"]}, '"mean" is not a list of numbers'),
        ({"made_by": {"tf2onnx": 1}}, 'made_by: "tf2onnx" is 1'),
        ({"input": []}, "input is"),
        ({"input": {**PREPARED.to_json()["input"], "zero_point": 0.5}}, '"zero_point" is 0.5, not a whole number'),
        ({"input": {**PREPARED.to_json()["input"], "shape": [1, -8]}}, '"shape" is'),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        PreparedFile.from_json({**PREPARED.to_json(), **change}, "the record")


def test_it_lies_beside_the_file() -> None:
    assert record_path(Path("a") / "b.onnx") == Path("a") / "b.onnx.json"
