"""How near one output comes to the float model's: agreement of the best class, cosine, signal to noise.

Streamed: pictures are added in batches, nothing but sums is kept.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MOST_DB", "OutputFidelity", "OutputMeter", "decibel"]

# No difference that float32 could hold is further down: what is equal to the last bit gets it instead of infinity.
MOST_DB = 200.0

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFidelity:
    """One output over all pictures.

    ``agreement``: the share of pictures (of pixels, for masks) whose best class is the float model's, where k equal
    best ones count 1/k; None where the output has no classes. ``num_classes_seen``: how many classes are the float
    model's best of some picture. ``cosine``: the pictures' mean. ``sqnr_db``: all pictures' energy over that of the
    difference.
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


def decibel(signal: float, noise: float) -> float:
    """10 log10 of signal over noise, two energies, within ``MOST_DB`` both ways."""
    if noise <= 0:
        return MOST_DB
    return min(max(10 * math.log10(signal / noise), -MOST_DB), MOST_DB) if signal > 0 else -MOST_DB


class OutputMeter:
    """Gathers one output's sums; ``result`` may be asked for at any time after the first picture."""

    def __init__(self, *, index: int = 0, name: str = "", has_classes: bool = True) -> None:
        self._index, self._name, self._has_classes = index, name, has_classes
        self._signal = self._noise = self._cosines = self._agreed = self._largest = 0.0
        self._num_pictures = self._num_rows = self._num_not_finite = 0
        self._seen: set[int] = set()

    def add(self, reference: Array, got: Array) -> None:
        """A batch: real values ``[pictures, …]`` of equal shapes, the classes last. What isn't finite counts as 0."""
        if reference.shape != got.shape:
            raise ValueError(f"outputs of {list(reference.shape)} and {list(got.shape)} cannot be compared")
        if not len(got):
            return
        self._num_not_finite += int(got.size - np.isfinite(got).sum())
        wanted = reference.reshape(len(reference), -1).astype(np.float64)
        found = np.nan_to_num(got.reshape(len(got), -1).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        self._add_energies(wanted, found)
        if self._has_classes:
            num_classes = reference.shape[-1]
            self._add_classes(wanted.reshape(-1, num_classes), found.reshape(-1, num_classes))

    def _add_energies(self, wanted: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> None:
        difference = wanted - found
        self._signal += float(np.square(wanted).sum())
        self._noise += float(np.square(difference).sum())
        self._largest = max(self._largest, float(np.abs(difference).max(initial=0.0)))
        lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
        products = (wanted * found).sum(1)
        are_equal = (wanted == found).all(1)
        self._cosines += float(np.where(are_equal, 1.0, products / np.maximum(lengths, 1e-300)).sum())
        self._num_pictures += len(wanted)

    def _add_classes(self, wanted: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> None:
        rows = np.arange(len(wanted))
        best = wanted.argmax(1)
        are_best = found == found.max(1, keepdims=True)
        self._agreed += float((are_best[rows, best] / are_best.sum(1)).sum())
        self._num_rows += len(rows)
        self._seen.update(np.unique(best).tolist())

    def result(self) -> OutputFidelity:
        if not self._num_pictures:
            raise ValueError("nothing was measured: no picture was added")
        return OutputFidelity(
            index=self._index,
            name=self._name,
            agreement=self._agreed / self._num_rows if self._has_classes else None,
            num_classes_seen=len(self._seen) if self._has_classes else None,
            cosine=self._cosines / self._num_pictures,
            sqnr_db=decibel(self._signal, self._noise),
            largest_difference=self._largest,
            num_not_finite=self._num_not_finite,
        )
