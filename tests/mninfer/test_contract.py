"""mnkit.json: goes round, has one encoding, and is read strictly."""

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.errors import ModelFileError
from mninfer.model_file.contract import Contract, SourceContract, dump_json, load_json
from mninfer.model_file.golden import GoldenOutput, GoldenVector
from mninfer.preprocessing import PRESETS
from mninfer.spec import Provenance, Task
from support.boards import HAS_SUBNORMALS

pytestmark = pytest.mark.smoke

VECTOR = GoldenVector(
    index=3, width=40, height=30, tensor_sha256="a" * 64, outputs=(GoldenOutput.of(np.arange(6, dtype=np.int8), 1),)
)
CONTRACT = Contract(
    task=Task.CLASSIFY,
    preprocess=PRESETS["caffe"],
    provenance=Provenance(source_name="net.h5", recipe="int8", calibration={"source": "folder", "count": 9, "seed": 1}),
    verification={"agreement_percent": 98.4375, "per_output": [1 / 3], "note": "fine"},
    golden=(VECTOR,),
    digest="0" * 64,
)


def read(value: object) -> Contract:
    return Contract.from_json(load_json(json.dumps(value).encode()))


def test_it_goes_round_and_is_written_one_way() -> None:
    data = dump_json(CONTRACT.to_json())
    again = Contract.from_json(load_json(data))
    assert dump_json(again.to_json()) == data
    assert again.golden == CONTRACT.golden
    assert again.preprocess == CONTRACT.preprocess


def test_a_summary_has_three_significant_digits() -> None:
    assert CONTRACT.to_json()["verification"] == {"agreement_percent": 98.4, "per_output": [0.333], "note": "fine"}


@pytest.mark.parametrize("summary", [{"folder": "/home/me/pictures"}, {"folder": "C:\\pictures"}, {"x": float("nan")}])
def test_paths_and_nan_do_not_get_into_a_file(summary: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a verification summary holds"):
        dump_json(Contract(task=Task.EMBED, preprocess=None, provenance=Provenance(), verification=summary).to_json())


def test_a_source_is_a_name() -> None:
    contract = Contract(task=Task.EMBED, preprocess=None, provenance=Provenance(source_name="/home/me/net.h5"))
    with pytest.raises(ValueError, match="is a path"):
        contract.to_json()


def test_a_newer_schema_says_upgrade() -> None:
    with pytest.raises(ModelFileError, match="written by a newer mnkit") as caught:
        read(CONTRACT.to_json() | {"schema": 2, "something": "new"})
    assert caught.value.hints == ("upgrade mnkit",)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), "1", "schema is '1', not 1"),
        (("schema",), True, "schema is True, not 1"),
        (("task",), "imagine", "one of classify, detect, segment, embed"),
        (("task",), ["classify"], "task is"),
        (("preprocess",), [], "preprocess is"),
        (("preprocess", "std"), [1, 0, 1], "preprocess: std"),
        (("preprocess", "mean"), [1, 2], "three numbers"),
        (("preprocess", "resize"), "squash", "resize"),
        (("provenance",), None, "provenance is None"),
        (("provenance", "recipe"), 8, "recipe is 8"),
        (("provenance", "calibration"), "yes", "calibration is 'yes'"),
        (("provenance", "calibration"), {"folder": "/home/me"}, "calibration: .* the absolute path"),
        (("provenance", "source_name"), "nets/net.h5", "source_name is 'nets/net.h5', not a file's name"),
        (("verification",), [1], "verification is"),
        (("verification",), {"a": [{"b": "/home/me"}]}, "verification: .* the absolute path '/home/me'"),
        (("digest",), "0" * 64, "digest is"),
        (("digest",), "sha256:" + "g" * 64, "digest is"),
        (("golden",), {}, "a list of at most"),
        (("golden",), [0] * 65, "a list of at most"),
        (("golden", 0), [], "golden vector"),
        (("golden", 0, "tensor_sha256"), "a", "64 hexadecimal"),
        (("golden", 0, "picture", "width"), 10**9, "width 1000000000"),
        (("golden", 0, "picture", "height"), 0, "height 0"),
        (("golden", 0, "picture", "index"), -1, "index -1"),
        (("golden", 0, "picture", "formula"), 2, "formula 2"),
        (("golden", 0, "picture", "width"), 40.0, "width 40.0"),
        (("golden", 0, "outputs"), [], "1 to 16"),
        (("golden", 0, "outputs", 0, "dtype"), "object", "dtype 'object'"),
        (("golden", 0, "outputs", 0, "shape"), [2**20, 2**20], "bytes; at most"),
        (("golden", 0, "outputs", 0, "shape"), [7], "not base64 of 7 bytes"),
        (("golden", 0, "outputs", 0, "shape"), [-1], "not a list"),
        (("golden", 0, "outputs", 0, "data"), 5, "not base64"),
        (("golden", 0, "outputs", 0, "leeway"), -1, "leeway -1"),
        (("golden", 0, "outputs", 0, "leeway"), True, "leeway True"),
        (("golden", 0, "outputs", 0, "leeway"), 10**400, "leeway 1000"),
        (("golden", 0, "outputs", 0, "is_exact"), 1, "is_exact 1"),
    ],
)
def test_a_wrong_field_is_named(path: tuple[Any, ...], value: object, message: str) -> None:
    whole = json.loads(dump_json(CONTRACT.to_json()))
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ModelFileError, match=message):
        read(whole)


