"""Averaging pictures to a smaller size, to the bit: the exact mean over each output pixel's area.

In integers throughout. OpenCV's INTER_AREA adds in float32, and ARM fuses multiply-adds where x86-64 doesn't: up to one
value in seven hundred, its mean on or next to a half, differs by a level.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing.geometry import HALVINGS_AT_ONCE

__all__ = ["halve", "halve_side", "shrink"]

Pixels = npt.NDArray[np.uint8]
Sums = npt.NDArray[Any]
Taps = tuple[tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]], ...]

BLOCK_ROWS = 256
BLOCK_BYTES = 1 << 19  # what is added up at a time stays in a processor's cache
OPENCV_CARRIERS = {1: np.uint8, 2: np.uint16, 4: np.int32, 8: np.float64}  # of as many bytes, for cv2.transpose


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

    sums = image.astype(np.uint16)
    for _ in range(exponent):
        sums <<= 2
        sums = cv2.resize(sums, (sums.shape[1] // 2, sums.shape[0] // 2), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
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
    num_parts = _num_parts(height, size[1]) * _num_parts(width, size[0])
    sums = _sum_rows(image, size[1], np.min_scalar_type(255 * _num_parts(height, size[1])))
    sums = _sum_rows(_transposed(sums), size[0], np.min_scalar_type(256 * num_parts))
    sums += sums.dtype.type(num_parts // 2)
    sums //= sums.dtype.type(num_parts)
    return _transposed(sums.astype(np.uint8))


def _num_parts(length: int, goal: int) -> int:
    """How many parts an output pixel has along a side, where source pixels are cut so that none is in two of them."""
    return length // math.gcd(length, goal)


def _sum_rows(image: Sums, goal: int, dtype: np.dtype[Any]) -> Sums:
    """``goal`` rows: the rows of ``image``, each times the parts that it has in the output row, added in ``dtype``."""
    length, *row_shape = image.shape
    if length == goal:
        return image.astype(dtype)
    rows = image.reshape(length, -1).astype(dtype)
    sums = np.empty((goal, rows.shape[1]), dtype)
    step = max(1, BLOCK_BYTES // sums[0].nbytes)
    for top in range(0, goal, step):
        block = slice(top, top + step)
        (first, num_first), *others = _taps(length, goal)
        np.multiply(rows.take(first[block], axis=0), num_first[block].astype(dtype), out=sums[block])
        for source, num_parts in others:
            part = rows.take(source[block], axis=0)
            part *= num_parts[block].astype(dtype)
            sums[block] += part
    return sums.reshape(goal, *row_shape)


@lru_cache(maxsize=16)  # pictures of a camera or a data set mostly have one size, or a few
def _taps(length: int, goal: int) -> Taps:
    """For each output row its source rows, one after the other: their indices ``[goal]``, their parts ``[goal, 1]``."""
    span = _num_parts(length, goal)
    unit = goal // math.gcd(length, goal)  # parts of a source row
    start = np.arange(goal) * span
    first, last = start // unit, (start + span - 1) // unit
    taps = []
    for index in range(int((last - first).max()) + 1):
        source = first + index
        overlap = np.minimum(start + span, (source + 1) * unit) - np.maximum(start, source * unit)
        taps.append((np.minimum(source, length - 1), np.maximum(overlap, 0)[:, None]))
    return tuple(taps)


def _transposed(image: Sums) -> Sums:
    """Rows as columns."""
    import cv2

    turned = cv2.transpose(image.view(OPENCV_CARRIERS[image.dtype.itemsize]))
    return turned.view(image.dtype)
