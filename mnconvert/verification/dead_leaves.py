"""Pictures of flat rectangles that hide one another, as dead leaves do, few large ones and many small.

Where sizes follow a power law, such pictures have the scales and contrasts of photographs (Lee, Mumford and Huang,
"Occlusion models for natural images", 2001), without being any. Colours are greys with a tint, as most of a photo is.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["leaves_picture"]

NUM_LEAVES = 400
SMALLEST, LARGEST = 100, 3  # half a leaf's side is from a 100th to a third of the picture's shorter side
DARKEST, LIGHTEST, TINT = 10, 245, 45
_UNIT = 1 << 16


def leaves_picture(index: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Picture number ``index``: uint8 RGB [height, width, 3], the same wherever numpy's PCG64 is."""
    random = np.random.Generator(np.random.PCG64(index))
    across, down = _half_sides(random, min(width, height))
    x, y = random.integers(0, width, NUM_LEAVES), random.integers(0, height, NUM_LEAVES)
    grey = random.integers(DARKEST, LIGHTEST + 1, (NUM_LEAVES, 1))
    colours = np.clip(grey + random.integers(-TINT, TINT + 1, (NUM_LEAVES, 3)), 0, 255).astype(np.uint8)
    left, top = np.maximum(x - across, 0).tolist(), np.maximum(y - down, 0).tolist()
    right, bottom = (x + across + 1).tolist(), (y + down + 1).tolist()
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = colours[0]
    for place in zip(left, top, right, bottom, colours, strict=True):
        picture[place[1] : place[3], place[0] : place[2]] = place[4]
    return picture


def _half_sides(random: np.random.Generator, side: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Across and down: sizes r are as frequent as 1/r³, and each leaf is up to thrice as long as wide."""
    sizes = max(side / SMALLEST, 1) / np.sqrt((1 + random.integers(0, _UNIT, NUM_LEAVES)) / _UNIT)
    sizes = np.minimum(sizes, side / LARGEST)
    across, down = (np.floor(sizes * (1 + random.integers(0, _UNIT, NUM_LEAVES) / _UNIT * 2) / 2) for _ in range(2))
    return np.maximum(across, 1).astype(np.int64), np.maximum(down, 1).astype(np.int64)
