"""Each environment that we promise holds what it should and nothing more, and names a shape there."""

import platform
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest

import mninfer
from support.networks import CLASSES, shapes_float, shapes_int8
from support.pictures import draw_shape

# Environment -> numpy, OpenCV, engine, packages that must be absent, machine.
NEVER_THERE = ("tensorflow", "keras", "mediapipe")
OLD = ("ai_edge_litert", "simplejpeg", "PIL", *NEVER_THERE)
PROMISED = {
    "wheel": ("2.", "5.", "litert", NEVER_THERE, platform.machine()),
    "keras": ("2.", "5.", "litert", ("mediapipe",), platform.machine()),
    "tflite_runtime": ("1.", "4.11.", "tflite-runtime", OLD, platform.machine()),
    "armhf": ("1.24.", "4.6.", "tflite-runtime", OLD, "armv7l"),
    "arm64": ("2.", "5.", "litert", NEVER_THERE, "aarch64"),
}


def test_it_holds_what_it_should(environment: str) -> None:
    if environment not in PROMISED:
        pytest.skip("about the environments of make test and make test-arm")
    numpy, opencv, _, absent, machine = PROMISED[environment]
    assert np.__version__.startswith(numpy)
    assert cv2.__version__.startswith(opencv)
    assert not [name for name in absent if find_spec(name)]
    assert platform.machine() == machine
    assert (sys.maxsize > 2**32) == (machine != "armv7l")


@pytest.mark.smoke
@pytest.mark.parametrize("ends", ["float", "uint8", "int8"])
def test_it_names_a_shape(environment: str, ends: str) -> None:
    data = shapes_float() if ends == "float" else shapes_int8(ends=ends)
    picture = draw_shape("blue", "triangle", size=(200, 160), centre=(100, 80), radius=55, background=200)
    with mninfer.load(data, preprocess="inception", labels=CLASSES) as model:
        if environment in PROMISED:
            assert model.engine.name == PROMISED[environment][2]
        assert model.classify(picture).best.label == "blue triangle"
