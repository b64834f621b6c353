"""Which part of a picture is used, and where it lies in the input: integers only, so that every port agrees.

All sizes are (width, height). Nothing here touches pixels.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing.spec import FRACTION_STEPS, Interpolation, PreprocessSpec, Resize

__all__ = ["Cover", "Geometry", "Region", "input_geometry", "input_region"]

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of whole pixels, origin at the top left."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def size(self) -> Size:
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Geometry:
    """``region`` of a picture of ``image_size`` is resized to ``placed`` in an input of ``input_size``."""

    image_size: Size
    input_size: Size
    region: Region
    placed: Region

    def to_image(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map points, ``[..., (x, y)]`` in input pixels, to pixels of the picture. They may lie outside of it."""
        inside = np.asarray(points, np.float64) - (self.placed.left, self.placed.top)
        scale = (self.region.width / self.placed.width, self.region.height / self.placed.height)
        mapped: npt.NDArray[np.float64] = inside * scale + (self.region.left, self.region.top)
        return mapped

    def to_input(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map points, ``[..., (x, y)]`` in pixels of the picture, to input pixels: the inverse of ``to_image``."""
        inside = np.asarray(points, np.float64) - (self.region.left, self.region.top)
        scale = (self.placed.width / self.region.width, self.placed.height / self.region.height)
        mapped: npt.NDArray[np.float64] = inside * scale + (self.placed.left, self.placed.top)
        return mapped

    def boxes_to_image(self, boxes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Map boxes, ``[..., (left, top, right, bottom)]`` as parts of the input (0..1), to pixels of the picture.

        They are clipped to the picture.
        """
        corners = np.asarray(boxes, np.float64)
        corners = corners.reshape(*corners.shape[:-1], 2, 2) * self.input_size
        mapped = np.clip(self.to_image(corners), 0, self.image_size)
        return mapped.reshape(*mapped.shape[:-2], 4)


@dataclass(frozen=True, slots=True)
class Cover:
    """What a decoder must still deliver: enough pixels for the input, after the crop, without enlarging."""

    spec: PreprocessSpec
    target: Size

    def reduction(self, image_size: Size) -> int:
        """The largest of 8, 4, 2 by which each side of the picture may be divided (rounding up); 1 if none.

        Bilinear sampling is defined on the full picture, so it is never reduced.
        """
        if self.spec.interpolation is Interpolation.BILINEAR:
            return 1
        for factor in (8, 4, 2):
            reduced = (-(-image_size[0] // factor), -(-image_size[1] // factor))
            geometry = input_geometry(reduced, self.spec, self.target)
            if geometry.region.width >= geometry.placed.width and geometry.region.height >= geometry.placed.height:
                return factor
        return 1


def input_region(image_size: Size, spec: PreprocessSpec, target: Size) -> Region:
    """The part of the picture that becomes the input of ``target`` size.

    ``crop``: the largest region with the target's aspect, times the fraction, each side rounded half up and at least 1,
    centred (the odd pixel goes to the right and bottom). The others use the whole picture.
    """
    width, height = image_size
    if spec.resize is not Resize.CROP:
        return Region(0, 0, width, height)
    target_width, target_height = target
    steps = round(spec.crop_fraction * FRACTION_STEPS)
    if width * target_height >= height * target_width:  # the picture is the wider one: its height is what limits
        cropped_height = _divide(height * steps, FRACTION_STEPS)
        cropped_width = _divide(height * target_width * steps, target_height * FRACTION_STEPS)
    else:
        cropped_width = _divide(width * steps, FRACTION_STEPS)
        cropped_height = _divide(width * target_height * steps, target_width * FRACTION_STEPS)
    cropped_width, cropped_height = min(cropped_width, width), min(cropped_height, height)
    return Region((width - cropped_width) // 2, (height - cropped_height) // 2, cropped_width, cropped_height)


def input_geometry(image_size: Size, spec: PreprocessSpec, target: Size) -> Geometry:
    """The region used and the rectangle of the input that it fills: all of it, but for ``letterbox``.

    ``letterbox``: the picture's aspect is kept, the shorter side rounded half up and at least 1, centred (an odd
    row or column of the bars is on the right or bottom).
    """
    region = input_region(image_size, spec, target)
    if spec.resize is not Resize.LETTERBOX:
        return Geometry(image_size, target, region, Region(0, 0, *target))
    (width, height), (target_width, target_height) = image_size, target
    if width * target_height >= height * target_width:
        placed_width, placed_height = target_width, _divide(height * target_width, width)
    else:
        placed_width, placed_height = _divide(width * target_height, height), target_height
    left, top = (target_width - placed_width) // 2, (target_height - placed_height) // 2
    return Geometry(image_size, target, region, Region(left, top, placed_width, placed_height))


def _divide(numerator: int, denominator: int) -> int:
    """The quotient rounded half up, at least 1."""
    return max(1, (2 * numerator + denominator) // (2 * denominator))
