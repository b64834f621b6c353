"""A frame, and what every source of frames can do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Frame", "FrameSource", "Pixels", "to_rgb"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """``pixels`` are uint8 RGB; ``number`` counts from 0 in the source, so a gap is a frame that was dropped."""

    pixels: Pixels
    number: int


class FrameSource(Protocol):
    """``frames_per_second`` is what the source says of itself, None where it says nothing.

    ``warning`` is what to tell once the frames are over, None where all is well.
    """

    is_live: bool
    frames_per_second: float | None
    warning: str | None

    def frames(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


def to_rgb(pixels: Any) -> Pixels:
    """What OpenCV captured, as RGB."""
    import cv2

    code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 or pixels.shape[2] == 1 else cv2.COLOR_BGR2RGB
    result: Pixels = cv2.cvtColor(pixels, code)
    return result
