"""How near one output comes to the float model's: agreement of the best class, cosine, signal to noise.

Streamed: pictures are added in batches, nothing but sums is kept.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_DB", "OutputFidelity", "OutputMeter", "decibel"]

# What is nearer than this (1e-5 of the signal) is the rounding of sums, equality included.
MOST_DB = 100.0

Array = npt.NDArray[Any]
_LEAST = 1e-200  # stands for nothing in a ratio
_ROUNDING = 1e-5  # of the best score: what the order of sums may change in float32


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFidelity:
    """One output over all pictures.

    ``agreement``: the share of pictures (of pixels, for masks) whose best class is the float model's, or is nearer to
    it than the output's own step can tell; k equal best ones count 1/k. None where the output has no classes.
    ``num_classes_seen``: how many classes are the float
    model's best of some picture. ``cosine`` and ``sqnr_db``, signal over difference: the pictures' means, so that a few
    strong answers don't hide the many.
    """

    index: int
    name: str
    agreement: float | None
    num_classes_seen: int | None
    cosine: float
    sqnr_db: float
    largest_difference: float
    num_not_finite: int

    def to_json(self) -> dict[str, Any]:
        return {
            "output": self.index,
            "name": self.name,
            "agreement": None if self.agreement is None else round(self.agreement, 4),
            "num_classes_seen": self.num_classes_seen,
            "cosine": round(self.cosine, 6),
            "sqnr_db": round(self.sqnr_db, 2),
            "largest_difference": float(f"{self.largest_difference:.4g}"),
            "num_not_finite": self.num_not_finite,
        }


def decibel(signal: npt.ArrayLike, noise: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """10 log10 of signal over noise, energies, within ``MOST_DB`` both ways."""
    over, under = np.asarray(signal, np.float64), np.asarray(noise, np.float64)
    ratio = np.maximum(over, _LEAST) / np.maximum(under, _LEAST)
    found = np.clip(10 * np.log10(ratio), -MOST_DB, MOST_DB)
    return np.where(under <= 0, MOST_DB, found)


def _finite(values: Array) -> npt.NDArray[np.float64]:
    """A row to each picture."""
    return np.nan_to_num(values.reshape(len(values), -1).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


class OutputMeter:
    """Gathers one output's sums; ``result`` may be asked for at any time after the first picture.

    ``step`` is the output's, where it is quantized: classes that are nearer to each other are one to it.
    """

    def __init__(self, *, index: int = 0, name: str = "", has_classes: bool = True, step: float = 0.0) -> None:
        self._index, self._name, self._has_classes, self._step = index, name, has_classes, step
        self._decibels = self._cosines = self._agreed = self._largest = 0.0
        self._num_pictures = self._num_rows = self._num_not_finite = 0
        self._seen: set[int] = set()

    def add(self, reference: Array, got: Array) -> None:
        """A batch: real values ``[pictures, …]`` of equal shapes, the classes last. What isn't finite counts as 0.

        In either of both: what no number can be held against has not been verified.
        """
        if reference.shape != got.shape:
            raise ValueError(f"outputs of {list(reference.shape)} and {list(got.shape)} cannot be compared")
        if not len(got):
            return
        self._num_not_finite += int(got.size - (np.isfinite(got) & np.isfinite(reference)).sum())
        wanted, found = _finite(reference), _finite(got)
        self._add_energies(wanted, found)
        if self._has_classes:
            num_classes = reference.shape[-1]
            self._add_classes(wanted.reshape(-1, num_classes), found.reshape(-1, num_classes))

    def _add_energies(self, wanted: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> None:
        difference = wanted - found
        self._decibels += float(decibel(np.square(wanted).sum(1), np.square(difference).sum(1)).sum())
        self._largest = max(self._largest, float(np.abs(difference).max(initial=0.0)))
        lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
        products = (wanted * found).sum(1)
        are_equal = (wanted == found).all(1)
        self._cosines += float(np.where(are_equal, 1.0, products / np.maximum(lengths, 1e-300)).sum())
        self._num_pictures += len(wanted)

    def _add_classes(self, wanted: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> None:
        highest = wanted.max(1, keepdims=True)
        are_wanted = wanted >= highest - np.maximum(self._step, _ROUNDING * np.abs(highest))
        are_best = found == found.max(1, keepdims=True)
        self._agreed += float(((are_best & are_wanted).sum(1) / are_best.sum(1)).sum())
        self._num_rows += len(wanted)
        self._seen.update(np.unique(wanted.argmax(1)).tolist())

    def result(self) -> OutputFidelity:
        if not self._num_pictures:
            raise ValueError("nothing was measured: no picture was added")
        return OutputFidelity(
            index=self._index,
            name=self._name,
            agreement=self._agreed / self._num_rows if self._has_classes else None,
            num_classes_seen=len(self._seen) if self._has_classes else None,
            cosine=self._cosines / self._num_pictures,
            sqnr_db=self._decibels / self._num_pictures,
            largest_difference=self._largest,
            num_not_finite=self._num_not_finite,
        )
