"""The golden pictures: flat coloured shapes by an integer formula that every language repeats exactly.

docs/formats.md gives the formula in pseudo-code; FORMULA is its number.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["FORMULA", "golden_picture", "golden_size"]

FORMULA = 1
NUM_SHAPES = 12
MAX_SIDE = 8192  # (distance * half height)**2 of a shape stays below 2**52, so that doubles hold the sums exactly


def golden_size(index: int, input_width: int, input_height: int) -> tuple[int, int]:
    """(width, height) of the picture for an input: larger both ways, never square, lying and standing by turns.

    For very large inputs sides end at MAX_SIDE.
    """
    wide, narrow = (3, 2), (5, 4)
    across, down = (wide, narrow) if index % 2 == 0 else (narrow, wide)
    width = min(input_width * across[0] // across[1] + 1, MAX_SIDE)
    height = min(input_height * down[0] // down[1] + 1, MAX_SIDE)
    if width == height:
        width += 1 if width < MAX_SIDE else -1
    return width, height


def golden_picture(index: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Picture number ``index``: uint8 RGB [height, width, 3]."""
    if not (0 <= index < 2**32 and 1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"no golden picture {index} of {width} by {height}: sides go to {MAX_SIDE}")
    draw = _numbers(index)
    x = np.arange(width, dtype=np.int64)[None, :]
    y = np.arange(height, dtype=np.int64)[:, None]
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = [draw(256) for _ in range(3)]
    for _ in range(NUM_SHAPES):
        kind = draw(3)
        colour = [draw(256) for _ in range(3)]
        dx = np.abs(x - draw(width))
        dy = y - draw(height)
        half_width = 1 + width // 16 + draw(width // 4 + 1)
        half_height = 1 + height // 16 + draw(height // 4 + 1)
        picture[_inside(kind, dx, dy, half_width, half_height)] = colour
    return picture


def _numbers(seed: int) -> Callable[[int], int]:
    """``draw(n)``: the next number below n of a 32-bit linear congruential generator (Numerical Recipes, 7.1)."""
    state = (seed * 2654435761 + 1013904223) % 2**32

    def draw(limit: int) -> int:
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return (state >> 16) % limit

    return draw


def _inside(
    kind: int, dx: npt.NDArray[np.int64], dy: npt.NDArray[np.int64], half_width: int, half_height: int
) -> npt.NDArray[np.bool_]:
    """Rectangle, ellipse or upright triangle; ``dx`` is without sign."""
    if kind == 0:
        return (dx <= half_width) & (np.abs(dy) <= half_height)
    if kind == 1:
        return (dx * half_height) ** 2 + (dy * half_width) ** 2 <= (half_width * half_height) ** 2
    return (np.abs(dy) <= half_height) & (2 * half_height * dx <= half_width * (dy + half_height))