def test_a_number_beyond_any_is_not_read() -> None:
    data = dump_json(CONTRACT.to_json()).replace(b"98.4", b"1e999")
    with pytest.raises(ModelFileError, match=r"verification: .* holds inf"):
        Contract.from_json(load_json(data))


@pytest.mark.parametrize("field", sorted(CONTRACT.to_json()))
def test_a_missing_field_is_named(field: str) -> None:
    value = CONTRACT.to_json()
    del value[field]
    with pytest.raises(ModelFileError, match=field):
        read(value)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ModelFileError, match="'colour', which schema 1 does not know"):
        read(CONTRACT.to_json() | {"colour": 1})


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1, "a": 2}', b"[" * 17 + b"]" * 17, b"[" * 100_000],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ModelFileError):
        load_json(data)


@pytest.mark.parametrize("inner", [b'{"":0}', b"[]"])
def test_many_small_objects_are_refused_before_they_take_memory(inner: bytes) -> None:
    data = b"[" + (inner + b",") * (1 << 18) + inner + b"]"
    with pytest.raises(ModelFileError, match="holds more than 262144 objects and lists"):
        load_json(data)


def test_a_bad_base64_shows_when_it_is_used() -> None:
    with pytest.raises(ModelFileError, match="cannot be decoded"):
        GoldenOutput(dtype="int8", shape=(1,), data="!!!!").array()


FLOATS = st.floats(allow_nan=False, allow_subnormal=HAS_SUBNORMALS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.integers(0, 9), max_size=6), JSON)
def test_any_change_is_read_or_refused(steps: list[int], value: object) -> None:
    whole: Any = copy.deepcopy(json.loads(dump_json(CONTRACT.to_json())))
    place: Any = {"root": whole}
    key: Any = "root"
    for step in steps:
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        place, key = inner, sorted(inner)[step % len(inner)] if isinstance(inner, dict) else step % len(inner)
    place[key] = value
    try:
        Contract.from_json(whole if key != "root" else value)
    except ModelFileError:
        pass


def test_what_a_keras_file_carries() -> None:
    source = SourceContract(labels=("cat", "dog"), preprocess=PRESETS["torch"])
    assert SourceContract.from_json(load_json(dump_json(source.to_json()), "mnkit")) == source
    nothing = SourceContract(labels=None, preprocess=None)
    assert SourceContract.from_json(nothing.to_json()) == nothing
    for wrong in (
        {"schema": 1},
        {"schema": 2},
        {**source.to_json(), "labels": "cat"},
        {**source.to_json(), "labels": [1]},
    ):
        with pytest.raises(ModelFileError):
            SourceContract.from_json(wrong)
