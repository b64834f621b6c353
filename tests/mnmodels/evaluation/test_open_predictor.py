"""Which of the two runs a model file is told by its content, without waiting for what never comes."""

import os
from pathlib import Path

import pytest

from mnmodels.evaluation import is_tflite
from support.networks import shapes_int8

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("net.bin", shapes_int8(), True),
        ("net.h5", shapes_int8(), True),
        ("net.tflite", b"<html>", True),
        ("net.tflite", b"\x89HDF\r\n\x1a\n", False),
        ("net.tflite", b"PK\x03\x04", False),
        ("net.h5", b"", False),
    ],
)
def test_content_tells_before_the_name(tmp_path: Path, name: str, content: bytes, expected: bool) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_tflite(str(tmp_path / name)) is expected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
@pytest.mark.parametrize(("name", "expected"), [("net.tflite", True), ("net.h5", False)])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str, expected: bool) -> None:
    os.mkfifo(tmp_path / name)
    assert is_tflite(str(tmp_path / name)) is expected
