"""Two rankings of the same labelled pictures -> shares, and the difference between them, paired by picture."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.accuracy.ranking import TOP, Ranking
from mnmodels.data import Pictures
from mnmodels.evaluation import match_classes
from mnmodels.evaluation.measure import data_facts
from mnmodels.evaluation.result import Share

__all__ = ["AccuracyReport", "PairedDifference", "compare_rankings"]

Hits = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDifference:
    """The converted file's share of hits less the float model's: ``num_lost`` are those that only the latter hits."""

    num_lost: int
    num_won: int
    total: int

    @property
    def rate(self) -> float:
        return (self.num_won - self.num_lost) / self.total

    @property
    def standard_error(self) -> float:
        """Of the rate: pictures that both get right, or both wrong, add nothing to it."""
        return math.sqrt(max((self.num_won + self.num_lost) / self.total - self.rate**2, 0.0) / self.total)

    def to_json(self) -> dict[str, Any]:
        return {
            "rate": self.rate,
            "standard_error": self.standard_error,
            "lost": self.num_lost,
            "won": self.num_won,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyReport:
    """The float model and the converted file on the same pictures. Top-5 is None for models of five classes or fewer.

    ``agreement`` counts the pictures for which both name the same class, right or wrong. ``matched_by`` says how the
    data's classes were found among the model's.
    """

    float_top1: Share
    top1: Share
    top1_difference: PairedDifference
    float_top5: Share | None
    top5: Share | None
    top5_difference: PairedDifference | None
    agreement: Share
    num_classes: int
    data_sha256: str
    matched_by: str
    is_match_assumed: bool

    @property
    def num_pictures(self) -> int:
        return self.top1.total

    @property
    def drop_points(self) -> float:
        """What the conversion costs in top-1, in points; below 0 where it gains."""
        return -100 * self.top1_difference.rate

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.num_pictures,
            "num_classes": self.num_classes,
            "data_sha256": self.data_sha256,
            "matched_by": self.matched_by,
            "is_match_assumed": self.is_match_assumed,
            "float": {"top1": self.float_top1.to_json(), "top5": _json(self.float_top5)},
            "converted": {"top1": self.top1.to_json(), "top5": _json(self.top5)},
            "difference": {"top1": self.top1_difference.to_json(), "top5": _json(self.top5_difference)},
            "agreement": self.agreement.to_json(),
        }


def compare_rankings(reference: Ranking, converted: Ranking, pictures: Pictures) -> AccuracyReport:
    """``reference`` is the float model's; its labels say which class is which.

    Raises:
        InputError: it is not known which of the model's classes the data's are.
    """
    if reference.num_classes != converted.num_classes or len(reference.best) != len(converted.best):
        raise ValueError("the rankings are not of one network and the same pictures")
    match = match_classes(pictures.labels, reference.labels, reference.num_classes)
    truth = np.array(match.indices, np.int64)[pictures.classes]
    float_hits, hits = _hits(reference, truth), _hits(converted, truth)
    has_top5 = reference.num_classes > TOP
    facts = data_facts(pictures)
    return AccuracyReport(
        float_top1=_share(float_hits[0]),
        top1=_share(hits[0]),
        top1_difference=_difference(float_hits[0], hits[0]),
        float_top5=_share(float_hits[1]) if has_top5 else None,
        top5=_share(hits[1]) if has_top5 else None,
        top5_difference=_difference(float_hits[1], hits[1]) if has_top5 else None,
        agreement=_share(reference.best[:, 0] == converted.best[:, 0]),
        num_classes=facts["num_classes"],
        data_sha256=facts["sha256"],
        matched_by=match.rule,
        is_match_assumed=match.is_assumed,
    )


def _hits(ranking: Ranking, truth: npt.NDArray[np.int64]) -> tuple[Hits, Hits]:
    """By picture: whether the best class is right, whether one of the best five is."""
    right = ranking.best == truth[:, None]
    return right[:, 0], right.any(axis=1)


def _share(hits: Hits) -> Share:
    return Share(int(hits.sum()), len(hits))


def _difference(before: Hits, after: Hits) -> PairedDifference:
    return PairedDifference(
        num_lost=int((before & ~after).sum()), num_won=int((after & ~before).sum()), total=len(after)
    )


def _json(value: Share | PairedDifference | None) -> dict[str, Any] | None:
    return None if value is None else value.to_json()
