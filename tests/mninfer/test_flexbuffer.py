"""The FlexBuffer reader: what a writer writes, and nothing outside the bytes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.errors import ModelFileError
from mninfer.model_file.check import check_model
from mninfer.model_file.flatbuffer import decode, encode, load_schema
from mninfer.model_file.rules.flexbuffer import read_map
from support import networks
from support.boards import HAS_SUBNORMALS

flexbuffers = pytest.importorskip("flatbuffers.flexbuffers")

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
FLOATS = st.floats(width=32, allow_nan=False, allow_subnormal=HAS_SUBNORMALS)
VALUES = st.one_of(st.integers(-(2**63), 2**63 - 1), FLOATS, st.booleans())


@given(st.dictionaries(KEYS, VALUES, max_size=12))
def test_maps_come_back(values: dict[str, Any]) -> None:
    assert read_map(bytes(flexbuffers.Dumps(values))) == values


@given(st.binary(max_size=80))
def test_any_bytes_end_in_a_map_or_an_error(data: bytes) -> None:
    try:
        read_map(data)
    except ModelFileError:
        pass


@given(st.integers(0), st.integers(0, 255))
def test_any_changed_byte_ends_in_a_map_or_an_error(place: int, value: int) -> None:
    data = bytearray(flexbuffers.Dumps({"a": 1, "bc": 2.5, "d": True, "text": "x", "list": [1, 2]}))
    data[place % len(data)] = value
    try:
        read_map(bytes(data))
    except ModelFileError:
        pass


def test_other_than_numbers_are_none() -> None:
    data = bytes(flexbuffers.Dumps({"a": "text", "b": [1, 2], "c": None, "d": 7}))
    assert read_map(data) == {"a": None, "b": None, "c": None, "d": 7}


def test_other_than_maps_are_refused() -> None:
    for value in (7, [1, 2], "text"):
        with pytest.raises(ModelFileError, match="no FlexBuffer map"):
            read_map(bytes(flexbuffers.Dumps(value)))


def with_options(**changes: Any) -> bytes:
    """The red detector, with other options of its post-processing; None leaves one out."""
    root = decode(networks.red_detector(), load_schema("tflite"))
    operator = root["subgraphs"][0]["operators"][-1]
    options = {**read_map(bytes(operator["custom_options"])), **changes}
    kept = {key: value for key, value in options.items() if value is not None}
    operator["custom_options"] = bytes(flexbuffers.Dumps(kept))
    return encode(root, load_schema("tflite"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_classes": 7}, "scores for 2 classes, num_classes is 7"),
        ({"num_classes": None}, "option num_classes is missing"),
        ({"max_detections": 0}, "option max_detections is 0"),
        ({"max_detections": 10**9}, "option max_detections is 1000000000"),
        ({"max_classes_per_detection": 2}, "max_classes_per_detection is 2 of 1 classes"),
        ({"x_scale": 0.0}, "box scales"),
        ({"y_scale": float("nan")}, "option y_scale is missing or no number"),
        ({"nms_iou_threshold": 0.0}, "nms_iou_threshold is 0.0"),
        ({"detections_per_class": -1}, "detections_per_class is -1"),
    ],
)
def test_wrong_options_of_the_post_processing_are_named(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        check_model(with_options(**changes))
    assert expected in str(caught.value)
    assert "TFLite_Detection_PostProcess" in str(caught.value)


def test_options_by_others_are_read(shared: Path) -> None:
    data = (shared / "models" / "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite").read_bytes()
    options = read_map(check_model(data).operators[-1].custom_options)
    assert (options["num_classes"], options["max_detections"], options["y_scale"]) == (90, 10, 10.0)


def test_a_map_of_a_few_numbers_is_small() -> None:
    with pytest.raises(ModelFileError, match="custom options of 131072 bytes are no FlexBuffer map"):
        read_map(bytes(1 << 17))
