"""The pictures that are measured on: the same from the same number, like photos, and the input of all engines."""

import numpy as np
import pytest

from mnbench.preparing.pictures import PHOTO_SIZE, encode_array, input_of, photo_jpeg, picture
from mninfer.images import load_image
from mninfer.preprocessing import parse_preprocess, preprocess_image
from mninfer.tensors import TensorSpec

pytestmark = pytest.mark.smoke

INCEPTION = parse_preprocess("inception", resize="crop:0.875")


def test_a_picture_is_its_numbers() -> None:
    assert (picture(3) == picture(3)).all()
    assert np.abs(picture(3).astype(int) - picture(4)).mean() > 10
    assert picture(0).shape == (PHOTO_SIZE[1], PHOTO_SIZE[0], 3)


@pytest.mark.parametrize("number", range(6))
def test_a_picture_is_like_a_photo(number: int) -> None:
    """Mid-grey on the whole, contrasty, neighbours alike, and channels too."""
    pixels = picture(number).astype(float)
    assert 60 < pixels.mean() < 170
    assert 25 < pixels.std() < 75
    assert np.corrcoef(pixels[:, 1:, 0].ravel(), pixels[:, :-1, 0].ravel())[0, 1] > 0.9
    assert np.corrcoef(pixels[..., 0].ravel(), pixels[..., 2].ravel())[0, 1] > 0.7


def test_the_photo_is_the_first_picture_as_a_jpeg_of_a_photos_size() -> None:
    jpeg = photo_jpeg()
    decoded = load_image(jpeg).pixels
    assert decoded.shape == picture(0).shape
    assert np.abs(decoded.astype(int) - picture(0)).mean() < 8
    assert 40_000 < len(jpeg) < 200_000


def test_the_input_begins_with_the_photo_and_every_batch_with_the_smaller_one() -> None:
    jpeg = photo_jpeg()
    one, three = (input_of(jpeg, batch, size=(64, 96), preprocess=INCEPTION) for batch in (1, 3))
    tensor = TensorSpec(name="x", shape=(1, 64, 96, 3), shape_signature=(1, 64, 96, 3), dtype="float32")
    assert (one == preprocess_image(load_image(jpeg).pixels, INCEPTION, tensor)).all()
    assert one.dtype == np.float32
    assert three.shape == (3, 64, 96, 3)
    assert (three[:1] == one).all()
    assert not (three[1] == three[2]).all()


def test_arrays_come_back_without_anything_being_run() -> None:
    import io

    single = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert (np.load(io.BytesIO(encode_array(single)), allow_pickle=False) == single).all()
    archive = np.load(io.BytesIO(encode_array(single, single + 1, is_archive=True)), allow_pickle=False)
    assert archive.files == ["output_0", "output_1"]
    assert (archive["output_1"] == single + 1).all()
