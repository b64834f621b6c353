"""A flatbuffer on labelled pictures: its best class on each, by the runtime's engine; shares with their errors."""

from typing import Any

import numpy as np
import numpy.typing as npt

import mninfer
from mninfer.preprocessing import PreprocessSpec
from networks import Labelled

__all__ = ["best_classes", "compared"]

Classes = npt.NDArray[np.int64]


def best_classes(flatbuffer: bytes, pictures: Labelled, preprocess: PreprocessSpec) -> Classes:
    """By the engine itself: the pixels are prepared already, so each becomes the input by its quantization alone."""
    with mninfer.load(flatbuffer, preprocess=preprocess) as model:
        spec = model.spec.inputs[0]
        table = _table(spec, preprocess)
        best = []
        for picture in pictures.pixels:
            tensor = np.take_along_axis(table, picture.reshape(-1, 3).astype(np.int64), 0).reshape(spec.shape)
            best.append(int(model.run([tensor])[0].reshape(-1).argmax()))
    return np.array(best)


def _table(spec: mninfer.TensorSpec, preprocess: PreprocessSpec) -> npt.NDArray[Any]:
    from mninfer.preprocessing.table import input_table

    return input_table(preprocess, spec)


def compared(best: Classes, reference: Classes, classes: Classes) -> dict[str, float]:
    """Top-1 in percent, and points above the reference on the same pictures, each with its standard error."""
    hits, before = best == classes, reference == classes
    difference = hits.astype(np.float64) - before
    n = len(classes)
    return {
        "n": n,
        "top1": round(100 * float(hits.mean()), 2),
        "top1_se": round(100 * float(np.sqrt(hits.mean() * (1 - hits.mean()) / n)), 2),
        "difference": round(100 * float(difference.mean()), 2),
        "difference_se": round(100 * float(difference.std(ddof=1) / np.sqrt(n)), 2),
        "agreement": round(100 * float((best == reference).mean()), 1),
    }
