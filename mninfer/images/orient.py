"""EXIF's eight orientations, undone."""

import numpy as np
import numpy.typing as npt

__all__ = ["keeps_the_grid", "orient"]

# cv2.ROTATE_90_CLOCKWISE, _180, _90_COUNTERCLOCKWISE; 5 and 7 are mirrored along a diagonal before that.
TURNS = {3: 1, 6: 0, 7: 1, 8: 2}
# What turning upright does to the stored columns and rows: these orientations reverse them.
REVERSED_COLUMNS, REVERSED_ROWS = (2, 3, 7, 8), (3, 4, 6, 7)

Pixels = npt.NDArray[np.uint8]


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as meant to be seen; ``orientation`` is EXIF's 1..8 (1 returns the array itself)."""
    if orientation == 1:
        return pixels
    import cv2

    turned = pixels if orientation not in (5, 7) else cv2.transpose(pixels)
    if orientation in (2, 4):
        turned = cv2.flip(turned, 1 if orientation == 2 else 0)
    elif orientation in TURNS:
        turned = cv2.rotate(turned, TURNS[orientation])
    return turned  # type: ignore[return-value]


def keeps_the_grid(stored_size: tuple[int, int], orientation: int, block: int) -> bool:
    """Whether blocks counted from the top left of the stored picture are the upright picture's, counted from its own.

    Where turning reverses an axis that blocks don't fill, what is left over lies at the other end.
    """
    width, height = stored_size
    return (orientation not in REVERSED_COLUMNS or width % block == 0) and (
        orientation not in REVERSED_ROWS or height % block == 0
    )
