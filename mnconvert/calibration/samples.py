"""``--calibrate``: a folder, a pattern or a file of arrays -> the pictures that a model is measured on.

A seeded choice, spread over the folders. What can't be read, is blank or was there before is left out and told.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.calibration.arrays import is_array_file, read_arrays
from mnconvert.calibration.draw import draw_order
from mnconvert.calibration.judge import judge
from mnconvert.calibration.sorting_out import SkippedSample, sort_out
from mninfer.errors import InputError
from mninfer.images import find_images, load_image
from mninfer.images.load import Reducer

__all__ = ["DEFAULT_SAMPLES", "SampleKind", "Samples", "load_samples"]

DEFAULT_SAMPLES = 200
PIXEL_RANGE = 255.0
_THUMBNAIL_SIDE = 128

Array = npt.NDArray[Any]


class SampleKind(StrEnum):
    """uint8 RGB pictures of any size, which the recorded preprocessing fits; or float32 tensors, normalized already."""

    PICTURES = "pictures"
    TENSORS = "tensors"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """The chosen ones by name. ``origin`` is the kind of place they came from; ``where`` names it in messages only.

    ``num_found`` counts all candidates, ``sha256`` is that of all chosen pixels. ``warnings`` are whole sentences.
    """

    kind: SampleKind
    origin: str
    where: str
    names: tuple[str, ...] = field(repr=False)
    sources: Sequence[Any] = field(repr=False)
    num_found: int
    seed: int
    sha256: str
    skipped: tuple[SkippedSample, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def load(self, index: int, *, cover: Reducer | None = None) -> Array:
        """One picture, ``uint8 [height, width, 3]`` RGB, or one tensor, float32 of three dimensions.

        ``cover`` lets a decoder reduce a large JPEG on the way, as ``Preprocessor.cover`` says.

        Raises:
            InputError: it can no longer be read.
        """
        source = self.sources[index]
        return source if isinstance(source, np.ndarray) else load_image(source, cover=cover).pixels

    def facts(self) -> Mapping[str, Any]:
        """What a file may say of them: kinds, counts and a digest, no path."""
        return {
            "kind": str(self.kind),
            "source": self.origin,
            "count": len(self),
            "found": self.num_found,
            "skipped": len(self.skipped),
            "seed": self.seed,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidates:
    """All there is, before the choice: ``places`` for spreading it, ``look`` for what blanks and duplicates show in."""

    kind: SampleKind
    origin: str
    names: tuple[str, ...]
    places: Sequence[str]
    sources: Sequence[Any] | Array
    look: Callable[[int], Array]
    full_range: float
    warnings: tuple[str, ...] = ()


class _Thumbnail:
    """A decoder may reduce as long as the shorter side keeps 128 pixels: enough to tell blanks and duplicates by."""

    def reduction(self, image_size: tuple[int, int]) -> int:
        return next((by for by in (8, 4, 2) if min(image_size) >= by * _THUMBNAIL_SIDE), 1)


def load_samples(where: str, *, samples: int | None = None, seed: int = 0) -> Samples:
    """Choose ``samples`` (None: 200, or all where there are fewer) of a folder, a pattern or a NumPy file.

    Raises:
        InputError: nothing is there, or no pictures.
        CalibrationError: none can be used, all are the same, or the arrays are not pictures or tensors.
    """
    if samples is not None and samples < 1:
        raise ValueError(f"samples must be 1 or more, not {samples}")
    found = _from_arrays(where) if is_array_file(where) else _from_files(where)
    wanted = min(samples or DEFAULT_SAMPLES, len(found.names))
    order = draw_order(found.places, seed)
    chosen = sort_out(order, found.names, found.look, wanted=wanted, full_range=found.full_range)
    kept = sorted(zip(chosen.kept, chosen.digests, strict=True))
    warnings = judge(chosen, num_found=len(found.names), asked=samples, where=where)
    return Samples(
        kind=found.kind,
        origin=found.origin,
        where=where,
        names=tuple(found.names[index] for index, _ in kept),
        sources=[found.sources[index] for index, _ in kept],
        num_found=len(found.names),
        seed=seed,
        sha256=hashlib.sha256(b"".join(digest for _, digest in kept)).hexdigest(),
        skipped=chosen.skipped,
        warnings=(*found.warnings, *warnings),
    )


def _from_files(where: str) -> _Candidates:
    unreadable: list[InputError] = []
    images = find_images([where], on_unreadable=unreadable.append)
    paths = [image.path for image in images]
    return _Candidates(
        kind=SampleKind.PICTURES,
        origin="folder" if os.path.isdir(where) else "file" if os.path.lexists(where) else "pattern",
        names=tuple(image.relative for image in images),
        places=[path.replace(os.sep, "/") for path in paths],
        sources=paths,
        look=lambda index: load_image(paths[index], cover=_Thumbnail()).pixels,
        full_range=PIXEL_RANGE,
        warnings=tuple(f"{error.what}: {error.where}" for error in unreadable),
    )


def _from_arrays(where: str) -> _Candidates:
    arrays = read_arrays(where)
    is_pixels = arrays.dtype == np.uint8
    names = tuple(f"array {index}" for index in range(len(arrays)))
    return _Candidates(
        kind=SampleKind.PICTURES if is_pixels else SampleKind.TENSORS,
        origin="array",
        names=names,
        places=names,
        sources=arrays,
        look=arrays.__getitem__,
        full_range=PIXEL_RANGE if is_pixels else float(arrays.max()) - float(arrays.min()),
    )
