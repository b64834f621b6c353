"""Pictures of one small size, held in memory as a single array: CIFAR and its like."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing import PreprocessSpec, Resize
from mnmodels.data.fitting import fit_pictures
from mnmodels.data.pictures import STRETCH, Classes, Pixels, SkippedPicture

__all__ = ["ArrayPictures"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayPictures:
    """``images`` is ``uint8 [n, height, width, 3]`` RGB; ``classes`` are indices into ``labels``.

    >>> pictures = ArrayPictures(
    ...     images=np.zeros((2, 32, 32, 3), np.uint8), classes=np.array([0, 1]), labels=("cat", "dog"), names=("a", "b")
    ... )
    >>> pictures.load([1], (32, 32)).shape
    (1, 32, 32, 3)
    """

    images: Pixels
    classes: Classes
    labels: tuple[str, ...]
    names: Sequence[str]
    where: str = "an array"
    skipped: tuple[SkippedPicture, ...] = ()

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] != 3:
            raise ValueError(f"images are uint8 [n, height, width, 3], not {self.images.dtype} {self.images.shape}")
        if not len(self.images) == len(self.classes) == len(self.names):
            raise ValueError(f"{len(self.images)} images, {len(self.classes)} classes, {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.images)

    def source(self, index: int) -> Pixels:
        picture: Pixels = self.images[index]
        return picture

    def load(
        self,
        indices: Sequence[int] | npt.NDArray[np.integer],
        size: tuple[int, int],
        *,
        fit: PreprocessSpec = STRETCH,
        workers: int | None = None,
    ) -> Pixels:
        if size == self.images.shape[1:3] and (fit.resize is not Resize.CROP or fit.crop_fraction == 1):
            taken: Pixels = self.images[np.asarray(indices, np.intp)]
            return taken
        located = [(self.names[index], self.images[index]) for index in np.asarray(indices, np.intp).tolist()]
        return fit_pictures(located, size, fit=fit, workers=workers)

    def take(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> "ArrayPictures":
        chosen = np.asarray(indices, np.intp)
        return replace(
            self,
            images=self.images[chosen],
            classes=self.classes[chosen],
            names=tuple(self.names[index] for index in chosen.tolist()),
        )

    def digest(self, index: int) -> bytes:
        """SHA-256 of one picture's pixels, row by row."""
        return hashlib.sha256(self.images[index].tobytes()).digest()
