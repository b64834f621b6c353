"""What a file is verified on, and how each picture becomes the file's input and the float model's.

Without data: flat coloured shapes. Half are the golden vectors' few strong ones, half are crowded as photos are: the
first show ranges that clip, the second what is left of a network on pictures like those it was trained on. Never noise:
on it a broken file agrees with the float model as often as a sound one does (docs/decisions/0006).
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.config import Variant
from mnconvert.verification.dead_leaves import leaves_picture
from mninfer.model_file import golden_picture
from mninfer.model_file.golden import golden_size
from mninfer.preprocessing import Preprocessor, PreprocessSpec, Resize
from mninfer.tensors import TensorSpec

__all__ = ["NUM_PICTURES", "PictureKind", "PicturePreparer", "num_pictures", "shape_pictures"]

NUM_PICTURES = 64
# int16x8 has none but reference kernels: half a second a picture for V2 1.0/224, a hundred times int8's.
NUM_SLOW_PICTURES = 16
# Seeds are this far apart: a picture belongs to one seed, and the golden vectors' first numbers to none.
PICTURES_OF_A_SEED = 1 << 16

Array = npt.NDArray[Any]
Pixels = npt.NDArray[np.uint8]


class PictureKind(StrEnum):
    """``shapes`` are drawn by us; ``calibration`` are the user's own."""

    SHAPES = "shapes"
    CALIBRATION = "calibration"


def num_pictures(variant: Variant, *, most: int = NUM_PICTURES) -> int:
    """How many pictures a file of this variant is verified on: ``most``, but for what runs too slowly for that."""
    return min(most, NUM_SLOW_PICTURES) if variant is Variant.INT16X8 else most


def shape_pictures(count: int = NUM_PICTURES, *, seed: int = 0, size: tuple[int, int]) -> Iterator[Pixels]:
    """Pictures of flat shapes, uint8 RGB, larger than the input, which is ``size`` (height, width), and not square."""
    height, width = size
    for number in range(count):
        index = ((seed + 1) * PICTURES_OF_A_SEED + number) % 2**32
        draw = leaves_picture if number % 2 else golden_picture
        yield draw(index, *golden_size(number // 2, width, height))


class PicturePreparer:
    """Turn one picture into what the file takes and what the float model takes, both of a batch of 1.

    A picture is uint8 RGB of any size, or float32 in the input's own shape: normalized already, to ``preprocess``.
    A file whose input is no float gets the nearest pixels of such a tensor, by its own preprocessing.
    """

    def __init__(self, tensor: TensorSpec, *, recorded: PreprocessSpec, preprocess: PreprocessSpec) -> None:
        single = replace(tensor, shape=(1, *tensor.shape[1:]), shape_signature=(1, *tensor.shape[1:]))
        as_float = replace(single, dtype="float32", quantization=None)
        self.shape = single.shape
        self._spec = preprocess
        self._is_float = tensor.dtype == "float32"
        self._of_file = Preprocessor(recorded, single)
        self._of_reference = Preprocessor(preprocess, as_float)
        self._of_pixels = Preprocessor(replace(recorded, resize=Resize.STRETCH, crop_fraction=1.0), single)

    def __call__(self, picture: Array) -> tuple[Array, npt.NDArray[np.float32]]:
        """(the file's tensor, the float model's)."""
        if picture.dtype == np.uint8:
            return self._of_file(picture), self._of_reference(picture)
        if picture.dtype != np.float32 or picture.shape != self.shape[1:]:
            raise TypeError(
                f"a picture is uint8 RGB, or float32 {list(self.shape[1:])}, not {picture.dtype} {list(picture.shape)}"
            )
        tensor = picture.reshape(self.shape)
        return (tensor if self._is_float else self._of_pixels(self._pixels(picture))), tensor

    def _pixels(self, tensor: npt.NDArray[np.float32]) -> Pixels:
        channels = tensor.shape[2]
        real = tensor * np.array(self._spec.std[:channels]) + np.array(self._spec.mean[:channels])
        pixels = np.clip(np.rint(real), 0, 255).astype(np.uint8)
        pixels = np.repeat(pixels, 3, axis=2) if channels == 1 else pixels
        return pixels[..., ::-1] if self._spec.order == "bgr" else pixels
