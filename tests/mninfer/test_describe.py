"""Which foreign readers a file does not suit, in a sentence each."""

from dataclasses import replace

import pytest

from mninfer.model_file.describe import limits_elsewhere
from mninfer.preprocessing import PRESETS, PreprocessSpec, Resize
from mninfer.tensors import Quantization, TensorSpec

pytestmark = pytest.mark.smoke

FLOAT = TensorSpec(name="x", shape=(1, 8, 8, 3), shape_signature=(1, 8, 8, 3), dtype="float32")
PIXELS = replace(FLOAT, dtype="uint8", quantization=Quantization((1 / 127.5,), (127,)))
OTHER = replace(FLOAT, dtype="uint8", quantization=Quantization((1 / 100,), (127,)))
INCEPTION = PRESETS["inception"]


@pytest.mark.parametrize(
    ("preprocess", "tensor", "notes"),
    [
        (INCEPTION, FLOAT, []),
        (INCEPTION, PIXELS, []),
        (PRESETS["raw"], FLOAT, []),
        (INCEPTION, replace(PIXELS, dtype="int8"), ["its input is int8; they take uint8 and float32"]),
        (PRESETS["torch"], FLOAT, ["mean and std differ between channels"]),
        (PRESETS["caffe"], FLOAT, ["blue, green, red"]),
        (INCEPTION, OTHER, ["not scale 1/std, zero point mean"]),
        (PRESETS["torch"], PIXELS, ["not scale 1/std, zero point mean"]),
        (replace(INCEPTION, resize=Resize.CROP, crop_fraction=0.875), FLOAT, ["makes them fit by crop"]),
    ],
)
def test_limits(preprocess: PreprocessSpec, tensor: TensorSpec, notes: list[str]) -> None:
    found = limits_elsewhere(preprocess, tensor)
    assert len(found) == len(notes)
    assert all(note in text for note, text in zip(notes, found, strict=True))
