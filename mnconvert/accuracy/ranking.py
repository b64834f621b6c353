"""A file and labelled pictures -> the best classes of every picture, by the runtime itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import mninfer
from mninfer.errors import InputError
from mninfer.preprocessing import PreprocessSpec
from mnmodels.data import Pictures
from mnmodels.evaluation import TFLitePredictor

__all__ = ["TOP", "Ranking", "rank_pictures"]

TOP = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranking:
    """``best[i]`` are picture i's best classes, best first: five, or all where the model has fewer."""

    best: npt.NDArray[np.int64]
    num_classes: int
    labels: tuple[str, ...] | None


def rank_pictures(
    data: bytes,
    pictures: Pictures,
    *,
    preprocess: PreprocessSpec | None = None,
    labels: Sequence[str] | None = None,
    on_step: Callable[[], None] | None = None,
) -> Ranking:
    """Classify every picture. ``preprocess`` and ``labels`` are for a flatbuffer that says nothing of them itself.

    Raises:
        UnsupportedModelError: it is no classifier.
        InputError: a picture can't be used, or there is none.
    """
    if not len(pictures):
        raise InputError("no pictures to evaluate on", where=pictures.where)
    predictor = TFLitePredictor(mninfer.load(data, preprocess=preprocess, labels=labels), "the converted model")
    located = ((f"{pictures.where}: {name}", pictures.source(i)) for i, name in enumerate(pictures.names))
    best = []
    try:
        for predictions in predictor.predict(located, TOP):
            best.append([prediction.index for prediction in predictions])
            if on_step is not None:
                on_step()
    finally:
        predictor.close()
    return Ranking(best=np.array(best, np.int64), num_classes=predictor.num_classes, labels=predictor.labels)
