"""A run in memory: the network, its optimizer and the log, and what one epoch does to them."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from textwrap import shorten
from typing import Any

import keras
import numpy as np

from mninfer.errors import RecipeError
from mnmodels.architectures.condensing import condense_factor_of, condense_model, condensing_schedule
from mnmodels.architectures.registry import build_model
from mnmodels.training.averaging import WeightAverage
from mnmodels.training.batches import EpochBatches, TrainingPictures
from mnmodels.training.checkpoint import Checkpoint, restore, snapshot, write_checkpoint
from mnmodels.training.logs import Row, write_log
from mnmodels.training.loop import compile_for_training, evaluate_epoch, train_epoch
from mnmodels.training.optimizer import make_optimizer
from mnmodels.training.recipe import Recipe
from mnmodels.training.schedule import learning_rates

__all__ = ["Session", "Start", "network_of"]

Progress = Callable[[int, int, float, float], None]
Start = Callable[[Recipe, int], Any]


class Session:
    """``rows`` is the log: one row per finished epoch."""

    def __init__(self, recipe: Recipe, model: Any, steps: int, num_classes: int, start: Start) -> None:
        self.recipe = recipe
        self.model = model
        self.rows: list[Row] = []
        self.steps = steps
        self._build: Callable[[], Any] = lambda: start(recipe, num_classes)
        self._finished: Any = None
        schedule, optimizer = recipe.schedule, recipe.optimizer
        self.rates = learning_rates(schedule, optimizer.learning_rate, recipe.train.epochs, steps)
        compile_for_training(model, make_optimizer(recipe, self.rates, model))
        self.stages = condensing_schedule(recipe.train.epochs, condense_factor_of(model))
        self.average = WeightAverage(model, recipe.train.ema) if recipe.train.ema else None

    @classmethod
    @contextmanager
    def begin(
        cls, recipe: Recipe, pictures: TrainingPictures, *, devices: int, start: Start | None
    ) -> Iterator["Session"]:
        """A run that has not begun: seeded weights, on ``devices`` devices, in the recipe's precision."""
        start = start or network_of
        keras.utils.set_random_seed(recipe.train.seed)
        with _parallel_over(devices, recipe.train.batch), _precision(recipe.train.precision):
            model = start(recipe, len(pictures.labels))
            yield cls(recipe, model, len(EpochBatches(pictures, recipe, 0)), len(pictures.labels), start)

    def resume(self, checkpoint: Checkpoint, data: Mapping[str, Any]) -> None:
        """Go on from a checkpoint of the same recipe and ``data_facts``. Raise RecipeError that says what differs."""
        for what, begun, now in (
            ("another recipe", checkpoint.recipe, self.recipe.to_json()),
            ("other pictures", checkpoint.data, data),
        ):
            if differing := _differences(begun, now):
                raise RecipeError(
                    f"the run was begun with {what}: {', '.join(differing)}",
                    hints=("the options that it was begun with", "--force to begin again"),
                )
        restore(self.model, self.average, checkpoint.arrays)
        self.rows = list(checkpoint.rows)

    def run_epoch(
        self, epoch: int, pictures: TrainingPictures, validation: TrainingPictures, progress: Progress
    ) -> None:
        """Train and evaluate, counting from epoch 0, and add the row."""
        began = time.monotonic()
        if epoch in self.stages:
            self._condense(self.stages[epoch])

        def stepped(step: int, steps: int, loss: float, accuracy: float) -> None:
            if not math.isfinite(loss):
                raise self._diverged(f"the loss is {loss} after batch {step:,} of epoch {epoch + 1}")
            if self.average:
                self.average.step(epoch * steps + step)
            progress(step, steps, loss, accuracy)

        trained = train_epoch(self.model, EpochBatches(pictures, self.recipe, epoch), stepped)
        if not all(np.isfinite(weight).all() for weight in self.model.get_weights()):  # the last step's doing
            raise self._diverged(f"the weights are not finite after epoch {epoch + 1}")
        with self._weights_to_keep():
            evaluated = evaluate_epoch(self.model, validation, self.recipe)
        self.rows.append(
            {
                "epoch": epoch + 1,
                **trained,
                **evaluated,
                "learning_rate": float(self.rates[(epoch + 1) * self.steps - 1]),
                "seconds": round(time.monotonic() - began, 2),
            }
        )

    def best(self) -> Row:
        """The first epoch of the best validation accuracy, of those of a condensed net if there are any."""
        return max(self.rows[max(self.stages, default=0) :] or self.rows, key=lambda row: row["val_accuracy"])

    def is_best(self) -> bool:
        """Whether the last epoch's validation accuracy is above all before, and its net condensed."""
        return len(self.rows) > max(self.stages, default=0) and self.best() is self.rows[-1]

    def write(self, folder: Path, data: Mapping[str, Any]) -> None:
        """Write the log, then the checkpoint: what the checkpoint counts as done has been written."""
        write_log(folder, self.rows)
        arrays = snapshot(self.model, self.average)
        write_checkpoint(folder, Checkpoint(len(self.rows), self.recipe.to_json(), data, tuple(self.rows), arrays))

    def _diverged(self, what: str) -> RecipeError:
        slower = f"--set optimizer.learning_rate={self.recipe.optimizer.learning_rate / 4:g}"
        return RecipeError(f"{what}: training has diverged", hints=slower)

    def _condense(self, stage: int) -> None:
        """Prune learned groups. Averages begin anew: half a pruned weight, or half a mask, is none."""
        condense_model(self.model, stage)
        if self.average:
            self.average.restore(self.model.get_weights(), 0)

    def _weights_to_keep(self) -> AbstractContextManager[None]:
        """Within, the model has the averaged weights where the recipe asks for them."""
        return self.average.in_model() if self.average else nullcontext()

    def finished_model(self) -> Any:
        """A float32 model of its own with the weights that were evaluated; the same one each time.

        Python's collector counts objects and not their bytes: of models made anew it would let hundreds pile up.
        """
        with self._weights_to_keep():
            weights = self.model.get_weights()
        if self._finished is None:
            with _precision("float32"):
                self._finished = self._build()
            for layer in self._finished.layers:
                layer.trainable = True  # what was frozen for this run is not frozen in the file
        self._finished.set_weights(weights)
        return self._finished


