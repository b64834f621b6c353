"""Candidates -> those that are worth measuring on: readable, not blank, each only once."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError

__all__ = ["Flaw", "SkippedSample", "Sorted", "sort_out"]

# Standard deviation of the channel that varies most, as a share of all that pixels can be. A lens cap's noise is 1 to 3
# levels of 255; the flattest of 500 photos of ImageNet has 23.6.
BLANK_SHARE = 4 / 255

# Correlation of neighbours, across or down: 0.55 at the least among 10,000 pictures of CIFAR-10, 0.76 among 500 photos
# of ImageNet, 0.06 at the most among noise of 32 x 32.
NOISE_CORRELATION = 0.25
_LOOKED_AT = 256  # pixels of each side
_AT_ONCE = 1 << 18  # pixels

Array = npt.NDArray[Any]


class Flaw(StrEnum):
    """Why a candidate is left out."""

    UNREADABLE = "unreadable"
    BLANK = "blank"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class SkippedSample:
    """``reason`` says it in words: the decoder's, or which one it is the same as."""

    name: str
    flaw: Flaw
    reason: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """``kept`` are indices of candidates, in the order looked at; ``digests`` belong to them; of them ``num_noise``."""

    kept: tuple[int, ...]
    digests: tuple[bytes, ...]
    skipped: tuple[SkippedSample, ...]
    num_noise: int = 0


def sort_out(
    order: Iterable[int], names: Sequence[str], load: Callable[[int], Array], *, wanted: int, full_range: float
) -> Sorted:
    """Look at candidates in ``order`` until ``wanted`` are found; ``full_range`` is what black and white differ by."""
    kept: dict[bytes, int] = {}
    skipped = []
    num_noise = 0
    for index in order:
        if len(kept) == wanted:
            break
        try:
            pixels = load(index)
        except InputError as error:
            skipped.append(SkippedSample(names[index], Flaw.UNREADABLE, error.what))
            continue
        digest = _digest(pixels)
        if digest in kept:
            skipped.append(SkippedSample(names[index], Flaw.DUPLICATE, f"the same as {names[kept[digest]]}"))
        elif _is_blank(pixels, full_range):
            skipped.append(SkippedSample(names[index], Flaw.BLANK, "one colour all over"))
        else:
            kept[digest] = index
            num_noise += _is_noise(pixels)
    return Sorted(tuple(kept.values()), tuple(kept), tuple(skipped), num_noise)


def _digest(pixels: Array) -> bytes:
    """Of shape and pixels, so that the same picture under another name or in another lossless format is found."""
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()


def _is_blank(pixels: Array, full_range: float) -> bool:
    return bool(_deviations(pixels).max() < BLANK_SHARE * full_range)


def _deviations(pixels: Array) -> npt.NDArray[np.float64]:
    """Of each channel, some rows at a time: as numbers of 8 bytes, 100 megapixels are 2.4 GB, and more on the way."""
    height, width, channels = pixels.shape
    step = max(1, _AT_ONCE // max(1, width))
    bands = [pixels[top : top + step].reshape(-1, channels) for top in range(0, height, step)]
    mean = sum(band.sum(axis=0, dtype=np.float64) for band in bands) / (height * width)
    squares = sum(((band - mean) ** 2).sum(axis=0) for band in bands)
    return np.asarray(np.sqrt(squares / (height * width)))


def _is_noise(pixels: Array) -> bool:
    """Whether pixels have nothing to do with their neighbours, in the middle."""
    top, left = (max(0, (size - _LOOKED_AT) // 2) for size in pixels.shape[:2])
    values = pixels[top : top + _LOOKED_AT, left : left + _LOOKED_AT].astype(np.float32)
    across, down = (values[:, 1:], values[:, :-1]), (values[1:], values[:-1])
    return max(_correlation(*across), _correlation(*down)) < NOISE_CORRELATION


def _correlation(one: Array, other: Array) -> float:
    """Of two pictures, each channel about its own mean; 1 where there is nothing to tell by."""
    one, other = one - one.mean(axis=(0, 1)), other - other.mean(axis=(0, 1))
    scale = float(np.sqrt((one**2).sum() * (other**2).sum())) if one.size else 0.0
    return float((one * other).sum()) / scale if scale > 0 else 1.0
