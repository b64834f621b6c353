"""The second environment of ``make test``: tflite-runtime 2.14, numpy 1, OpenCV 4.11, and nothing more."""

from importlib.util import find_spec

import cv2
import numpy as np
import pytest

import mninfer
from support.networks import CLASSES, shapes_float, shapes_int8
from support.pictures import draw_shape


@pytest.fixture(autouse=True)
def _only_there(environment: str) -> None:
    if environment != "tflite_runtime":
        pytest.skip("about the tflite-runtime environment of make test")


def test_it_is_what_32_bit_arm_has() -> None:
    assert np.__version__.startswith("1.")
    assert cv2.__version__.startswith("4.11.")
    assert not [name for name in ("ai_edge_litert", "tensorflow", "simplejpeg", "PIL") if find_spec(name)]


@pytest.mark.parametrize(
    "data", [shapes_float(), shapes_int8(ends="uint8"), shapes_int8(ends="int8")], ids=["float", "uint8", "int8"]
)
def test_it_names_a_shape(data: bytes) -> None:
    picture = draw_shape("blue", "triangle", size=(200, 160), centre=(100, 80), radius=55, background=200)
    with mninfer.load(data, preprocess="inception", labels=CLASSES) as model:
        assert model.engine.name == "tflite-runtime"
        assert model.classify(picture).best.label == "blue triangle"
