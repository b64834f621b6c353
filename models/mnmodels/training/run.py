"""Training from a recipe: the folder of a run holds its checkpoint, its log, its best model and its result.

folder/checkpoint.npz   where it stands, at the beginning and after every epoch
folder/log.csv          a line per epoch
folder/best.keras       the model of the epoch with the best validation accuracy
folder/model.keras      the model of the last epoch
folder/result.json      what was run, on what, and what came of it; written last
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mninfer.errors import RecipeError
from mninfer.model_file import SourceContract
from mnmodels.backend import start_keras
from mnmodels.training.batches import TrainingPictures, preprocess_spec
from mnmodels.training.checkpoint import data_facts, read_checkpoint
from mnmodels.training.logs import Row
from mnmodels.training.recipe import Recipe
from mnmodels.training.result import write_result
from mnmodels.training.run_folder import BEST_NAME, MODEL_NAME, alone_in, clear_runs, refuse_other_run

__all__ = ["TrainingResult", "Watcher", "train"]


class Watcher:
    """Is told how a run goes; this one keeps silent. A command line shows it, a test stops it."""

    def began(self, epoch: int, epochs: int) -> None:
        """Epoch ``epoch``, counted from 1, begins."""

    def stepped(self, step: int, steps: int, loss: float, accuracy: float) -> None:
        """A batch of the epoch is done."""

    def ended(self, rows: tuple[Row, ...]) -> None:
        """An epoch is done and its checkpoint is written; ``rows`` is the log so far."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """The trained model, what its file carries, and the log."""

    model: Any
    contract: SourceContract
    rows: tuple[Row, ...]


def train(
    recipe: Recipe,
    pictures: TrainingPictures,
    validation: TrainingPictures,
    folder: Path,
    *,
    resume: bool = False,
    force: bool = False,
    devices: int = 1,
    watcher: Watcher | None = None,
    start: Callable[[Recipe, int], Any] | None = None,
    dependents: Sequence[Path] = (),
) -> TrainingResult:
    """Train in ``folder``; after a kill, ``resume`` gives the same weights as if nothing had happened.

    ``start(recipe, num_classes)`` gives the model to begin with, where it is not the recipe's own with random weights.
    ``dependents`` are folders of runs that went on from this one's result: ``force`` takes them away with it.

    Raises:
        RecipeError: the recipe or the pictures don't fit each other, the devices or the checkpoint; training diverges.
        OutputError: the folder holds a run already, or another process trains there.
    """
    watcher = watcher or Watcher()
    refuse_other_run(folder, resume=resume, force=force)
    _check_sets(recipe, pictures, validation)
    start_keras()
    from mnmodels.keras_file import save_keras
    from mnmodels.training.session import Session

    contract = SourceContract(labels=pictures.labels, preprocess=preprocess_spec(recipe))
    data = data_facts(pictures, validation)
    with Session.begin(recipe, pictures, devices=devices, start=start) as session, alone_in(folder):
        refuse_other_run(folder, resume=resume, force=force)  # as it is now that nobody else can change it
        if resume:
            session.resume(read_checkpoint(folder), data)
        else:
            clear_runs((folder, *dependents))
            session.write(folder, data)
        for epoch in range(len(session.rows), recipe.train.epochs):
            watcher.began(epoch + 1, recipe.train.epochs)
            session.run_epoch(epoch, pictures, validation, watcher.stepped)
            if session.is_best():
                save_keras(session.finished_model(), folder / BEST_NAME, contract=contract, force=True)
            session.write(folder, data)
            watcher.ended(tuple(session.rows))
        model, rows = session.finished_model(), tuple(session.rows)
        save_keras(model, folder / MODEL_NAME, contract=contract, force=True)
        write_result(folder, recipe, model, rows, best=session.best(), sizes=(len(pictures), len(validation)))
    return TrainingResult(model, contract, rows)


def _check_sets(recipe: Recipe, pictures: TrainingPictures, validation: TrainingPictures) -> None:
    if len(pictures.labels) < 2:
        raise RecipeError(f"the training pictures are of {len(pictures.labels)} class", hints="a folder per class")
    if pictures.labels != validation.labels:
        strangers = sorted(set(pictures.labels) ^ set(validation.labels))
        raise RecipeError(f"the classes of training and validation differ: {', '.join(strangers[:5])}")
    if len(validation) == 0:
        raise RecipeError(
            "there are no validation pictures",
            hints="a test/ or val/ folder, or a second picture of a class: of a single one none is held back",
        )
    if len(pictures) < recipe.train.batch:
        raise RecipeError(
            f"{len(pictures)} training pictures don't fill a batch of {recipe.train.batch}",
            hints=f"--batch {max(len(pictures) // 4, 1)}",
        )
