"""Text on pictures: with the fonts that OpenCV 5 carries, or the plain strokes of OpenCV 4, which know ASCII alone."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Lettering"]

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

HAS_FONTS = hasattr(cv2, "FontFace")
_WEIGHT = 500
# What the strokes lack and Unicode doesn't take apart into a letter and its mark.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "–": "-", "…": "...", "×": "x"}
)


@dataclass(frozen=True, slots=True)
class Lettering:
    """Letters ``height`` pixels tall (capital and descender)."""

    height: int

    def width(self, text: str) -> int:
        """How many pixels wide ``text`` will be."""
        if HAS_FONTS:
            cv: Any = cv2
            left, _, width, _ = cv.getTextSize((0, 0), text, (0, 0), _face(), self._size, _WEIGHT)
            return int(max(left, 0) + width)
        (width, _), _ = cv2.getTextSize(_plain(text), cv2.FONT_HERSHEY_SIMPLEX, self._scale, self._thickness)
        return int(width)

    def put(self, picture: Pixels, text: str, left: int, top: int, colour: Colour) -> None:
        """Write on ``picture``, in place; ``top`` is the letters' upper edge."""
        baseline = top + round(self.height * (0.78 if HAS_FONTS else 0.72))
        if HAS_FONTS:
            cv: Any = cv2
            # The range keeps long text in one line, cut off at the edge, where OpenCV would wrap it.
            no_wrap = (left, left + 1_000_000)
            cv.putText(picture, text, (left, baseline), colour, _face(), self._size, _WEIGHT, 0, no_wrap)
            return
        place = (left, baseline)
        cv2.putText(
            picture, _plain(text), place, cv2.FONT_HERSHEY_SIMPLEX, self._scale, colour, self._thickness, cv2.LINE_AA
        )

    @property
    def _size(self) -> int:
        return round(self.height * 0.95)

    @property
    def _thickness(self) -> int:
        return max(1, round(self.height / 14))

    @property
    def _scale(self) -> float:
        return self.height * 0.66 / 21  # FONT_HERSHEY_SIMPLEX's capitals are 21 units tall


@cache
def _face() -> Any:
    cv: Any = cv2
    return cv.FontFace("sans")


def _plain(text: str) -> str:
    """ASCII: letters without their marks, "?" for what has no such form."""
    spelled = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    letters = (letter for letter in spelled if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() else "?" for letter in letters)
