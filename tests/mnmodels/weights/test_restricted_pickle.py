import collections
import os
import pickle
import random
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from mninfer.errors import InputError
from mnmodels.weights.restricted_pickle import load_pickle

pytestmark = pytest.mark.smoke

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
# What Python 2.7 with NumPy 1.x writes for {"w": np.array([1, -2], "<f4")} by protocol 2 and by protocol 0.
PYTHON_2_PROTOCOL_2 = (
    b"\x80\x02}q\x00U\x01wq\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04U\x01bq\x05"
    b"\x87q\x06Rq\x07(K\x01K\x02\x85q\x08cnumpy\ndtype\nq\tU\x02f4q\nK\x00K\x01\x87q\x0bRq\x0c(K\x03U\x01<q\rNNNJ\xff\xff"
    b"\xff\xffJ\xff\xff\xff\xffK\x00tq\x0eb\x89U\x08\x00\x00\x80?\x00\x00\x00\xc0q\x0ftq\x10bs."
)
PYTHON_2_PROTOCOL_0 = (
    b"(dp0\nS'w'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\ntp6\nRp7\n"
    b"(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'f4'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n"
    b"S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\np15\ntp16\nbs."
)


def read(value: Any, protocol: int = 4) -> Any:
    return load_pickle(pickle.dumps(value, protocol), where="weights.pkl")


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        load_pickle(data, where="weights.pkl")
    return str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_containers_come_back(protocol: int) -> None:
    value = {
        "a": [1, -2, 2**70, 3.5, None, True, False],
        "b": ("é", b"\xff\x00", b""),
        ("k", 1): {"x", "y"},
        "long": "x" * 300,
        "many": list(range(300)),
    }
    assert read(value, protocol) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f2", "f8", "i1", "u1", "<i8", "?", "c8", "S5", "U3"])
def test_arrays_come_back(protocol: int, dtype: str) -> None:
    value = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for array in (value, np.asfortranarray(value), value[:, ::2], value[:0], value[0, 0, 0].reshape(())):
        result = read({"weights": array, "again": array}, protocol)
        np.testing.assert_array_equal(result["weights"], array)
        assert result["weights"].dtype == array.dtype
        assert result["weights"] is result["again"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scalars_and_ordered_dictionaries_come_back(protocol: int) -> None:
    value = collections.OrderedDict(scale=np.float32(0.25), count=np.int64(3), flag=np.bool_(True))
    result = read(value, protocol)
    assert result == value
    assert isinstance(result["scale"], np.float32)


@settings(deadline=None, max_examples=40)  # the machine may be busy
@given(
    arrays_of.arrays(
        st.sampled_from([np.dtype("f4"), np.dtype("u1")]), arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4)
    ),
    st.sampled_from(PROTOCOLS),
)
def test_any_array_comes_back(array: np.ndarray, protocol: int) -> None:
    np.testing.assert_array_equal(read(array, protocol), array)


@pytest.mark.parametrize("old", [b"numpy.core.", b"numpy._core."])
def test_the_paths_of_numpy_1_and_2_mean_the_same(old: bytes) -> None:
    for protocol in (2, 3):
        data = pickle.dumps(np.float32([1, 2]), protocol)
        data = data.replace(b"numpy._core.", old).replace(b"numpy.core.", old)
        np.testing.assert_array_equal(load_pickle(data, where="w.pkl"), [1, 2])


@pytest.mark.parametrize("data", [PYTHON_2_PROTOCOL_0, PYTHON_2_PROTOCOL_2], ids=["protocol 0", "protocol 2"])
def test_pickles_of_python_2_are_read_as_latin_1(data: bytes) -> None:
    np.testing.assert_array_equal(load_pickle(data, where="w.pkl")["w"], np.float32([1, -2]))  # type: ignore[index]
    assert load_pickle(b"\x80\x02U\x02\xe9aq\x00.", where="w.pkl") == "éa"


def test_what_is_read_shares_no_memory_that_can_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(np.zeros(3))[0] = 1


