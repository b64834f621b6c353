"""Text in a given space, and pictures as PNG files: what the two drawings share."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mninfer.lettering import Lettering

__all__ = ["BLACK", "GREY", "WHITE", "Colour", "Pixels", "encode_png", "fit_text", "put_centred", "turned_text"]

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

BLACK, WHITE, GREY = (17, 24, 39), (255, 255, 255), (107, 114, 128)


def fit_text(text: str, letters: Lettering, width: int) -> str:
    """``text``, or as much of its beginning as ``width`` pixels hold, with an ellipsis."""
    if letters.width(text) <= width:
        return text
    shortest, longest = 0, len(text)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if letters.width(f"{text[:middle].rstrip()}…") <= width:
            shortest = middle
        else:
            longest = middle - 1
    return f"{text[:shortest].rstrip()}…"


def put_centred(picture: Pixels, text: str, letters: Lettering, box: tuple[int, int, int, int], colour: Colour) -> None:
    """Write into the middle of a box (left, top, width, height), in place."""
    left, top, width, height = box
    place = (left + (width - letters.width(text)) // 2, top + (height - letters.height) // 2)
    letters.put(picture, text, *place, colour)


def turned_text(text: str, letters: Lettering, colour: Colour) -> Pixels:
    """``text`` on white, read from below."""
    strip: Pixels = np.full((letters.height + 6, letters.width(text) + 4, 3), 255, np.uint8)
    letters.put(strip, text, 2, 2, colour)
    return np.ascontiguousarray(np.rot90(strip))


def encode_png(picture: Pixels) -> bytes:
    """uint8 RGB as a PNG file."""
    cv: Any = cv2
    done, data = cv.imencode(".png", cv.cvtColor(picture, cv.COLOR_RGB2BGR))
    assert done  # PNG is built into OpenCV
    return bytes(data)
