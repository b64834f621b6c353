"""A .tflite model under evaluation: the runtime does all of it, one engine to a core."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import mninfer
from mninfer.errors import InputError, UnsupportedModelError
from mninfer.preprocessing import PreprocessSpec
from mninfer.results import Failure, Prediction
from mninfer.spec import Task
from mnmodels.evaluation.predictor import LocatedSource, relocated

__all__ = ["TFLitePredictor"]


class TFLitePredictor:
    """``model`` is what mninfer has loaded; ``path`` names it in reports. Closing closes the model.

    Raises:
        UnsupportedModelError: it is no classifier.
        PreprocessError: nothing says how pictures become its input.
    """

    def __init__(self, model: mninfer.Model, path: str) -> None:
        if model.meaning.task is not Task.CLASSIFY or not model.meaning.num_classes:
            raise UnsupportedModelError(
                f"a model to {model.meaning.task} is not evaluated: one that gives a score for each class is",
                hints="mninfer info MODEL tells what a model is",
            )
        self._model = model
        self._num_classes = model.meaning.num_classes
        self._path = path
        self._spec = model.preprocessor.spec  # raises where nothing says how pictures become the input

    @property
    def num_classes(self) -> int:
        return self._num_classes

    @property
    def labels(self) -> tuple[str, ...] | None:
        return self._model.spec.labels

    @property
    def preprocess(self) -> PreprocessSpec:
        return self._spec

    def facts(self) -> Mapping[str, Any]:
        engine, spec = self._model.engine, self._model.spec
        return {
            "name": os.path.basename(self._path),
            "sha256": spec.sha256,
            "kind": "tflite",
            "engine": f"{engine.name} {engine.version}",
            "labels_source": None if spec.labels_source is None else str(spec.labels_source),
        }

    def predict(self, pictures: Iterable[LocatedSource], top: int) -> Iterator[tuple[Prediction, ...]]:
        places: list[str] = []

        def sources() -> Iterator[Any]:
            for where, source in pictures:
                places.append(where)
                yield source

        for number, result in enumerate(self._model.classify_many(sources(), top=top)):
            if isinstance(result, Failure):
                error = result.error
                raise relocated(error, places[number]) if isinstance(error, InputError) else error.at(self._path)
            yield result.predictions

    def close(self) -> None:
        self._model.close()
