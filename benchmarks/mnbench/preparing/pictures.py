"""The pictures that are measured on, made of numbers: photos by their statistics, and the input of all engines.

The amplitudes of a photo's spatial frequencies fall as 1/f (Field, "Relations between the statistics of natural images
and the response properties of cortical cells", 1987); so do these, and as JPEGs they are about as large and as slow.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import OutputError
from mninfer.images import load_image
from mninfer.preprocessing import Preprocessor, PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["PHOTO_SIZE", "encode_array", "input_of", "normalized", "photo_jpeg", "picture"]

PHOTO_SIZE = (500, 375)  # width and height: ImageNet's most common ones
_JPEG_QUALITY = 90
_FALL = 1.25  # a camera's lens and its own JPEG take of the finest
_TINT = 0.3  # of the light: most of a photo is near grey
_LEVELS, _CONTRASTS = (80, 150), (35, 65)  # mean and standard deviation of the light, from photo to photo
_FIRST = 20_170_417  # the seed of the first picture: the day of the first paper

Array = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def picture(number: int) -> Pixels:
    """Picture ``number``, uint8 RGB, of a photo's size: clouds of light, a little of it coloured."""
    width, height = PHOTO_SIZE
    random = np.random.Generator(np.random.PCG64(_FIRST + number))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf  # the mean is set below
    spectra = np.fft.rfft2(random.normal(size=(4, height, width))) / frequency**_FALL
    light, *tints = (field / field.std() for field in np.fft.irfft2(spectra, s=(height, width)))
    colours = np.stack([light + _TINT * tint for tint in tints], axis=-1)
    level, contrast = random.uniform(*_LEVELS), random.uniform(*_CONTRASTS)
    return np.clip(np.rint(level + contrast * colours), 0, 255).astype(np.uint8)


def photo_jpeg() -> bytes:
    """The first picture as a JPEG."""
    import cv2

    is_encoded, data = cv2.imencode(".jpg", picture(0)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not is_encoded:
        raise OutputError("OpenCV could not write a JPEG")
    return data.tobytes()


def input_of(jpeg: bytes, batch: int, *, size: tuple[int, int], preprocess: PreprocessSpec) -> Array:
    """``batch`` pictures, the first of them the photo as it decodes: float32 [batch, height, width, 3], normalized."""
    others = [picture(number) for number in range(1, batch)]
    return normalized([load_image(jpeg).pixels, *others], size=size, preprocess=preprocess)


def normalized(pictures: list[Pixels], *, size: tuple[int, int], preprocess: PreprocessSpec) -> Array:
    """The pictures as a float model takes them, in one array; ``size`` is height and width."""
    shape = (1, *size, 3)
    tensor = TensorSpec(name="picture", shape=shape, shape_signature=shape, dtype="float32")
    prepare = Preprocessor(preprocess, tensor)
    return np.concatenate([prepare(pixels) for pixels in pictures])


def encode_array(*arrays: npt.NDArray[Any], is_archive: bool = False) -> bytes:
    """One array as ``.npy``, or several as ``.npz`` with the names output_0, output_1, …"""
    file = io.BytesIO()
    if is_archive:
        # No allow_pickle here: numpy 1 would take it for an array of that name.
        np.savez(file, **{f"output_{i}": np.asarray(array) for i, array in enumerate(arrays)})  # type: ignore[arg-type]
    else:
        np.save(file, arrays[0], allow_pickle=False)
    return file.getvalue()
