"""A predictor and labelled pictures -> an ``Evaluation``."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError
from mninfer.results import Prediction
from mnmodels.data import Pictures
from mnmodels.evaluation.class_match import ClassMatch
from mnmodels.evaluation.predictor import Predictor
from mnmodels.evaluation.result import ClassResult, Evaluation, Mistake, Share

__all__ = ["data_facts", "evaluate"]

TOP = 5
_HIT_1, _HIT_5 = 0, 1


@dataclass(frozen=True, slots=True)
class _Counts:
    """Per picture: whether the best class is right, whether one of the best five is, which column it falls into."""

    hits: npt.NDArray[np.bool_]  # [n, 2]
    columns: npt.NDArray[np.int64]
    mistakes: Sequence[Mistake]


def evaluate(
    predictor: Predictor,
    pictures: Pictures,
    match: ClassMatch,
    *,
    num_mistakes: int = 25,
    on_step: Callable[[], None] | None = None,
) -> Evaluation:
    """Run every picture; ``match`` says which class of the model each class of the data is.

    Raises:
        InputError: a picture can't be used, or there is none.
    """
    if not len(pictures):
        raise InputError("no pictures to evaluate on", where=pictures.where)
    counts = _count(predictor, pictures, match, on_step)
    has_top5 = predictor.num_classes > TOP
    confusion = np.zeros((len(pictures.labels), len(pictures.labels) + 1), np.int64)
    np.add.at(confusion, (pictures.classes, counts.columns), 1)
    return Evaluation(
        preprocess=predictor.preprocess,
        labels=pictures.labels,
        top1=_share(counts.hits[:, _HIT_1]),
        top5=_share(counts.hits[:, _HIT_5]) if has_top5 else None,
        classes=_by_class(pictures, counts, confusion, has_top5=has_top5),
        confusion=confusion,
        mistakes=_worst(counts.mistakes, num_mistakes),
        ran={
            "model": {
                **predictor.facts(),
                "num_classes": predictor.num_classes,
                "preprocess": predictor.preprocess.to_json(),
            },
            "data": {**data_facts(pictures), "matched_by": match.rule, "is_match_assumed": match.is_assumed},
        },
    )


def data_facts(pictures: Pictures) -> dict[str, Any]:
    """What the pictures are, so that a report can be compared: how many, which (a digest), what was left out."""
    digest, seen, num_duplicates = hashlib.sha256(), set(), 0
    for index, name in enumerate(pictures.names):
        own = pictures.digest(index)
        num_duplicates += own in seen
        seen.add(own)
        label = pictures.labels[int(pictures.classes[index])]
        digest.update(hashlib.sha256(f"{name}\0{label}\0".encode("utf-8", "surrogateescape") + own).digest())
    return {
        "num_pictures": len(pictures),
        "num_classes": len(pictures.labels),
        "sha256": digest.hexdigest(),
        "num_duplicates": num_duplicates,
        "skipped": [skipped.to_json() for skipped in pictures.skipped],
    }


def _count(predictor: Predictor, pictures: Pictures, match: ClassMatch, on_step: Callable[[], None] | None) -> _Counts:
    columns_of = {model_class: column for column, model_class in reversed(list(enumerate(match.indices)))}
    hits = np.zeros((len(pictures), 2), bool)
    columns = np.full(len(pictures), len(pictures.labels), np.int64)
    mistakes = []
    located = ((f"{pictures.where}: {name}", pictures.source(i)) for i, name in enumerate(pictures.names))
    for index, best in enumerate(predictor.predict(located, TOP)):
        own = int(pictures.classes[index])
        hits[index] = best[0].index == match.indices[own], match.indices[own] in {each.index for each in best}
        if hits[index, _HIT_1]:
            columns[index] = own
        else:
            columns[index] = column = columns_of.get(best[0].index, len(pictures.labels))
            has_no_name = predictor.labels is None and column < len(pictures.labels)
            called = pictures.labels[column] if has_no_name else best[0].label
            mistakes.append(_mistake(index, pictures, best, match.indices[own], called))
        if on_step is not None:
            on_step()
    return _Counts(hits, columns, mistakes)


def _mistake(index: int, pictures: Pictures, best: Sequence[Prediction], truth: int, called: str) -> Mistake:
    return Mistake(
        index=index,
        name=pictures.names[index],
        truth=pictures.labels[int(pictures.classes[index])],
        predicted=called,
        score=float(best[0].score),
        truth_score=next((float(each.score) for each in best if each.index == truth), None),
    )


def _worst(mistakes: Sequence[Mistake], most: int) -> tuple[Mistake, ...]:
    """Those that the model was surest of."""
    return tuple(sorted(mistakes, key=lambda mistake: (-mistake.score, mistake.index))[:most])


def _share(hits: npt.NDArray[np.bool_]) -> Share:
    return Share(int(hits.sum()), len(hits))


def _by_class(
    pictures: Pictures, counts: _Counts, confusion: npt.NDArray[np.int64], *, has_top5: bool
) -> tuple[ClassResult, ...]:
    results = []
    for number, label in enumerate(pictures.labels):
        own = counts.hits[pictures.classes == number]
        results.append(
            ClassResult(
                label=label,
                top1=_share(own[:, _HIT_1]),
                top5=_share(own[:, _HIT_5]) if has_top5 else None,
                num_predicted=int(confusion[:, number].sum()),
            )
        )
    return tuple(results)