class Program:
    """What a hostile pickle does while it is read."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


class Thing:
    pass


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Program(os.system, "true"), ".system"),
        (Program(eval, "1"), "eval"),
        (Program(getattr, "a", "upper"), "getattr"),
        (Thing(), "Thing"),
        (Thing, "Thing"),
        (range(3), "range"),
        (np.load, "numpy"),
    ],
    ids=["os.system", "eval", "getattr", "an object", "a class", "range", "numpy.load"],
)
def test_another_name_is_refused_by_name(value: Any, name: str, protocol: int) -> None:
    if protocol < 2 and isinstance(value, Thing):
        name = "_reconstructor"
    text = refusal(pickle.dumps(value, protocol))
    assert name in text
    assert "where: weights.pkl" in text
    assert "np.asarray" in text


def test_nothing_runs(tmp_path: Any) -> None:
    trace = tmp_path / "trace"
    for protocol in PROTOCOLS:
        refusal(pickle.dumps({"w": np.zeros(2), "x": Program(os.mkdir, str(trace))}, protocol))
    assert not trace.exists()


ARRAY = pickle.dumps(np.zeros((2, 3), "f4"), 2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html>", "byte 0 is no instruction"),
        (b"version https://git-lfs.github.com/spec/v1\n", "byte 0 is no instruction"),
        (ARRAY[:-1], "1 bytes too early"),
        (ARRAY.replace(b"K\x02K\x03\x86", b"K\x02K\x04\x86"), "an array of shape 2×4 and dtype float32 in 24 bytes"),
        (ARRAY.replace(b"K\x02K\x03\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"), "an array of shape 2147483647×"),
        (ARRAY.replace(b"K\x02K\x03\x86", b"J\xff\xff\xff\xffK\x03\x86"), "a shape that is none"),
        (pickle.dumps(np.array([object, 1], dtype=object), 2), "an array of Python objects"),
        (pickle.dumps(np.zeros(2, "i4,f4"), 2), "which is not read"),
        (pickle.dumps(np.zeros(2, "M8[s]"), 2), "dtype is not one of numbers"),
        (pickle.dumps(np.ma.zeros(2), 2), "numpy.ma"),
        (pickle.dumps({1.5: 1}, 2), "a key of type float"),
        (pickle.dumps({"x" * 5000: 1}, 2), "a key of type str too long"),
        (pickle.dumps({2**61 - 1: 1}, 2), "a key of type int"),
        (pickle.dumps(1 << 9000, 4), "a whole number of 1,126 bytes"),
        (b"\x80\x09N.", "protocol 9"),
        (b"\x8d" + struct.pack("<Q", 1 << 60) + b"x.", "too early"),
        (b"\x96" + struct.pack("<Q", 1 << 60) + b"x.", "too early"),
        (b"T\xff\xff\xff\xff.", "a length of -1"),
        (b"r\xff\xff\xff\x7f.", "nothing to remember"),
        (b"Nr\xff\xff\xff\x7f0j\x01\x00\x00\x00.", "its 1th part"),
        (b"I" + b"1" * 5000 + b"\n.", "no end of the line"),
        (b"Inot\n.", "a number that is none"),
        (b"S'a.\n.", "without its quotes"),
        (b"S'\\x1'\n.", "broken escape"),
        (b"V\\ud800\n.", "broken escape"),
        (b"X\x01\x00\x00\x00\xff.", "not UTF-8"),
        (b"t.", "no beginning of a list"),
        (b"(N", "too early"),
        (b"(.", "nothing to work on"),
        (b"(N d.", "no instruction"),
        (b"(Nd.", "key without a value"),
        (b"NNs.", "to add to that is no dict"),
        (b"NNa.", "to add to that is no list"),
        (b"NNb.", "a state for something that is no array"),
        (b"N)R.", "a call of something that is no function"),
        (b"cnumpy\nndarray\n.", '"numpy.ndarray" itself'),
        (b"cnumpy\nndarray\n)R.", "a call of numpy.ndarray"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.", "an array without data"),
        (b"]q\x00h\x00a.", "in a circle"),
        (b"]" * 50 + b"a" * 49 + b".", "more than 40 deep"),
        (b"Pid\n.", "a reference to something outside"),
        (b"\x97.", "data lies outside"),
        (b"ios\nsystem\n.", 'an object of "os.system"'),
        (b"c\x1b[2J\nx\n.", 'a use of "?[2J.x"'),
        (b"c_codecs\nencode\n(V\\u20ac\nVlatin1\ntR.", "data is text"),
        (b"c_codecs\nencode\n(Va\nVrot13\ntR.", "other than latin1"),
    ],
)
def test_what_is_broken_or_hostile_is_said(data: bytes, says: str) -> None:
    assert says in refusal(data)


def test_shared_parts_that_grow_exponentially_are_refused() -> None:
    laughs = b"]q\x00Na" + b"".join(b"](h%c" % i + b"h%c" % i + b"eq%c" % (i + 1) for i in range(30)) + b"."
    assert "too large" in refusal(laughs)


def test_copies_of_one_large_text_are_bounded() -> None:
    data = b"c_codecs\nencode\nq\x01X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x02Vlatin1\nq\x03"
    data += b"h\x01h\x02h\x03\x86R" * 80 + b"."
    assert "the same data many times over" in refusal(data)


def test_an_array_of_no_size_may_not_claim_any_shape() -> None:
    empty = pickle.dumps(np.zeros((0, 3), "f4"), 2)
    huge = empty.replace(b"K\x00K\x03\x86", b"K\x00\x8a\x07\x00\x00\x00\x00\x00\x00\x01\x86")
    assert huge != empty
    assert "an array" in refusal(huge)


def test_no_mutation_ends_in_anything_but_a_value_or_an_input_error() -> None:
    generator = random.Random(0)
    seeds = [pickle.dumps({"a": np.zeros((2, 3), "f4"), "b": [1, "x", (2.5, b"y")]}, p) for p in PROTOCOLS]
    seeds += [PYTHON_2_PROTOCOL_0, PYTHON_2_PROTOCOL_2]
    outcomes = collections.Counter[str]()
    for _ in range(1500):
        data = bytearray(generator.choice(seeds))
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            load_pickle(bytes(data[: generator.randint(1, len(data) * 4)]), where="w.pkl")
            outcomes["read"] += 1
        except InputError:
            outcomes["refused"] += 1
    assert outcomes["read"] > 20
    assert outcomes["refused"] > 500
