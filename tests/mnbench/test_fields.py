"""Fields of JSON by others: what is sound passes as it is, and what isn't is named with its place."""

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.cell import Variant
from mnbench.fields import Fields
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def fields(value: Any) -> Fields:
    return Fields({"x": value}, "rows[3]")


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1])
def test_a_count(value: int) -> None:
    assert fields(value).count("x") == value
    assert fields([value]).counts("x") == (value,)


@pytest.mark.parametrize("value", [-1, 2**63, 10**400, True, 1.0, "1", None, [1]])
def test_what_is_no_count(value: Any) -> None:
    for read in (lambda: fields(value).count("x"), lambda: fields([1, value]).counts("x")):
        with pytest.raises(InputError, match=r'^rows\[3\]: "x" is .*, not .*below 2\*\*63'):
            read()


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e19, -1e19, 10**400, True, "1"])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(InputError, match=r'"x" is .*, not a finite number'):
        fields(value).number("x")


def test_a_number_too_long_for_python_to_spell_is_told_all_the_same() -> None:
    with pytest.raises(InputError, match="a number of thousands of digits"):
        fields(10**5000).count("x")


def test_a_number_out_of_bounds_is_found_however_deep() -> None:
    with pytest.raises(InputError, match=r'"x/cpu/caches/1" is not a finite number below 2\*\*63'):
        fields({"cpu": {"caches": [1, 2**63]}}).mapping("x")
    sound = {"a": [1, {"b": 0.5, "c": None, "d": True}], "e": "text"}
    assert fields(sound).mapping("x") == sound


@pytest.mark.parametrize("name", ["int8_b8.tflite", "mobilenet_v1_1.0_224", "my model; $(x)", "ä", "x" * 200])
def test_a_file_name(name: str) -> None:
    assert fields(name).file_name("x") == name


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", ".x", "a/b", "/a", "a\\b", "C:a", "a\0", "a\nb", "\ud800", "x" * 201]
)
def test_what_is_no_file_name(name: str) -> None:
    with pytest.raises(InputError, match=r'"x" is .*, not a .*file name'):
        fields(name).file_name("x")


def test_a_choice_offers_the_nearest() -> None:
    assert fields("int8").choice("x", Variant) is Variant.INT8
    with pytest.raises(InputError) as caught:
        fields("int9").choice("x", Variant)
    assert caught.value.hints == ('did you mean "int8"?',)


@given(VALUES)
def test_whatever_is_there_is_read_or_refused(value: Any) -> None:
    found = fields(value)
    for read in (
        found.text, found.flag, found.count, found.counts, found.number, found.texts, found.list, found.mapping,
        found.file_name, lambda name: found.choice(name, Variant),
    ):  # fmt: skip
        with contextlib.suppress(InputError):
            read("x")
