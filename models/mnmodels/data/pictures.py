"""What every set of labelled pictures offers, wherever it is stored: names, classes, labels, and pixels on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError
from mninfer.images import ImageSource
from mninfer.preprocessing import PreprocessSpec

__all__ = ["STRETCH", "Pictures", "Pixels", "SkippedPicture"]

Pixels = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.int64]

# Pixels as they are, at the size asked for: what ``load`` does unless it is told to crop or to letterbox.
STRETCH = PreprocessSpec(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class SkippedPicture:
    """A picture that was left out because it can't be used, and why."""

    name: str
    error: InputError

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "reason": self.error.what}


class Pictures(Protocol):
    """Labelled pictures in a fixed order. ``classes[i]`` is an index into ``labels``, which are sorted names.

    ``names`` are the pictures' places in the set, with "/" between folders; ``where`` is what was opened.
    """

    @property
    def where(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> Classes: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def skipped(self) -> tuple[SkippedPicture, ...]: ...

    def __len__(self) -> int: ...

    def source(self, index: int) -> ImageSource:
        """One picture as the runtime takes it: a path, the bytes of a picture file, or uint8 RGB pixels."""

    def digest(self, index: int) -> bytes:
        """SHA-256 of one picture: of its file, or of its pixels where they are all there is."""

    def load(
        self,
        indices: Sequence[int] | npt.NDArray[np.integer],
        size: tuple[int, int],
        *,
        fit: PreprocessSpec = STRETCH,
        workers: int | None = None,
    ) -> Pixels:
        """Pictures as ``uint8 [k, height, width, 3]`` RGB of ``size`` = (height, width), in the order of ``indices``.

        ``fit`` says how they get the size, by the runtime's rule: its resize, crop and interpolation count, its mean
        for the bars of a letterbox.
        """

    def take(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> "Pictures":
        """Only these pictures, in this order; the labels stay, so that class numbers keep their meaning."""
