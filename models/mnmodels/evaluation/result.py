"""What an evaluation found, as frozen data: counts, shares with their standard errors, the worst mistakes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing import PreprocessSpec

__all__ = ["SCHEMA", "ClassResult", "Evaluation", "Mistake", "Share"]

SCHEMA = 1
MOST_CONFUSIONS = 50
LARGEST_WHOLE_MATRIX = 100


@dataclass(frozen=True, slots=True)
class Share:
    """``count`` of ``total``.

    >>> Share(84, 100).rate, round(Share(84, 100).standard_error, 4)
    (0.84, 0.0367)
    """

    count: int
    total: int

    @property
    def rate(self) -> float:
        return self.count / self.total if self.total else math.nan

    @property
    def standard_error(self) -> float:
        """Of the rate, as of independent draws: sqrt(p (1 - p) / n)."""
        return math.sqrt(self.rate * (1 - self.rate) / self.total) if self.total else math.nan

    def to_json(self) -> dict[str, Any]:
        if not self.total:
            return {"correct": 0, "rate": None, "standard_error": None}
        return {"correct": self.count, "rate": self.rate, "standard_error": self.standard_error}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """One class of the data. ``num_predicted`` is how many pictures of any class were called this one."""

    label: str
    top1: Share
    top5: Share | None
    num_predicted: int

    def to_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "n": self.top1.total,
            "top1": self.top1.to_json(),
            "top5": None if self.top5 is None else self.top5.to_json(),
            "predicted": self.num_predicted,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A picture whose best class is wrong. ``index`` is its place in the set, ``score`` the wrong class's."""

    index: int
    name: str
    truth: str
    predicted: str
    score: float
    truth_score: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "truth": self.truth,
            "predicted": self.predicted,
            "score": self.score,
            "truth_score": self.truth_score,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """``confusion[i, j]`` counts the pictures of class i that were called j.

    The last column, beyond ``labels``, counts what was called a class that the data doesn't have. ``top5`` is None for
    models of five classes or fewer, where it says nothing. ``ran`` is what was run on what, for the report.
    """

    preprocess: PreprocessSpec
    labels: tuple[str, ...]
    top1: Share
    top5: Share | None
    classes: tuple[ClassResult, ...]
    confusion: npt.NDArray[np.int64]
    mistakes: tuple[Mistake, ...]
    ran: Mapping[str, Any]

    @property
    def confusions(self) -> Sequence[tuple[str, str, int]]:
        """(truth, predicted, count) of what is mistaken for what, most frequent first."""
        columns = (*self.labels, "(another class)")
        wrong = [
            (int(self.confusion[row, column]), row, column)
            for row, column in np.argwhere(self.confusion).tolist()
            if row != column
        ]
        wrong.sort(key=lambda entry: (-entry[0], entry[1], entry[2]))
        return [(self.labels[row], columns[column], count) for count, row, column in wrong]

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines; the same run gives the same bytes. Large confusion matrices are left out."""
        is_small = len(self.labels) <= LARGEST_WHOLE_MATRIX
        return {
            "schema": SCHEMA,
            **self.ran,
            "n": self.top1.total,
            "top1": self.top1.to_json(),
            "top5": None if self.top5 is None else self.top5.to_json(),
            "classes": [each.to_json() for each in self.classes],
            "confusions": [
                {"truth": truth, "predicted": predicted, "count": count}
                for truth, predicted, count in self.confusions[:MOST_CONFUSIONS]
            ],
            "confusion_matrix": self.confusion.tolist() if is_small else None,
            "mistakes": [mistake.to_json() for mistake in self.mistakes],
        }
