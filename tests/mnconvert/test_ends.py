"""The dtype of a file's ends, and what is said where it is not the usual one."""

from dataclasses import replace

import pytest

from mnconvert.config import ConvertConfig, Ends, Variant
from mnconvert.ends import choose_ends, input_numbers, remarks_on_ends
from mninfer.preprocessing import PreprocessSpec, Resize
from mninfer.tensors import TensorSpec

pytestmark = pytest.mark.smoke

PLAIN = PreprocessSpec(mean=(127.5,) * 3, std=(127.5,) * 3)
CAFFE = PreprocessSpec(mean=(123.68, 116.779, 103.939), std=(1.0,) * 3)
UNEVEN = PreprocessSpec(mean=(127.5,) * 3, std=(57.0, 58.0, 59.0))
INT8 = ConvertConfig(variant=Variant.INT8)


def tensor(dtype: str) -> TensorSpec:
    return TensorSpec(name="image", shape=(1, 8, 8, 3), shape_signature=(1, 8, 8, 3), dtype=dtype)


@pytest.mark.parametrize(
    ("preprocess", "ends"), [(PLAIN, Ends.UINT8), (CAFFE, Ends.INT8), (UNEVEN, Ends.INT8)], ids=["plain", "mean", "std"]
)
def test_int8_files_take_pixels_where_one_scale_is_enough(preprocess, ends):
    assert choose_ends(INT8, preprocess) is ends


@pytest.mark.parametrize("variant", [each for each in Variant if each is not Variant.INT8])
def test_all_others_have_float_ends(variant):
    assert choose_ends(ConvertConfig(variant=variant), PLAIN) is Ends.FLOAT32
    assert remarks_on_ends(ConvertConfig(variant=variant), Ends.FLOAT32, CAFFE, tensor("float32")) == []


@pytest.mark.parametrize("ends", list(Ends))
def test_what_was_asked_for_holds(ends):
    assert choose_ends(ConvertConfig(variant=Variant.INT8, ends=ends), CAFFE) is ends


def test_int8_ends_are_explained_and_the_readers_named():
    first, second = remarks_on_ends(INT8, Ends.INT8, CAFFE, tensor("int8"))
    assert "the channels' means are 123.68, 116.779, 103.939" in first
    assert second.startswith("MediaPipe and LiteRT.js cannot run it: its input is int8")
    assert "differ between channels" in remarks_on_ends(INT8, Ends.INT8, UNEVEN, tensor("int8"))[0]
    far = replace(PLAIN, mean=(-3.0,) * 3)
    assert "the mean of -3 is no pixel's value" in remarks_on_ends(INT8, Ends.INT8, far, tensor("int8"))[0]


def test_nothing_is_said_of_pixels_as_they_are():
    pixels = replace(tensor("uint8"), quantization=None)
    raw = PreprocessSpec(mean=(0.0,) * 3, std=(1.0,) * 3, resize=Resize.CROP, crop_fraction=0.875)
    assert remarks_on_ends(INT8, Ends.UINT8, raw, pixels) == []


def test_the_input_is_the_pixel_and_the_half_step_is_known():
    numbers = input_numbers(PLAIN)
    assert numbers.pixel_scale == (1 / 127.5, 0)
    assert numbers.pixel_offset == pytest.approx(0.5 / 127.5)
    assert (numbers.low, numbers.high) == (-1.0, 1.0)
    assert input_numbers(CAFFE).pixel_scale is None
    assert input_numbers(CAFFE).low == pytest.approx(-123.68)
    assert input_numbers(CAFFE).high == pytest.approx(255 - 103.939)
