"""The flatbuffer reader and writer: they undo each other, and nothing outside the data is read."""

import json
import struct
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.errors import ModelFileError
from mninfer.model_file.flatbuffer import Table, decode, decoding, encode, load_schema
from support import networks
from support.boards import HAS_SUBNORMALS

SCHEMA = load_schema("tflite")


def plain(value: Any) -> Any:
    """Views as bytes, so that decoded tables compare."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return bytes(value) if isinstance(value, memoryview) else value


INTEGERS = st.integers(-(2**31), 2**31 - 1)
FLOATS = st.floats(width=32, allow_nan=False, allow_subnormal=HAS_SUBNORMALS)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        "shape": st.lists(INTEGERS, max_size=5).map(tuple),
        "buffer": st.integers(0, 2**32 - 1),
        "is_variable": st.booleans(),
        "quantization": st.fixed_dictionaries(
            {
                "scale": st.lists(FLOATS, max_size=4).map(tuple),
                "zero_point": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4).map(tuple),
            }
        ),
    }
)
MODELS = st.fixed_dictionaries(
    {
        "version": st.integers(0, 2**32 - 1),
        "subgraphs": st.lists(st.fixed_dictionaries({"tensors": st.lists(TENSORS, max_size=4)}), max_size=2),
        "buffers": st.lists(
            st.fixed_dictionaries({"data": st.binary(max_size=40), "offset": st.integers(0, 2**64 - 1)}), max_size=4
        ),
    }
)


def contains(whole: Any, part: Any) -> bool:
    """Whether ``whole`` says all that ``part`` says; it has the defaults as well."""
    if isinstance(part, dict):
        return all(name in whole and contains(whole[name], value) for name, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


@given(MODELS)
def test_what_is_written_is_read(root: Table) -> None:
    data = encode(root, SCHEMA)
    found = plain(decode(data, SCHEMA))
    assert contains(found, root)
    assert encode(found, SCHEMA) == data


@pytest.mark.smoke
def test_models_come_back_the_same() -> None:
    root = decode(networks.shapes_int8(), SCHEMA)
    assert plain(decode(encode(root, SCHEMA), SCHEMA)) == plain(root)


def test_byte_vectors_lie_at_16() -> None:
    data = encode({"buffers": [{"data": bytes([65 + i]) * 24} for i in range(5)]}, SCHEMA)
    assert [data.index(bytes([65 + i]) * 24) % 16 for i in range(5)] == [0] * 5


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_table_or_an_error(data: bytes) -> None:
    try:
        decode(data, SCHEMA)
    except ModelFileError:
        pass


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_changed_bytes_end_in_a_table_or_an_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(networks.colour_segmenter())
    for place, value in changes:
        data[place % len(data)] = value
    try:
        decode(bytes(data), SCHEMA)
    except ModelFileError:
        pass


def test_the_path_to_the_damage_is_named() -> None:
    data = bytearray(encode({"subgraphs": [{"tensors": [{"name": "a"}, {"name": "find me"}]}]}, SCHEMA))
    place = data.index(b"find me") - 4
    data[place : place + 4] = struct.pack("<I", 1 << 30)
    with pytest.raises(ModelFileError, match=r"subgraphs\[0\]\.tensors\[1\]\.name: 1073741825 bytes from byte"):
        decode(bytes(data), SCHEMA)


def test_strings_end_in_a_zero() -> None:
    data = bytearray(encode({"description": "find me"}, SCHEMA))
    data[data.index(b"find me") + 7] = 65
    with pytest.raises(ModelFileError, match=r"description: the string at byte .* does not end in a zero"):
        decode(bytes(data), SCHEMA)


def test_fields_of_a_newer_schema_are_named() -> None:
    newer = json.loads(files("mninfer.model_file").joinpath("schema", "tflite.json").read_bytes())
    slot = max(row[0] for row in newer["tables"]["Metadata"].values()) + 2
    data = bytearray(encode({"metadata": [{"name": "x", "buffer": 3}]}, SCHEMA))
    root = decode(bytes(data), SCHEMA)
    assert root["metadata"][0]["buffer"] == 3
    # Make the vtable of Metadata, the last but one table written, one slot longer: its new field lies on the others.
    head = struct.pack("<HHHH", slot, 12, 8, 4)
    if (place := data.find(head)) < 0:
        head = struct.pack("<HHHH", slot, 12, 4, 8)
        place = data.index(head)
    data[place : place + 2] = struct.pack("<H", slot + 2)
    with pytest.raises(ModelFileError, match=r"metadata\[0\]"):
        decode(bytes(data), SCHEMA)


@pytest.mark.parametrize(("limit", "what"), [("MAX_TABLES", "tables"), ("MAX_ELEMENTS", "values")])
def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch, limit: str, what: str) -> None:
    """Offsets that all point to one large table would be work without end."""
    monkeypatch.setattr(decoding, limit, 10)
    with pytest.raises(ModelFileError, match=f"more than 10 {what}"):
        decode(networks.shapes_float(), SCHEMA)


def test_unknown_fields_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="Tensor has no field 'shap'"):
        encode({"subgraphs": [{"tensors": [{"shap": (1,)}]}]}, SCHEMA)
