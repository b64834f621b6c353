"""Which of the two runs a model file, the runtime or Keras; and a loaded Keras file -> its predictor."""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mninfer.errors import InputError
from mninfer.files import read_regular_file
from mninfer.model_file import labels_misfit, parse_labels
from mninfer.model_file.labels import MAX_LABEL_BYTES
from mninfer.model_file.sniff import IDENTIFIER
from mninfer.outputs import OutputMeaning
from mninfer.preprocessing import StatedPreprocess
from mninfer.spec import Task

if TYPE_CHECKING:
    from mnmodels.evaluation.keras_predictor import KerasPredictor
    from mnmodels.keras_file import KerasFile

__all__ = ["KerasConfig", "is_tflite", "open_keras_predictor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasConfig:
    """What is stated for a Keras model; ``labels`` is a file, ``input_size`` a (width, height)."""

    batch: int = 32
    preprocess: StatedPreprocess = field(default_factory=StatedPreprocess)
    labels: str | None = None
    input_size: tuple[int, int] | None = None


def is_tflite(path: str) -> bool:
    """Whether a file carries TFLite's identifier, or is called so and is no Keras file."""
    start = b""
    if os.path.isfile(path):  # opening a pipe would wait for its writer
        with suppress(OSError), open(path, "rb") as file:
            start = file.read(8)
    is_keras = start.startswith((b"\x89HDF", b"PK"))
    return start[4:8] == IDENTIFIER or (path.lower().endswith(".tflite") and not is_keras)


def open_keras_predictor(file: "KerasFile", config: KerasConfig) -> "tuple[KerasPredictor, tuple[str, ...]]":
    """The predictor, and lines to tell: what the reader changed, and a warning where something had to be assumed.

    Raises:
        MnError: it gives no classes, the labels don't fit them, or nothing says how pictures become its input.
    """
    from mnmodels.evaluation.keras_predictor import KerasPredictor, num_classes_of
    from mnmodels.evaluation.keras_preprocess import settle_preprocess

    num_classes = num_classes_of(file.model)
    in_file = file.contract.preprocess if file.contract else None
    spec, warning = settle_preprocess(file.model, stated=config.preprocess, in_file=in_file)
    labels, source = _labels(file, config.labels, num_classes)
    predictor = KerasPredictor(
        model=file.model,
        preprocess=spec,
        labels=labels,
        file_facts={
            "name": file.name,
            "sha256": file.sha256,
            "kind": file.kind.value,
            "keras_version": file.keras_version,
            "changes": list(file.changes),
            "labels_source": source,
        },
        batch=config.batch,
        input_size=config.input_size,
    )
    warnings = () if warning is None else (f"warning: {warning}",)
    return predictor, (*(f"note: {change}" for change in file.changes), *warnings)


def _labels(file: "KerasFile", stated: str | None, num_classes: int) -> tuple[tuple[str, ...] | None, str | None]:
    """The labels and who said so, if anybody did. Raise ModelFileError where there are too few or too many."""
    in_file = file.contract.labels if file.contract else None
    labels = in_file if stated is None else _read_labels(stated)
    if labels is None:
        return None, None
    meaning = OutputMeaning(task=Task.CLASSIFY, has_probabilities=True, num_classes=num_classes)
    misfit = labels_misfit(labels, meaning)
    if misfit is not None:
        raise misfit
    return labels, "file" if stated is None else "stated"


def _read_labels(path: str) -> tuple[str, ...]:
    try:
        data = read_regular_file(path, MAX_LABEL_BYTES)
    except (OSError, ValueError) as error:
        raise InputError(f"the label file cannot be read: {error}", where=path) from error
    return parse_labels(data, path)
