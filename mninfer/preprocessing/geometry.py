"""Which part of a picture is used, and where it lies in the input: integers only, so that every port agrees.

All sizes are (width, height). Nothing here touches pixels.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing.spec import FRACTION_STEPS, Interpolation, PreprocessSpec, Resize

__all__ = ["HALVINGS_AT_ONCE", "Cover", "Geometry", "Region", "halves_well", "input_geometry", "input_region"]

Size = tuple[int, int]

# Tenths of a pixel that halving leaves for each input pixel, along each side. With less, averaging twice blurs: at 1.1
# the top-1 of small networks falls by two to four points, from 1.4 on hardly (docs/decisions/0005).
OVERSAMPLING_TENTHS = 14
HALVINGS_AT_ONCE = 3  # one mean of 8 x 8 pixels, as far as JPEG decoders go


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
    """``region`` of a picture of ``image_size`` is resized to ``placed`` in an input of ``input_size``.

    ``num_halvings`` halvings come first, blocks of 2, 4 or 8 pixels squared: the region lies on that grid.
    """

    image_size: Size
    input_size: Size
    region: Region
    placed: Region
    num_halvings: int = 0

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
    """How far a decoder may reduce a picture for an input: by the halvings at once that come next anyway."""

    spec: PreprocessSpec
    target: Size

    def reduction(self, image_size: Size) -> int:
        """1, 2, 4 or 8: what each side of a picture of this (width, height) may be divided by."""
        return 1 << min(input_geometry(image_size, self.spec, self.target).num_halvings, HALVINGS_AT_ONCE)


def input_region(image_size: Size, spec: PreprocessSpec, target: Size) -> Region:
    """The part of the picture that becomes the input of ``target`` size; see ``input_geometry``."""
    return input_geometry(image_size, spec, target).region


@lru_cache(maxsize=64)  # asked for when a picture is decoded and when it is cut; most of a data set are of a few sizes
def input_geometry(image_size: Size, spec: PreprocessSpec, target: Size) -> Geometry:
    """The region used, the rectangle of the input that it fills, and how often it is halved.

    With ``area``, the picture is halved, an odd last row or column left out, as long as the half has at least 1.4
    pixels for each input pixel along both sides. Then, on what is left:

    ``crop``: the largest region with the target's aspect, times the fraction, each side rounded half up and at least 1,
    centred (the odd pixel goes to the right and bottom). The others use everything.
    ``letterbox``: the aspect is kept, the shorter side rounded half up and at least 1, centred (an odd row or column of
    the bars is on the right or bottom). The others fill the whole input.
    """
    num_halvings, (region, placed) = 0, _fit(image_size, spec, target)
    while spec.interpolation is Interpolation.AREA and min(size := _halved(image_size, num_halvings + 1)) > 0:
        smaller, onto = _fit(size, spec, target)
        if not halves_well(smaller.width, onto.width) or not halves_well(smaller.height, onto.height):
            break
        num_halvings, region, placed = num_halvings + 1, smaller, onto
    scaled = Region(*(edge << num_halvings for edge in (region.left, region.top, region.width, region.height)))
    return Geometry(image_size, target, scaled, placed, num_halvings)


def halves_well(half: int, goal: int) -> bool:
    """Whether half a side is still long enough for ``goal`` input pixels."""
    return 10 * half >= OVERSAMPLING_TENTHS * goal


def _halved(size: Size, times: int) -> Size:
    return size[0] >> times, size[1] >> times


def _fit(size: Size, spec: PreprocessSpec, target: Size) -> tuple[Region, Region]:
    """(the region of a picture of this size, its place in the input)."""
    if spec.resize is Resize.CROP:
        return _crop(size, spec.crop_fraction, target), Region(0, 0, *target)
    whole = Region(0, 0, *size)
    return whole, _letterbox(size, target) if spec.resize is Resize.LETTERBOX else Region(0, 0, *target)


def _crop(size: Size, fraction: float, target: Size) -> Region:
    (width, height), (target_width, target_height) = size, target
    steps = round(fraction * FRACTION_STEPS)
    if width * target_height >= height * target_width:  # the picture is the wider one: its height is what limits
        cropped_height = _divide(height * steps, FRACTION_STEPS)
        cropped_width = _divide(height * target_width * steps, target_height * FRACTION_STEPS)
    else:
        cropped_width = _divide(width * steps, FRACTION_STEPS)
        cropped_height = _divide(width * target_height * steps, target_width * FRACTION_STEPS)
    cropped_width, cropped_height = min(cropped_width, width), min(cropped_height, height)
    return Region((width - cropped_width) // 2, (height - cropped_height) // 2, cropped_width, cropped_height)


def _letterbox(size: Size, target: Size) -> Region:
    (width, height), (target_width, target_height) = size, target
    if width * target_height >= height * target_width:
        placed_width, placed_height = target_width, _divide(height * target_width, width)
    else:
        placed_width, placed_height = _divide(width * target_height, height), target_height
    left, top = (target_width - placed_width) // 2, (target_height - placed_height) // 2
    return Region(left, top, placed_width, placed_height)


def _divide(numerator: int, denominator: int) -> int:
    """The quotient rounded half up, at least 1."""
    return max(1, (2 * numerator + denominator) // (2 * denominator))
