"""EXIF's eight orientations, undone."""

import numpy as np
import numpy.typing as npt

__all__ = ["orient"]

# cv2.ROTATE_90_CLOCKWISE, _180, _90_COUNTERCLOCKWISE; 5 and 7 are mirrored along a diagonal before that.
TURNS = {3: 1, 6: 0, 7: 1, 8: 2}

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
