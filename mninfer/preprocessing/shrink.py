"""Averaging pictures to a smaller size, to the bit: the exact mean over each output pixel's area.

In integers throughout. OpenCV's INTER_AREA adds in float32, and ARM fuses multiply-adds where x86-64 doesn't: up to one
value in seven hundred, its mean on or next to a half, differs by a level.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.memory import Workspace
from mninfer.preprocessing.geometry import HALVINGS_AT_ONCE

__all__ = ["halve", "halve_side", "shrink"]

Pixels = npt.NDArray[np.uint8]
Sums = npt.NDArray[Any]

BLOCK_ROWS = 256
BLOCK_BYTES = 1 << 19  # what is added up at a time stays in a processor's cache
STRIP_BYTES = 1 << 20  # less, and short rows make the second sums slow; more, and they leave the cache
OPENCV_CARRIERS = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}  # of as many bytes, for cv2.transpose

_workspace = Workspace()


def halve(image: Pixels, times: int) -> Pixels:
    """Average 2 x 2, 4 x 4 or 8 x 8 pixels, up to three halvings at once; what is no whole block is left out.

    Rounded once, half to even, as near to what a JPEG decoder makes of these blocks as can be: half up each time would
    be brighter by an eighth of a level, and change more labels than all else about a reduced picture.
    """
    while times > 0:
        image = _block_means(image, min(times, HALVINGS_AT_ONCE))
        times -= HALVINGS_AT_ONCE
    return image


def _block_means(image: Pixels, exponent: int) -> Pixels:
    height, width, channels = image.shape[0] >> exponent, image.shape[1] >> exponent, image.shape[2]
    result = np.empty((height, width, channels), np.uint8)
    step = max(1, BLOCK_BYTES // (image[0].nbytes << exponent))
    for top in range(0, height, step):
        rows = image[top << exponent : min(top + step, height) << exponent, : width << exponent]
        sums = _block_sums(rows, exponent)
        sums += (sums >> 2 * exponent & 1) + np.uint16((1 << 2 * exponent >> 1) - 1)
        result[top : top + step] = sums >> 2 * exponent
    return result


def _block_sums(image: Pixels, exponent: int) -> npt.NDArray[np.uint16]:
    """Of the blocks of 2 ** exponent squared: OpenCV's quick means of four, of numbers that four divides."""
    import cv2

    sums = _workspace.array("rows", image.shape, np.uint16)
    np.copyto(sums, image)
    for _ in range(exponent):
        sums <<= 2
        sums = cv2.resize(sums, (sums.shape[1] // 2, sums.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return sums


def halve_side(image: Pixels, axis: int) -> Pixels:
    """Average pairs of rows (axis 0) or columns (axis 1), rounding half up; an odd last one is left out."""
    if axis == 0:
        return np.ascontiguousarray(halve_side(image.swapaxes(0, 1), 1).swapaxes(0, 1))
    half = image.shape[1] // 2
    result = np.empty((image.shape[0], half, image.shape[2]), np.uint8)
    for top in range(0, len(image), BLOCK_ROWS):
        rows = image[top : top + BLOCK_ROWS].astype(np.uint16)
        result[top : top + BLOCK_ROWS] = (rows[:, 0 : 2 * half : 2] + rows[:, 1 : 2 * half : 2] + 1) >> 1
    return result


def shrink(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize to (width, height), neither larger than the picture's, by exact area means."""
    height, width = image.shape[:2]
    if (width, height) == (2 * size[0], 2 * size[1]):
        import cv2

        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
    rows = _overlaps(height, size[1], 255)
    columns = _overlaps(width, size[0], 256 * rows.num_parts)  # with what rounding adds
    result = np.empty((size[1], size[0], 3), np.uint8)
    step = max(1, STRIP_BYTES * size[1] // (image.size * rows.weights.itemsize))
    for top in range(0, size[1], step):
        _shrink_rows(image, rows, columns, result, slice(top, min(top + step, size[1])))
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Overlaps:
    """How the pixels along a side make up fewer: each output pixel has ``num_parts``, cut so that none is in two.

    ``sources[tap, output]`` are the first, second, ... source pixel in an output pixel, ``weights`` how many of its
    parts they are, in a dtype that their sums fit.
    """

    num_parts: int
    sources: npt.NDArray[np.intp]
    weights: Sums


@lru_cache(maxsize=32)  # pictures of a camera or a data set mostly have one size, or a few
def _overlaps(length: int, goal: int, largest: int) -> _Overlaps:
    """Of a side of ``length`` that becomes ``goal``, for values of up to ``largest``."""
    num_parts, unit = length // math.gcd(length, goal), goal // math.gcd(length, goal)  # unit: parts of a source pixel
    start = np.arange(goal) * num_parts
    first, last = start // unit, (start + num_parts - 1) // unit
    sources = first + np.arange((last - first).max() + 1)[:, None]
    overlaps = np.minimum(start + num_parts, (sources + 1) * unit) - np.maximum(start, sources * unit)
    weights = np.maximum(overlaps, 0).astype(np.min_scalar_type(largest * num_parts))
    return _Overlaps(num_parts, np.minimum(sources, length - 1), weights)


def _shrink_rows(image: Pixels, rows: _Overlaps, columns: _Overlaps, result: Pixels, outputs: slice) -> None:
    """Make the rows ``outputs`` of ``result``."""
    sums = _sum_rows(image, rows, outputs)
    sums = _sum_rows(_turned(sums), columns, slice(0, result.shape[1]))
    num_parts = rows.num_parts * columns.num_parts
    sums += sums.dtype.type(num_parts // 2)
    sums //= sums.dtype.type(num_parts)
    means = _workspace.array("rows", sums.shape, np.uint8)
    np.copyto(means, sums, casting="unsafe")
    result[outputs] = _turned(means)


def _sum_rows(image: Sums, overlaps: _Overlaps, outputs: slice) -> Sums:
    """The rows ``outputs``: the rows of ``image``, each times the parts that it has in the output row, added up."""
    sources, weights = overlaps.sources[:, outputs], overlaps.weights[:, outputs]
    first, row = int(sources[0, 0]), math.prod(image.shape[1:])
    used = image[first : int(sources[-1, -1]) + 1]
    rows = _workspace.array("rows", (len(used), row), weights.dtype)
    np.copyto(rows.reshape(used.shape), used)
    sums = _workspace.array("sums", (sources.shape[1], row), weights.dtype)
    step = max(1, STRIP_BYTES // (len(sources) * sums[0].nbytes))
    for top in range(0, len(sums), step):
        taken, parts = sources[:, top : top + step] - first, weights[:, top : top + step]
        terms = _workspace.array("terms", (*taken.shape, row), weights.dtype)
        rows.take(taken, axis=0, out=terms, mode="clip")  # mode "raise" would copy once more
        np.einsum("tnr,tn->nr", terms, parts, out=sums[top : top + step])
    return sums.reshape(-1, *image.shape[1:])


def _turned(image: Sums) -> Sums:
    """Rows as columns."""
    import cv2

    carrier = OPENCV_CARRIERS[image.dtype.itemsize]
    turned = _workspace.array("turned", (image.shape[1], image.shape[0], *image.shape[2:]), carrier)
    return cv2.transpose(image.view(carrier), dst=turned).view(image.dtype)
