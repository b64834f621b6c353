"""Reasons of rows: what happened, without the folders that only one machine has."""

import pytest

from mnbench.reasons import one_line, without_folders
from mninfer.errors import MnError

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/home/me/.cache/mnkit/ort.so: cannot open", "ort.so: cannot open"),
        ("libx.so (/usr/lib/libx.so.1) is too old", "libx.so (libx.so.1) is too old"),
        ("No such file: '/tmp/mnbench-1/model.onnx'", "No such file: 'model.onnx'"),
        ('File "C:\\Users\\me\\net.bin", line 3', 'File "net.bin", line 3'),
        ("~/nets/a.tflite is empty", "a.tflite is empty"),
        ("v1/forward/litert/int8 wants int8/t1", "v1/forward/litert/int8 wants int8/t1"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("12 KB/s and/or 3 / 4", "12 KB/s and/or 3 / 4"),
    ],
)
def test_folders_are_left_out_and_nothing_else(text: str, told: str) -> None:
    assert without_folders(text) == told


def test_an_error_is_its_reason_and_the_first_hint() -> None:
    assert one_line(MnError("/a/b.so is damaged", hints=("rm /a/b.so", "wait"))) == "b.so is damaged (try: rm b.so)"
