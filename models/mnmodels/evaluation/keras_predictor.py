"""A Keras model under evaluation: the runtime's preprocessing, batches of one size, no just-in-time compiler."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import keras
import numpy as np

from mninfer.errors import EngineError, InputError, UnsupportedModelError
from mninfer.images import load_image
from mninfer.postprocessing import best_classes
from mninfer.preprocessing import Preprocessor, PreprocessSpec
from mninfer.results import Prediction
from mninfer.tensors import TensorSpec
from mnmodels.data.fitting import in_parallel
from mnmodels.evaluation.predictor import LocatedSource, relocated

__all__ = ["KerasPredictor", "input_tensor", "num_classes_of"]

_PROBABILITIES = {"softmax", "sigmoid"}
_PASSING = {"Reshape", "Flatten", "Dropout", "Activation"}  # layers that hand scores on as they are, if linear


@dataclass(frozen=True, kw_only=True, eq=False)
class KerasPredictor:
    """``model`` takes one picture and gives one score per class; ``file_facts`` are what a report says of it."""

    model: Any
    preprocess: PreprocessSpec
    labels: tuple[str, ...] | None
    file_facts: Mapping[str, Any]
    batch: int = 32
    input_size: tuple[int, int] | None = None
    _preprocessor: Preprocessor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tensor = input_tensor(self.model, self.input_size)
        object.__setattr__(self, "_preprocessor", Preprocessor(self.preprocess, tensor))
        # Keras would compile with XLA, which takes four to eight times as long on a CPU for these networks.
        self.model.jit_compile = False

    @property
    def num_classes(self) -> int:
        return num_classes_of(self.model)

    def facts(self) -> Mapping[str, Any]:
        engine = f"keras {keras.__version__} on {keras.backend.backend()}"
        return {**self.file_facts, "engine": engine, "batch": self.batch}

    def predict(self, pictures: Iterable[LocatedSource], top: int) -> Iterator[tuple[Prediction, ...]]:
        needs_softmax = not _gives_probabilities(self.model)
        prepared = iter(in_parallel(self._prepare, pictures))
        while rows := list(islice(prepared, self.batch)):
            for scores in self._run(np.concatenate(rows)):
                yield best_classes(scores, None, top=top, needs_softmax=needs_softmax, labels=self.labels)

    def close(self) -> None:
        """Nothing is held that would need it."""

    def _prepare(self, item: LocatedSource) -> Any:
        where, source = item
        try:
            picture = load_image(source, cover=self._preprocessor.cover)
        except InputError as error:
            raise relocated(error, where) from error
        return self._preprocessor(picture.pixels)

    def _run(self, rows: Any) -> Any:
        """Scores ``[n, classes]``; a last, smaller batch is filled up, so that every picture meets the same program."""
        filler = np.zeros((self.batch - len(rows), *rows.shape[1:]), rows.dtype)
        scores = np.asarray(self.model.predict_on_batch(np.concatenate([rows, filler])))[: len(rows)]
        if not np.isfinite(scores).all():
            raise EngineError("the model's output holds NaN or infinity")
        return scores.reshape(len(rows), -1).astype(np.float32)


def input_tensor(model: Any, size: tuple[int, int] | None = None) -> TensorSpec:
    """The model's input for one picture; ``size`` is a stated (width, height) for an input that leaves it open.

    Raises:
        UnsupportedModelError: it takes no single picture, or its size is open.
    """
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        shapes = [list(tensor.shape) for tensor in model.inputs]
        raise UnsupportedModelError(f"the model takes {shapes}, not one picture [batch, height, width, 3]")
    _, *sides = model.inputs[0].shape
    if size is not None:
        sides = _stated_sides(sides, size)
    if None in sides:
        raise UnsupportedModelError(
            f"the model leaves the size of its input open: {model.inputs[0].shape}",
            hints="--input-size WIDTHxHEIGHT",
        )
    shape = (1, *(int(side) for side in sides))
    name = str(model.inputs[0].name)
    return TensorSpec(name=name, shape=shape, shape_signature=shape, dtype=str(model.inputs[0].dtype))


def _stated_sides(sides: list[int | None], size: tuple[int, int]) -> list[int | None]:
    stated: list[int | None] = [size[1], size[0], sides[2]]
    if any(own is not None and own != other for own, other in zip(sides, stated, strict=True)):
        raise UnsupportedModelError(f"the model's input is {sides[1]} x {sides[0]}, not {size[0]} x {size[1]}")
    return stated


def num_classes_of(model: Any) -> int:
    """How many scores it gives. Raise UnsupportedModelError where that isn't one for each class."""
    shape = model.outputs[0].shape if len(model.outputs) == 1 else None
    if shape is None or len(shape) < 2 or any(side != 1 for side in shape[1:-1]) or (shape[-1] or 0) < 2:
        shapes = [list(tensor.shape) for tensor in model.outputs]
        raise UnsupportedModelError(f"the model gives {shapes}, not one score for each of two classes or more")
    return int(shape[-1])


def _gives_probabilities(model: Any) -> bool:
    """Whether the last layer or plain operation that computes something is a softmax or a sigmoid."""
    for layer in reversed(getattr(model, "operations", None) or model.layers):  # a Sequential has layers alone
        if isinstance(layer, keras.Model):
            return _gives_probabilities(layer)
        if type(layer).__name__ in ("Softmax", "Sigmoid"):
            return True
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if activation != "linear" or type(layer).__name__ not in _PASSING:
            return activation in _PROBABILITIES
    return False
