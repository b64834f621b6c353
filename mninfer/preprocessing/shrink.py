"""Averaging pictures to a smaller size, to the bit: the exact mean over each output pixel's area, rounded half up.

OpenCV's INTER_AREA adds in float32, and ARM fuses multiply-adds where x86-64 doesn't: up to one value in
seven hundred, its mean on or next to a half, differs by a level. So what is near a half is decided in integers.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["halve", "halve_side", "shrink"]

Pixels = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Rounding errors in float32 are below 6e-5 + 7.6e-6 for each source pixel in a row and in a column: values are at most
# 255, weights add up to one, and each weight, product and sum is off by at most a 2^-24th.
DOUBT_PER_TAP = 2.0**-16
BLOCK_ROWS = 256


def halve(image: Pixels, times: int) -> Pixels:
    """Average blocks of 2 x 2, rounding half up, so many times; an odd last row or column is left out."""
    import cv2

    for _ in range(times):
        height, width = image.shape[0] // 2, image.shape[1] // 2
        blocks = image[: 2 * height, : 2 * width]
        image = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return image


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
    import cv2

    height, width = image.shape[:2]
    if (width, height) == (2 * size[0], 2 * size[1]):
        return halve(image, 1)
    means: npt.NDArray[np.float32] = cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    doubt = DOUBT_PER_TAP * (width // size[0] + height // size[1] + 10)
    # Means are multiples of 1/num_parts. The nearest to a half, other than it, is a part away, or half a part where
    # num_parts is odd and no mean is a half.
    num_parts = (width // math.gcd(width, size[0])) * (height // math.gcd(height, size[1]))
    if num_parts * 2 * doubt < 1:  # what looks like a half is one
        means += np.float32(0.5 if num_parts % 2 else 0.5 + doubt)
        rounded: Pixels = means.astype(np.uint8)
        return rounded
    floors = np.floor(means + np.float32(0.5))
    doubtful = np.flatnonzero(np.abs(means - floors) > 0.5 - doubt)
    result: Pixels = floors.astype(np.uint8)
    if len(doubtful):
        result.reshape(-1)[doubtful] = _exact_means(image, size, doubtful)
    return result


def _exact_means(image: Pixels, size: tuple[int, int], indices: npt.NDArray[np.intp]) -> Integers:
    """The means of some output pixels (indices into the flattened output), from the picture's integral.

    In units of 1/output-width and 1/output-height of a source pixel, every edge is a whole number.
    """
    import cv2

    height, width, channels = image.shape
    integral: Floats = cv2.integral(image, sdepth=cv2.CV_64F)  # type: ignore[assignment]
    flat = indices.astype(np.int64)
    channel, x, y = flat % channels, flat // channels % size[0], flat // (channels * size[0])
    top, bottom = y * height, (y + 1) * height
    left, right = x * width, (x + 1) * width

    def below(row: Integers, column: Integers) -> Integers:
        return _interpolated(integral, row, column, channel, size)

    total: Integers = below(bottom, right) - below(top, right) - below(bottom, left) + below(top, left)
    area = width * height
    means: Integers = (2 * total + area) // (2 * area)
    return means


def _interpolated(
    integral: Floats, row: Integers, column: Integers, channel: Integers, size: tuple[int, int]
) -> Integers:
    """The integral up to fractional edges, times size: bilinear, since pixels are constant inside."""
    y, x = row // size[1], column // size[0]
    part_y, part_x = row % size[1], column % size[0]
    next_y: Integers = np.minimum(y + 1, integral.shape[0] - 1)
    next_x: Integers = np.minimum(x + 1, integral.shape[1] - 1)

    def at(rows: Integers, columns: Integers) -> Integers:
        return np.asarray(integral[rows, columns, channel], np.int64)

    upper = (size[0] - part_x) * at(y, x) + part_x * at(y, next_x)
    lower = (size[0] - part_x) * at(next_y, x) + part_x * at(next_y, next_x)
    result: Integers = (size[1] - part_y) * upper + part_y * lower
    return result
