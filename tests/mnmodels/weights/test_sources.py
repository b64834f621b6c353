import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import InputError
from mnmodels.weights import read_weights
from mnmodels.weights.named_arrays import SourceKind

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_known_by_its_content(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(pickle.dumps({"w": np.zeros(2, np.float32)}, protocol))
    assert read_weights(path).kind == SourceKind.PICKLE


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(40), "a zip archive"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (bytes(100) + bytes.fromhex("57fb808b247547db"), "TensorFlow's first form"),
        (b"\x08\x01\x12\x00something", "no kind of weights that is known: the first bytes are 08 01 12"),
        (b'{"a": 1}', "no kind of weights that is known"),
    ],
)
def test_what_holds_no_weights_is_named(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "weights.pkl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=says) as caught:
        read_weights(path)
    assert caught.value.where == str(path)
    assert not any("did you mean" in hint for hint in caught.value.hints)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "weights.pkl").write_bytes(b"x")
    with pytest.raises(InputError, match="the file of weights is not there") as caught:
        read_weights(tmp_path / "weight.pkl")
    assert "weights.pkl" in caught.value.hints[0]
    with pytest.raises(InputError, match="a folder, not a file"):
        read_weights(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_weights("a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "weights.pkl")
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read_weights(tmp_path / "weights.pkl")


def test_a_truncated_flatbuffer_is_a_model_file_error(tmp_path: Path) -> None:
    from mninfer.errors import ModelFileError

    (tmp_path / "m.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3\x00\x00")
    with pytest.raises(ModelFileError):
        read_weights(tmp_path / "m.tflite")


def test_a_pickle_of_parts_that_are_shared_takes_no_memory_beyond_the_file(tmp_path: Path) -> None:
    part: dict[str, object] = {"w": 1.0}
    for _ in range(20):
        part = {"a": part, "b": part}
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps(part, 4))
    with pytest.raises(InputError, match="the pickle holds more than 100,000 entries"):
        read_weights(path)
    path.write_bytes(pickle.dumps({"a" * 4000: {"b" * 4000: 1.0}}))
    with pytest.raises(InputError, match="the pickle holds a name of 8,001 letters"):
        read_weights(path)
