"""A uint8 RGB picture -> the model's input array: crop, halving, one resize, order, table.

A Preprocessor is built once per model and called per picture.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import PreprocessError
from mninfer.preprocessing.geometry import Cover, Geometry, Region, halves_well, input_geometry
from mninfer.preprocessing.shrink import halve, halve_side, shrink
from mninfer.preprocessing.spec import Interpolation, PreprocessSpec, Resize
from mninfer.preprocessing.table import input_table, pixels_as_they_are
from mninfer.tensors import TensorSpec

__all__ = ["Preprocessor", "covering_size", "pixels_as_they_are", "preprocess_image", "resize", "to_gray"]

Pixels = npt.NDArray[np.uint8]


class Preprocessor:
    """Turn pictures into one model's input. Holds tables only, so threads may share it."""

    def __init__(self, spec: PreprocessSpec, tensor: TensorSpec) -> None:
        self.spec = spec
        self.dtype = np.dtype(tensor.dtype)
        self.shape = tensor.shape
        self.is_planar, height, width, self._channels = _layout(tensor)
        self.target = (width, height)
        self._table = _as_opencv_takes_it(_for_channels(input_table(spec, tensor), self._channels, spec))
        self._offset = _offset(self._table)
        self._picture_shape = (height, width, 3)
        self._uses_all = spec.resize is not Resize.CROP or spec.crop_fraction == 1

    @property
    def cover(self) -> Cover:
        """What a decoder must still deliver for this input."""
        return Cover(self.spec, self.target)

    def geometry(self, image_size: tuple[int, int]) -> Geometry:
        """Where a picture of this (width, height) comes to lie in the input."""
        return input_geometry(image_size, self.spec, self.target)

    def __call__(self, image: Pixels) -> npt.NDArray[Any]:
        """Preprocess ``uint8 [height, width, 3]`` RGB; the result may share memory with it where nothing changes."""
        _check(image)
        if image.shape != self._picture_shape or not self._uses_all:
            image = self._fit(image)
        if self._channels == 1:
            image = to_gray(image)
        elif self.spec.order == "bgr":
            image = _swapped(image)
        array = self._look_up(image)
        if self.is_planar:
            array = np.ascontiguousarray(array.transpose(2, 0, 1))
        return array.reshape(self.shape)

    def _fit(self, image: Pixels) -> Pixels:
        geometry = self.geometry((image.shape[1], image.shape[0]))
        region, placed = geometry.region, geometry.placed
        part = image[region.top : region.bottom, region.left : region.right]
        resized = resize(halve(part, geometry.num_halvings), placed.size, self.spec.interpolation)
        if placed.size == self.target:
            return resized
        return _on_canvas(resized, placed, self._picture_shape, self.spec.fill)

    def _look_up(self, image: Pixels) -> npt.NDArray[Any]:
        if self._offset == 0:
            return np.ascontiguousarray(image).view(self.dtype)
        if self._offset is not None:
            return np.add(image, np.uint8(self._offset), order="C").view(self.dtype)
        import cv2  # not needed to read a model's facts

        found: npt.NDArray[Any] = cv2.LUT(np.ascontiguousarray(image), self._table)
        return found.view(self.dtype)


def preprocess_image(image: Pixels, spec: PreprocessSpec, tensor: TensorSpec) -> npt.NDArray[Any]:
    """One picture, ``uint8 [height, width, 3]`` RGB, as ``tensor``'s shape and dtype; for many, keep a Preprocessor."""
    return Preprocessor(spec, tensor)(image)


def covering_size(spec: PreprocessSpec, tensor: TensorSpec) -> Cover:
    """How small a decoder may make a picture that is meant for ``tensor``."""
    _, height, width, _ = _layout(tensor)
    return Cover(spec, (width, height))


def resize(image: Pixels, size: tuple[int, int], interpolation: Interpolation) -> Pixels:
    """Resize to (width, height). ``area``: what is too long is averaged first, then what is too short is enlarged.

    Enlarging, and ``bilinear`` both ways, is OpenCV's INTER_LINEAR_EXACT: its INTER_LINEAR depends on the processor.
    """
    import cv2

    if interpolation is Interpolation.AREA:
        for axis, goal in ((1, size[0]), (0, size[1])):
            while halves_well(image.shape[axis] // 2, goal):
                image = halve_side(image, axis)
        smaller = (min(image.shape[1], size[0]), min(image.shape[0], size[1]))
        if smaller != (image.shape[1], image.shape[0]):
            image = shrink(image, smaller)
    if (image.shape[1], image.shape[0]) == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def to_gray(image: Pixels) -> Pixels:
    """``[height, width, 1]``: (77 red + 150 green + 29 blue + 128) >> 8, BT.601's weights in 256ths."""
    wide = image.astype(np.uint16)
    weighted = wide[..., 0] * 77 + wide[..., 1] * 150 + wide[..., 2] * 29 + 128
    return (weighted >> 8).astype(np.uint8)[..., None]


def _swapped(image: Pixels) -> Pixels:
    """RGB as BGR."""
    import cv2

    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)  # type: ignore[return-value]


def _check(image: Pixels) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise TypeError(f"preprocessing takes uint8 [height, width, 3], not {image.dtype} {list(image.shape)}")


def _layout(tensor: TensorSpec) -> tuple[bool, int, int, int]:
    """(is_planar, height, width, channels) of ``[1, height, width, 1 or 3]`` or ``[1, 1 or 3, height, width]``."""
    shape = tensor.shape
    if len(shape) == 4 and shape[0] == 1 and min(shape) > 0:
        if shape[3] in (1, 3):
            return False, shape[1], shape[2], shape[3]
        if shape[1] in (1, 3):
            return True, shape[2], shape[3], shape[1]
    raise PreprocessError(
        f"the input has shape {list(shape)}; a picture becomes [1, height, width, 3 or 1]",
        where=f'input "{tensor.name}"',
        hints="prepare the array yourself and call Model.run",
    )


def _for_channels(table: npt.NDArray[Any], channels: int, spec: PreprocessSpec) -> npt.NDArray[Any]:
    """``[256, 3]``, or ``[256]`` where all channels are alike, as they must be for a gray input."""
    if (table == table[:, :1]).all():
        return np.ascontiguousarray(table[:, 0])
    if channels == 1:
        raise PreprocessError(
            f"the input has one channel, the preprocessing three different ones: {spec}",
            hints="give one mean and one std, for instance mean=127.5,std=127.5",
        )
    return table


def _as_opencv_takes_it(table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The same bits in a dtype that cv2.LUT moves: it only ever copies values."""
    carrier = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}[table.dtype.itemsize]
    return np.ascontiguousarray(table.reshape(256, 1, -1)).view(carrier)


def _offset(table: npt.NDArray[Any]) -> int | None:
    """The constant that an 8-bit table adds to every pixel, modulo 256; None where it does something else."""
    if table.dtype != np.uint8 or table.size != 256:
        return None
    offset = int(table.ravel()[0])
    expected = (np.arange(256) + offset).astype(np.uint8)
    return offset if (table.ravel() == expected).all() else None


def _on_canvas(image: Pixels, placed: Region, shape: tuple[int, int, int], fill: tuple[int, int, int]) -> Pixels:
    canvas = np.empty(shape, np.uint8)
    canvas[:] = fill
    canvas[placed.top : placed.bottom, placed.left : placed.right] = image
    return canvas
