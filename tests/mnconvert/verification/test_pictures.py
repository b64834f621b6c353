"""What a file is verified on: drawn from a seed, and prepared for both sides alike."""

from dataclasses import replace

import numpy as np
import pytest

from mnconvert.config import Variant
from mnconvert.verification import num_pictures, shape_pictures
from mnconvert.verification.pictures import PicturePreparer
from mninfer.preprocessing import PRESETS, Resize
from mninfer.tensors import Quantization, TensorSpec

pytestmark = pytest.mark.smoke

FLOAT = TensorSpec(name="x", shape=(1, 20, 24, 3), shape_signature=(1, 20, 24, 3), dtype="float32")
UINT8 = replace(FLOAT, dtype="uint8", quantization=Quantization((1 / 127.5,), (128,)))
INCEPTION, TORCH, CAFFE = PRESETS["inception"], PRESETS["torch"], PRESETS["caffe"]


def drawn(**options) -> list[np.ndarray]:
    return list(shape_pictures(4, size=(20, 24), **options))


def test_pictures_are_the_seed_s():
    for first, second in zip(drawn(seed=3), drawn(seed=3), strict=True):
        assert np.array_equal(first, second)
    assert not any(np.array_equal(*pair) for pair in zip(drawn(seed=3), drawn(seed=4), strict=True))


def test_pictures_are_larger_than_the_input_and_not_square():
    for picture in drawn(seed=0):
        height, width, channels = picture.shape
        assert (height > 20, width > 24, channels, picture.dtype) == (True, True, 3, np.uint8)
        assert height != width


def test_pictures_are_flat():
    """Never noise: most pixels have their neighbour's colour."""
    for picture in shape_pictures(8, size=(96, 96)):
        assert np.mean((picture[:, 1:] == picture[:, :-1]).all(2)) > 0.7


@pytest.mark.parametrize("spec", [INCEPTION, TORCH, CAFFE], ids=["inception", "torch", "caffe"])
def test_pixels_reach_a_float_file_as_they_reach_the_float_model(spec):
    prepare = PicturePreparer(FLOAT, recorded=spec, preprocess=spec)
    stored, real = prepare(drawn(seed=0)[0])
    assert stored.dtype == real.dtype == np.float32
    assert np.array_equal(stored, real)


def test_pixels_reach_a_quantized_file_as_pixels():
    stored, real = PicturePreparer(UINT8, recorded=INCEPTION, preprocess=INCEPTION)(drawn(seed=0)[0])
    assert stored.dtype == np.uint8
    assert np.abs((stored - 127.5) / 127.5 - real).max() < 1e-6


@pytest.mark.parametrize("spec", [INCEPTION, replace(CAFFE, resize=Resize.CROP, crop_fraction=0.5)])
def test_normalized_tensors_become_their_nearest_pixels(spec):
    """Crop and channel order are behind them already."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    in_order = pixels[..., ::-1] if spec.order == "bgr" else pixels
    tensor = ((in_order - np.array(spec.mean)) / np.array(spec.std)).astype(np.float32)
    quantized = replace(UINT8, quantization=Quantization((1.0,), (0,)))
    recorded = replace(spec, mean=(0.0,) * 3, std=(1.0,) * 3)
    stored, real = PicturePreparer(quantized, recorded=recorded, preprocess=spec)(tensor)
    assert np.array_equal(stored[0], in_order)
    assert np.array_equal(real[0], tensor)


def test_slow_files_are_verified_on_fewer():
    assert {variant: num_pictures(variant) for variant in Variant} == dict.fromkeys(Variant, 64) | {"int16x8": 16}
    assert (num_pictures(Variant.INT8, most=200), num_pictures(Variant.INT16X8, most=5)) == (200, 5)


def test_a_larger_batch_is_prepared_picture_by_picture():
    four = replace(FLOAT, shape=(4, 20, 24, 3), shape_signature=(4, 20, 24, 3))
    assert PicturePreparer(four, recorded=INCEPTION, preprocess=INCEPTION)(drawn(seed=0)[0])[0].shape == (1, 20, 24, 3)


@pytest.mark.parametrize("shape", [(20, 20, 3), (1, 20, 24, 3)])
def test_a_tensor_of_another_size_is_refused(shape):
    prepare = PicturePreparer(FLOAT, recorded=INCEPTION, preprocess=INCEPTION)
    with pytest.raises(TypeError, match=r"uint8 RGB, or float32 \[20, 24, 3\], not float32"):
        prepare(np.zeros(shape, np.float32))
