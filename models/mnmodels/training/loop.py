"""One epoch of training, and one of evaluation, on whichever backend Keras runs on."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from mnmodels.training.batches import TrainingPictures, normalize, preprocess_spec
from mnmodels.training.recipe import Recipe

__all__ = ["Batches", "compile_for_training", "evaluate_epoch", "logits_of", "made_ahead", "train_epoch"]

Progress = Callable[[int, int, float, float], None]  # step, steps, loss, accuracy
AHEAD = 4  # batches that are made while others are trained with


class Batches(Protocol):
    """A sequence of (pictures, targets)."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...


def compile_for_training(model: Any, optimizer: Any) -> None:
    """Compile for ``train_epoch``. XLA makes small depthwise networks several times slower on a CPU: it stays off."""
    on_tensorflow_cpu = keras.backend.backend() == "tensorflow" and not _has_gpu()
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
        jit_compile=False if on_tensorflow_cpu else "auto",
    )
    model.optimizer.build(model.trainable_variables)


@contextmanager
def logits_of(model: Any) -> Iterator[None]:
    """Within, the model gives logits: the loss is exact where a softmax in float32 or float16 would round to 0 or 1."""
    last = model.layers[-1]
    if getattr(last, "activation", None) is not keras.activations.softmax:
        raise ValueError(f'the last layer "{last.name}" is no softmax')
    last.activation = keras.activations.linear
    try:
        yield
    finally:
        last.activation = keras.activations.softmax


def train_epoch(model: Any, batches: Batches, progress: Progress) -> dict[str, float]:
    """Train on every batch once; loss and accuracy are means over the epoch, on augmented pictures."""
    loss = accuracy = 0.0
    with logits_of(model):
        for step, (images, targets) in enumerate(made_ahead(batches), start=1):
            logs = model.train_on_batch(images, targets, return_dict=True)  # of this batch alone
            loss += (float(logs["loss"]) - loss) / step
            accuracy += (float(logs["accuracy"]) - accuracy) / step
            progress(step, len(batches), loss, accuracy)
    return {"loss": loss, "accuracy": accuracy}


def evaluate_epoch(model: Any, pictures: TrainingPictures, recipe: Recipe) -> dict[str, float]:
    """Cross entropy and top-1 on untouched pictures."""
    size, batch, spec = recipe.data.size, recipe.train.batch, preprocess_spec(recipe)
    correct, loss = 0, 0.0
    for start in range(0, len(pictures), batch):
        chosen = np.arange(start, min(start + batch, len(pictures)))
        images = normalize(pictures.load(chosen, (size, size), fit=spec), spec)
        missing = batch - len(chosen)  # one shape for all batches: no second compilation, and devices share it evenly
        whole = np.pad(images, ((0, missing), (0, 0), (0, 0), (0, 0)))
        with logits_of(model):
            logits = np.asarray(model.predict_on_batch(whole), np.float64)[: len(chosen)]
        classes = pictures.classes[chosen]
        correct += int((logits.argmax(1) == classes).sum())
        top = logits.max(1, keepdims=True)
        log_sums = top[:, 0] + np.log(np.exp(logits - top).sum(1))
        loss += float((log_sums - logits[np.arange(len(chosen)), classes]).sum())
    return {"val_loss": loss / len(pictures), "val_accuracy": correct / len(pictures)}


def made_ahead(batches: Batches) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The batches in order, made by a thread while the caller trains. NumPy and OpenCV let go of the interpreter."""
    pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="batches")
    try:
        waiting: Sequence[Future[Any]] = [pool.submit(batches.__getitem__, i) for i in range(min(AHEAD, len(batches)))]
        for index in range(len(batches)):
            batch = waiting[0].result()
            following = index + len(waiting)
            waiting = [*waiting[1:]]
            if following < len(batches):
                waiting.append(pool.submit(batches.__getitem__, following))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)  # Control-C waits for the batches in hand alone


def _has_gpu() -> bool:
    return any(device.startswith("gpu") for device in keras.distribution.list_devices())
