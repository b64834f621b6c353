"""Metadata goes in and out of a flatbuffer; all else stays, or the file is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mninfer.errors import UnsupportedModelError
from mninfer.model_file.flatbuffer import Table, decode, encode, load_schema
from mninfer.model_file.graph import build_graph
from mninfer.model_file.rewrite import remove_metadata, replace_metadata
from support.builder import GraphBuilder
from support.others import OTHERS, read_other

SCHEMA = load_schema("tflite")


def model(**changes: object) -> Table:
    b = GraphBuilder()
    x, y = b.activation("x", (1, 2)), b.activation("y", (1, 2))
    b.operator("RELU6", [x], [y])
    return b.root([x], [y]) | changes


def with_metadata() -> bytes:
    """Buffers 1 to 3 belong to entries in another order; entry "b" shares its buffer with "c"."""
    entries = [{"name": name, "buffer": buffer} for name, buffer in (("a", 3), ("b", 1), ("c", 1), ("d", 2))]
    buffers = [{}, {"data": b"one"}, {"data": b"two"}, {"data": b"three"}]
    return encode(model(metadata=entries, buffers=buffers), SCHEMA)


def contents(data: bytes) -> dict[str, bytes]:
    return dict(build_graph(decode(data, SCHEMA), data).metadata)


@pytest.mark.smoke
@pytest.mark.parametrize("name", ["a", "b", "d", "new"])
def test_one_entry_is_replaced_and_the_others_stay(name: str) -> None:
    data = replace_metadata(with_metadata(), {name: b"fresh"})
    assert contents(data) == {"a": b"three", "b": b"one", "c": b"one", "d": b"two"} | {name: b"fresh"}
    assert len(decode(data, SCHEMA)["buffers"]) == (5 if name in ("b", "new") else 4)
    assert replace_metadata(data, {name: b"fresh"}) == data


@pytest.mark.smoke
def test_entries_are_taken_out_with_what_only_they_hold() -> None:
    data = remove_metadata(with_metadata(), {"a", "b"})
    assert contents(data) == {"c": b"one", "d": b"two"}
    assert len(decode(data, SCHEMA)["buffers"]) == 3
    assert remove_metadata(data, {"a", "b"}) == data


@pytest.mark.smoke
def test_nothing_but_metadata_changes() -> None:
    before, after = (decode(data, SCHEMA) for data in (with_metadata(), replace_metadata(with_metadata(), {"x": b"y"})))
    for field in ("subgraphs", "operator_codes", "description", "version"):
        assert before[field] == after[field]


@pytest.mark.shared
@pytest.mark.parametrize("name", OTHERS)
def test_files_by_others_lose_nothing(shared: Path, name: str) -> None:
    data = read_other(shared, name)
    written = replace_metadata(data, {"mnkit": b"x"})
    before, after = decode(data, SCHEMA), decode(written, SCHEMA)
    assert after["metadata"].pop() == {"name": "mnkit", "buffer": len(after["buffers"]) - 1}
    assert bytes(after["buffers"].pop()["data"]) == b"x"
    assert before == after


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (lambda root: root["buffers"].append({"offset": 64, "size": 4}), "buffer 1, which lies outside"),
        (
            lambda root: root["subgraphs"][0]["operators"][0].update(large_custom_options_offset=64),
            "the options of operator 0",
        ),
        (lambda root: root["subgraphs"][0]["operators"][0].update(builtin_options_type=6), "SVDFOptions"),
        (lambda root: root["subgraphs"][0]["operators"][0].update(builtin_options2_type=1), "Stablehlo"),
        (lambda root: root["subgraphs"][0]["tensors"][0].update(name="\ufffd"), "Tensor.name: text that is not UTF-8"),
        (lambda root: root["subgraphs"][0]["tensors"][0].update(quantization={"details_type": 1}), "member 1"),
    ],
)
def test_what_would_be_lost_is_refused(change: Callable[[Table], object], lost: str) -> None:
    root = model()
    change(root)
    with pytest.raises(UnsupportedModelError, match=f"cannot be rewritten without losing .*{lost}") as caught:
        replace_metadata(encode(root, SCHEMA), {"mnkit": b""})
    assert len(caught.value.offenders) == 1


@pytest.mark.smoke
def test_all_that_would_be_lost_is_listed() -> None:
    root = model()
    root["buffers"] += [{"offset": 64, "size": 4}, {"offset": 68, "size": 4}]
    with pytest.raises(UnsupportedModelError, match="and 1 more") as caught:
        replace_metadata(encode(root, SCHEMA), {})
    assert len(caught.value.offenders) == 2