def network_of(recipe: Recipe, num_classes: int) -> Any:
    """The recipe's network with random weights."""
    size = recipe.data.size
    return build_model(**{**recipe.model, "classes": num_classes, "input_shape": (size, size, 3)})


@contextmanager
def _precision(name: str) -> Iterator[None]:
    if name == "float16" and not any(device.startswith("gpu") for device in keras.distribution.list_devices()):
        raise RecipeError("float16 needs a GPU, and Keras sees none", hints="--set train.precision=float32")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name if name == "float32" else f"mixed_{name}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextmanager
def _parallel_over(devices: int, batch: int) -> Iterator[None]:
    """Each device takes its share of every batch."""
    if devices == 1:
        yield
        return
    found = keras.distribution.list_devices()
    if devices > len(found):
        raise RecipeError(f"{devices} devices are asked for; Keras sees {len(found)}: {', '.join(found)}")
    if keras.backend.backend() != "jax":
        raise RecipeError("several devices need Keras on JAX", hints="--backend jax")
    if batch % devices:
        raise RecipeError(
            f"a batch of {batch} can't be shared evenly by {devices} devices",
            hints=f"--batch {batch // devices * devices}",
        )
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=found[:devices]))
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


def _differences(before: Any, now: Any, place: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [*now, *(key for key in before if key not in now)]
        found = (_differences(before.get(key), now.get(key), f"{place}.{key}" if place else key) for key in keys)
        return [each for part in found for each in part]
    before, now = (list(value) if isinstance(value, tuple) else value for value in (before, now))
    return [] if before == now else [f"{place} {_some_of(before)} -> {_some_of(now)}"]


def _some_of(value: Any) -> str:
    return shorten(str(value), 80, placeholder=" …")  # the labels may be thousands
