"""Two short runs after another: the new head alone, then the head and the last layers of the network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mninfer.preprocessing import PreprocessSpec
from mnmodels.backend import start_keras
from mnmodels.finetuning.base import Base
from mnmodels.training.batches import TrainingPictures
from mnmodels.training.checkpoint import CHECKPOINT_NAME
from mnmodels.training.recipe import AugmentSpec, DataSpec, OptimizerSpec, Recipe, ScheduleSpec, TrainSpec
from mnmodels.training.run import TrainingResult, Watcher, train
from mnmodels.training.run_folder import BEST_NAME, alone_in, refuse_other_run

__all__ = ["FinetuneConfig", "finetune", "refuse_other_finetune", "run_folders"]

HEAD_FOLDER, WHOLE_FOLDER = "1_head", "2_whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneConfig:
    """``unfrozen`` is how many layers with weights learn in the second run, counted from the end."""

    head_epochs: int = 5
    whole_epochs: int = 10
    head_rate: float = 1e-3
    whole_rate: float = 1e-4
    unfrozen: int = 20
    batch: int = 32
    dropout: float = 0.2
    seed: int = 1
    cut: str | None = None


def finetune(
    base: Base,
    pictures: TrainingPictures,
    validation: TrainingPictures,
    folder: Path,
    config: FinetuneConfig,
    *,
    resume: bool = False,
    force: bool = False,
    watcher: Watcher | None = None,
) -> TrainingResult:
    """Fit ``base`` to the classes of ``pictures``; each of the two runs can be resumed.

    Raises:
        RecipeError, OutputError: as ``train`` does; and where another process trains in ``folder``.
    """
    refuse_other_finetune(folder, resume=resume, force=force)
    start_keras()
    from mnmodels.finetuning.head import freeze, with_new_head
    from mnmodels.keras_file import load_keras

    def new_head(_: Recipe, num_classes: int) -> Any:
        model = with_new_head(base.load(), num_classes, dropout=config.dropout, cut=config.cut)
        freeze(model, 0)
        return model

    def from_head(_: Recipe, __: int) -> Any:
        model = load_keras(folder / HEAD_FOLDER / BEST_NAME).model
        freeze(model, config.unfrozen)
        return model

    result = None
    with alone_in(folder):
        for name, epochs, rate, start in (
            (HEAD_FOLDER, config.head_epochs, config.head_rate, new_head),
            (WHOLE_FOLDER, config.whole_epochs, config.whole_rate, from_head),
        ):
            if not epochs:
                continue
            result = train(
                _recipe(base, config, name, epochs, rate),
                pictures,
                validation,
                folder / name,
                resume=resume and _is_begun(folder / name),
                force=force,
                watcher=watcher,
                start=start,
                dependents=(folder / WHOLE_FOLDER,) if force and not resume and name == HEAD_FOLDER else (),
            )
    assert result is not None  # the command line asks for one epoch of the head at least
    return result


def run_folders(folder: Path) -> tuple[Path, Path]:
    """The folders of the two runs."""
    return folder / HEAD_FOLDER, folder / WHOLE_FOLDER


def refuse_other_finetune(folder: Path, *, resume: bool, force: bool) -> None:
    """Raise OutputError where ``folder`` holds runs, and nobody said what is to become of them."""
    for each in run_folders(folder):
        refuse_other_run(each, resume=resume and _is_begun(each), force=force)


def _is_begun(folder: Path) -> bool:
    return (folder / CHECKPOINT_NAME).exists()


def _recipe(base: Base, config: FinetuneConfig, name: str, epochs: int, rate: float) -> Recipe:
    return Recipe(
        title=f"{base.name}: {name[2:]}",
        model={"name": base.name, "run": name, **_network(base, config, name)},
        data=DataSpec(
            name="a folder",
            size=base.size,
            preprocess=_as_text(base.preprocess),
            resize=_fit(base.preprocess),
            interpolation=base.preprocess.interpolation.value,
        ),
        augment=AugmentSpec(flip=True, area=0.5, colour=0.2),
        optimizer=OptimizerSpec(name="adamw", learning_rate=rate, momentum=0.9, weight_decay=1e-4),
        schedule=ScheduleSpec(name="cosine", warmup_epochs=0.5),
        train=TrainSpec(epochs=epochs, batch=config.batch, seed=config.seed, label_smoothing=0.1),
    )


def _network(base: Base, config: FinetuneConfig, run: str) -> dict[str, Any]:
    """What makes two runs' networks different: a resumed run has to have the same."""
    described = {"sha256": base.sha256, "cut": config.cut} | (
        {"unfrozen": config.unfrozen} if run != HEAD_FOLDER else {}
    )
    return {key: value for key, value in described.items() if value is not None}


def _as_text(spec: PreprocessSpec) -> str:
    """What ``parse_preprocess`` reads."""
    mean, std = ("/".join(f"{value!r}" for value in values) for values in (spec.mean, spec.std))
    return f"mean={mean},std={std},order={spec.order}"


def _fit(spec: PreprocessSpec) -> str:
    return f"crop:{spec.crop_fraction!r}" if spec.resize == "crop" else str(spec.resize)
