"""Pictures that stay encoded until they are wanted: files of a folder, or what was read from an archive."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mninfer.images import ImageSource
from mninfer.images.source import read_file
from mninfer.preprocessing import PreprocessSpec
from mnmodels.data.fitting import fit_pictures
from mnmodels.data.pictures import STRETCH, Classes, Pixels, SkippedPicture

__all__ = ["FolderPictures"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FolderPictures:
    """``sources`` are paths, or the bytes of picture files; nothing is decoded before ``load``."""

    sources: Sequence[str | bytes]
    classes: Classes
    labels: tuple[str, ...]
    names: Sequence[str]
    where: str
    skipped: tuple[SkippedPicture, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.sources) == len(self.classes) == len(self.names):
            raise ValueError(f"{len(self.sources)} sources, {len(self.classes)} classes, {len(self.names)} names")

    def __len__(self) -> int:
        return len(self.sources)

    def source(self, index: int) -> ImageSource:
        return self.sources[index]

    def load(
        self,
        indices: Sequence[int] | npt.NDArray[np.integer],
        size: tuple[int, int],
        *,
        fit: PreprocessSpec = STRETCH,
        workers: int | None = None,
    ) -> Pixels:
        located = [self.located(index) for index in np.asarray(indices, np.intp).tolist()]
        return fit_pictures(located, size, fit=fit, workers=workers)

    def located(self, index: int) -> tuple[str, ImageSource]:
        """A source with what messages call it: its path, or its place in the archive."""
        source = self.sources[index]
        return source if isinstance(source, str) else f"{self.where}: {self.names[index]}", source

    def take(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> "FolderPictures":
        chosen = np.asarray(indices, np.intp)
        places = chosen.tolist()
        return replace(
            self,
            sources=[self.sources[index] for index in places],
            classes=self.classes[chosen],
            names=[self.names[index] for index in places],
        )

    def digest(self, index: int) -> bytes:
        """SHA-256 of one picture's file."""
        source = self.sources[index]
        return hashlib.sha256(source if isinstance(source, bytes) else read_file(source)).digest()
