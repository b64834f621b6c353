import os

import pytest

from mninfer.errors import KerasFileError
from mnmodels.keras_file import load_keras
from mnmodels.keras_file.file_bytes import refuse_other_formats

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"), (bytes(100), "zeros only"), (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"), (b"\x89PNG\r\n\x1a\n....", "PNG picture"),
        (b"\x1c\0\0\0TFL3....", "a TFLite model, converted already"), (b"\x08\x07\x12\x07pytorch", "is ONNX"),
        (b"\x08", "the first bytes are 08"),
        (b'{"class_name": "Functional"}', "JSON: a description without weights"), (b"hello", "is text"),
        (b"\x80\x04\x95", "pickle"),
        (b"\x08\x01\x12abc", "saved_model.pb"), (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "the first bytes are 01 02"),
    ],
)  # fmt: skip
def test_other_formats_are_named(data, message):
    with pytest.raises(KerasFileError, match=message):
        refuse_other_formats(data)


def test_places_without_a_file_are_named(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "model.h5").write_bytes(b"x")
    for name, message in (
        ("pipe", "a pipe"),
        ("folder", "a folder"),
        ("nothing", "no such Keras file"),
        ("a\0b", "cannot be read"),
    ):
        with pytest.raises(KerasFileError, match=message):
            load_keras(tmp_path / name)
    with pytest.raises(KerasFileError, match="a folder") as caught:
        load_keras(tmp_path / "folder")
    assert "folder/model.h5" in str(caught.value)


def test_a_near_name_is_offered(tmp_path):
    (tmp_path / "mobilenet.h5").write_bytes(b"x")
    with pytest.raises(KerasFileError, match="no such Keras file") as caught:
        load_keras(tmp_path / "mobilnet.h5")
    assert caught.value.hints == (f"did you mean {tmp_path / 'mobilenet.h5'}?",)


def test_a_saved_model_is_refused_with_the_line_that_makes_a_file_of_it(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(KerasFileError, match="is a program") as caught:
        load_keras(tmp_path / "saved")
    assert f"load_model('{tmp_path}/saved', compile=False).save('{tmp_path}/saved.h5')" in caught.value.hints[0]
    assert any("--trust" in hint for hint in caught.value.hints)
