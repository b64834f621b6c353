"""The Keras model of a job, in the precision and with the BatchNorm that its cell asks for, and its loss.

Imports Keras, on the backend that the process was started for, when a network is opened.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mnbench.cell import BatchNorm
from mnbench.job import Job
from mnbench.workloads.keras.precision import Precision, precision_of
from mninfer.errors import InputError, UnsupportedModelError

__all__ = ["Network", "labels_for", "open_network"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A Keras model; ``is_of_logits`` says that its output has not been through a softmax."""

    model: Any
    precision: Precision
    num_classes: int
    is_of_logits: bool
    batch_norm: BatchNorm

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        _, height, width, channels = self.model.input_shape
        return height, width, channels

    def loss(self, labels: Any, outputs: Any) -> Any:
        """The mean sparse categorical cross-entropy in float32, times the precision's loss scale."""
        from keras import losses, ops

        each = losses.sparse_categorical_crossentropy(
            labels, ops.cast(outputs, "float32"), from_logits=self.is_of_logits
        )
        return ops.mean(each) * self.precision.loss_scale


def open_network(job: Job) -> Network:
    """Load the job's model; Keras has been started.

    Raises:
        InputError: the job names no file.
        KerasFileError: the file is no Keras model.
        UnsupportedModelError: it doesn't turn one picture into scores of classes, or lacks the variant.
    """
    import keras

    from mnmodels.architectures.batch_norm import use_norm
    from mnmodels.keras_file import load_keras

    if job.file is None:
        raise InputError(f"the job of {job.cell.key} names no Keras file")
    keras.utils.set_random_seed(int(job.network.get("seed", 0)))  # what Dropout drops, in every process the same
    precision = precision_of(job.cell.variant)
    model = load_keras(job.file).model
    num_classes = _check_ends(model)
    batch_norm = job.cell.batch_norm or BatchNorm.COMPOSED  # Keras' own layer composes it
    use_norm(model, batch_norm)
    last = model.outputs[0]._keras_history.operation
    _use_precision(model, precision, last)
    return Network(
        model=model,
        precision=precision,
        num_classes=num_classes,
        is_of_logits=not _ends_in_softmax(last),
        batch_norm=batch_norm,
    )


def labels_for(batch: int, num_classes: int) -> Any:
    """A class to each picture, by its place."""
    return (np.arange(batch, dtype=np.int32) * 7 + 3) % num_classes


def _check_ends(model: Any) -> int:
    """The number of classes. Raise UnsupportedModelError for a model of another kind."""
    inputs, outputs = list(model.inputs), list(model.outputs)
    is_picture = len(inputs) == 1 and len(inputs[0].shape) == 4 and None not in inputs[0].shape[1:]
    is_scores = len(outputs) == 1 and len(outputs[0].shape) == 2 and outputs[0].shape[1] is not None
    if not is_picture or not is_scores:
        shapes = f"{[list(each.shape) for each in inputs]} to {[list(each.shape) for each in outputs]}"
        raise UnsupportedModelError(f"the model goes from {shapes}, not from one picture of a fixed size to scores")
    return int(outputs[0].shape[1])


def _use_precision(model: Any, precision: Precision, last: Any) -> None:
    """Keras' mixed-precision guide: weights stay float32, and so do the scores."""
    for layer in model._flatten_layers(include_self=False):
        layer.dtype_policy = "float32" if layer is last else precision.policy


def _ends_in_softmax(last: Any) -> bool:
    activation = getattr(last, "activation", None)
    return type(last).__name__ == "Softmax" or getattr(activation, "__name__", "") == "softmax"
