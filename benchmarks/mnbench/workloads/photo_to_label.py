"""From a photo's file to its label, in the stages that ``mninfer.load(…).classify`` runs, each timed apart.

A file of ours knows how its pictures are prepared; of a foreign one the job's ``network`` may say so, in the words of
``mninfer.load``: ``preprocess`` and ``resize``.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import mninfer
from mnbench.job import Job
from mnbench.own_version import own_version
from mnbench.workloads.protocol import Array, Workload
from mninfer.errors import InputError
from mninfer.images import load_image
from mninfer.memory import keep_freed_buffers
from mninfer.postprocessing import best_classes, dequantize

__all__ = ["PhotoToLabel", "checked_photo_job", "open_workload"]

_TOP = 5  # what classify names unless told otherwise
_PARTS = ("decode", "preprocess", "invoke", "postprocess")


def open_workload(job: Job) -> Workload:
    """Load the model as the job's cell says. Raise UnsupportedModelError where it doesn't classify pictures."""
    file, picture = checked_photo_job(job)
    model = mninfer.load(
        file,
        threads=job.cell.threads,
        use_xnnpack=job.cell.use_xnnpack,
        preprocess=job.network.get("preprocess"),
        resize=job.network.get("resize"),
    )
    return PhotoToLabel(model, picture)


def checked_photo_job(job: Job) -> tuple[Path, Path]:
    """Its model and its photo. Raise InputError where one is missing, or a batch is asked for: a photo is one."""
    if job.file is None or job.picture is None:
        missing = "model file" if job.file is None else "picture"
        raise InputError(f'the job of "{job.cell.key}" has no {missing}')
    if job.cell.batch != 1:
        raise InputError(f"from photo to label it is one picture at a time, not {job.cell.batch}")
    return job.file, job.picture


class PhotoToLabel:
    """A loaded model and a photo. ``run`` is Model.classify with the clock read between its stages."""

    def __init__(self, model: mninfer.Model, picture: Path) -> None:
        model.classify(picture)  # whatever speaks against it is told here, in the runtime's own words
        keep_freed_buffers()  # as classify does from its second picture on
        self._model = model
        self._picture = str(picture)
        self._preprocess = model.preprocessor
        self._quantization = model.spec.outputs[0].quantization
        self._scores: Any = None
        self._times: tuple[int, ...] = ()
        self.best: tuple[mninfer.Prediction, ...] = ()

    def run(self) -> None:
        begin = perf_counter_ns()
        picture = load_image(self._picture, cover=self._preprocess.cover)
        decoded = perf_counter_ns()
        tensor = self._preprocess(picture.pixels)
        prepared = perf_counter_ns()
        self._scores = self._model.engine.run([tensor])[0]
        invoked = perf_counter_ns()
        self.best = best_classes(
            self._scores,
            self._quantization,
            top=_TOP,
            needs_softmax=not self._model.meaning.has_probabilities,
            labels=self._model.spec.labels,
        )
        self._times = (begin, decoded, prepared, invoked, perf_counter_ns())

    def parts_ns(self) -> Mapping[str, int]:
        spans = pairwise(self._times)
        return {name: end - begin for name, (begin, end) in zip(_PARTS, spans, strict=True)}

    def outputs(self) -> Sequence[Array]:
        return [dequantize(self._scores, self._quantization)]

    def facts(self) -> Mapping[str, Any]:
        engine, coverage = self._model.engine, self._model.engine.coverage()
        return {
            "version": own_version(),
            "engine": f"{engine.name} {engine.version}",
            "coverage": {
                "num_operators": coverage.num_operators,
                "num_delegated": coverage.num_delegated,
                "delegate": coverage.delegate,
            },
            "preprocess": str(self._preprocess.spec),
            "label": self.best[0].label if self.best else None,
        }

    def close(self) -> None:
        self._model.close()
