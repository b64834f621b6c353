"""The loop itself, on a problem that is learned in seconds, on both backends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from mninfer.errors import OutputError, RecipeError
from mnmodels.backend import start_keras
from mnmodels.keras_file import load_keras
from mnmodels.training.checkpoint import read_checkpoint
from mnmodels.training.logs import read_log
from mnmodels.training.loop import made_ahead
from mnmodels.training.recipe import OptimizerSpec, Recipe
from mnmodels.training.run import TrainingResult, Watcher, train
from support.corners import Corners, small_network, small_recipe

TRAINING, VALIDATION = Corners(192, 0), Corners(80, 1)  # 80 is no multiple of the batch


def run(folder: Path, recipe: Recipe | None = None, **options: Any) -> TrainingResult:
    return train(recipe or small_recipe(), TRAINING, VALIDATION, folder, start=small_network, **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingResult, Path]:
    folder = tmp_path_factory.mktemp("run")
    return run(folder, small_recipe(train={"epochs": 6})), folder


def test_it_learns(trained: tuple[TrainingResult, Path]) -> None:
    rows = trained[0].rows
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["val_accuracy"] > 0.9


def test_the_file_gives_the_accuracy_that_was_told_and_carries_its_contract(
    trained: tuple[TrainingResult, Path],
) -> None:
    result, folder = trained
    file = load_keras(folder / "model.keras")
    assert file.contract == result.contract
    assert result.contract.labels == VALIDATION.labels
    probabilities = file.model.predict((VALIDATION.images / np.float32(127.5) - 1).astype(np.float32), verbose=0)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    accuracy = float((probabilities.argmax(1) == VALIDATION.classes).mean())
    assert accuracy == result.rows[-1]["val_accuracy"]
    loss = -np.log(probabilities[np.arange(80), VALIDATION.classes]).mean()
    assert loss == pytest.approx(result.rows[-1]["val_loss"], rel=1e-4)


def test_the_best_epoch_is_kept(trained: tuple[TrainingResult, Path]) -> None:
    result, folder = trained
    model = load_keras(folder / "best.keras").model
    classes = model.predict((VALIDATION.images / np.float32(127.5) - 1).astype(np.float32), verbose=0).argmax(1)
    assert float((classes == VALIDATION.classes).mean()) == max(row["val_accuracy"] for row in result.rows)


def test_log_and_result_say_what_was_run(trained: tuple[TrainingResult, Path]) -> None:
    result, folder = trained
    log = read_log(folder)
    assert [row["epoch"] for row in log] == [1, 2, 3, 4, 5, 6]
    assert log[-1]["val_accuracy"] == pytest.approx(result.rows[-1]["val_accuracy"], rel=1e-6)
    told = json.loads((folder / "result.json").read_text())
    assert Recipe.from_json(told["recipe"]) == small_recipe(train={"epochs": 6})
    assert (told["num_training_pictures"], told["num_validation_pictures"], told["epochs"]) == (192, 80, 6)


class Stop(Watcher):
    """Interrupts a run in the middle of an epoch."""

    def __init__(self, epoch: int, step: int) -> None:
        self.at, self.epoch = (epoch, step), 0

    def began(self, epoch: int, epochs: int) -> None:
        self.epoch = epoch

    def stepped(self, step: int, steps: int, loss: float, accuracy: float) -> None:
        if (self.epoch, step) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "changes",
    [
        {"train": {"ema": 0.98}},
        {"optimizer": OptimizerSpec(name="rmsprop", learning_rate=0.003, momentum=0.9, clip_norm=1.0)},
        {"optimizer": OptimizerSpec(name="adamw", learning_rate=0.003, weight_decay=0.01)},
    ],
    ids=["sgd-ema", "rmsprop", "adamw"],
)
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path: Path, changes: dict[str, Any]) -> None:
    recipe = small_recipe(**changes)
    whole = run(tmp_path / "whole", recipe)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", recipe, watcher=Stop(epoch=3, step=2))
    assert read_checkpoint(tmp_path / "cut").epoch == 2
    cut = run(tmp_path / "cut", recipe, resume=True)
    assert without_time(cut) == without_time(whole)
    for ours, theirs in zip(cut.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_was_stopped_in_its_first_epoch_goes_on(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", watcher=Stop(epoch=1, step=2))
    assert read_checkpoint(tmp_path / "cut").epoch == 0
    cut = run(tmp_path / "cut", resume=True)
    for ours, theirs in zip(cut.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def without_time(result: TrainingResult) -> list[dict[str, float]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in result.rows]


def in_process(folder: Path, *options: str, backend: str = "tensorflow", devices: int = 1) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "support.train_corners", str(folder), str(devices), *options],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def weights_of(folder: Path) -> list[np.ndarray]:
    weights: list[np.ndarray] = load_keras(folder / "model.keras").model.get_weights()
    return weights


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    with in_process(tmp_path / "cut", "--slow") as process:
        deadline = time.monotonic() + 120
        while not (tmp_path / "cut" / "checkpoint.npz").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.3)  # in the next epoch
        process.send_signal(signal.SIGKILL)
    assert read_checkpoint(tmp_path / "cut").epoch < 3
    with in_process(tmp_path / "cut", "--resume") as process:
        assert process.wait(120) == 0
    with in_process(tmp_path / "whole") as process:
        assert process.wait(120) == 0
    for ours, theirs in zip(weights_of(tmp_path / "cut"), weights_of(tmp_path / "whole"), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_jax_trains_alone_and_on_simulated_devices(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="needs JAX: make test")
    for name, devices in (("one", 1), ("four", 4)):
        with in_process(tmp_path / name, backend="jax", devices=devices) as process:
            assert process.wait(180) == 0
    one, four = read_log(tmp_path / "one"), read_log(tmp_path / "four")
    assert one[-1]["loss"] < one[0]["loss"]
    assert [row["loss"] for row in four] == pytest.approx([row["loss"] for row in one], rel=1e-3)
    for ours, theirs in zip(weights_of(tmp_path / "one"), weights_of(tmp_path / "four"), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-3)


def test_a_run_is_not_trained_over(trained: tuple[TrainingResult, Path]) -> None:
    with pytest.raises(OutputError, match="--resume"):
        run(trained[1])


def test_another_recipe_does_not_go_on(trained: tuple[TrainingResult, Path]) -> None:
    with pytest.raises(RecipeError, match=r"train.epochs 6 -> 7, train.seed 7 -> 8"):
        run(trained[1], small_recipe(train={"epochs": 7, "seed": 8}), resume=True)


@pytest.mark.parametrize(
    ("pictures", "validation", "told"),
    [
        (Corners(193, 0), VALIDATION, "training.pictures 192 -> 193"),
        (Corners(192, 5), VALIDATION, r"pictures: training.classes \w+ -> \w+$"),
        (TRAINING, Corners(80, 5), r"pictures: validation.classes \w+ -> \w+$"),
    ],
)
def test_other_pictures_do_not_go_on(
    trained: tuple[TrainingResult, Path], pictures: Corners, validation: Corners, told: str
) -> None:
    recipe = small_recipe(train={"epochs": 6})
    with pytest.raises(RecipeError, match="begun with other") as caught:
        train(recipe, pictures, validation, trained[1], start=small_network, resume=True)
    assert re.search(told, caught.value.what)


@pytest.mark.parametrize("recipe", [{"precision": "float16"}, {"batch": 500}], ids=["device", "batch"])
def test_a_run_that_cannot_begin_takes_none_away(tmp_path: Path, recipe: dict[str, Any]) -> None:
    for name in ("checkpoint.npz", "best.keras", "model.keras"):
        (tmp_path / name).write_bytes(b"of hours")
    with pytest.raises(RecipeError):
        run(tmp_path, small_recipe(train=recipe), force=True)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"of hours"}
    assert len(list(tmp_path.iterdir())) == 3


def test_nothing_to_resume_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing to resume"):
        run(tmp_path / "new", resume=True)


def test_a_damaged_checkpoint_is_an_error(trained: tuple[TrainingResult, Path], tmp_path: Path) -> None:
    whole = (trained[1] / "checkpoint.npz").read_bytes()
    for data in (b"", whole[:100], whole[: len(whole) // 2], b"PK\x03\x04" + bytes(200), whole[:-30]):
        (tmp_path / "checkpoint.npz").write_bytes(data)
        with pytest.raises(RecipeError, match="can't be read"):
            read_checkpoint(tmp_path)


def test_divergence_ends_the_run_and_keeps_what_was_reached(tmp_path: Path) -> None:
    def poisoned(recipe: Recipe, num_classes: int) -> Any:
        model = small_network(recipe, num_classes)
        model.set_weights([weight * np.float32("nan") for weight in model.get_weights()])
        return model

    with pytest.raises(RecipeError, match="nan after batch 1 of epoch 1: training has diverged"):
        train(small_recipe(), TRAINING, VALIDATION, tmp_path, start=poisoned)
    assert not (tmp_path / "model.keras").exists()


def test_weights_that_the_last_step_has_spoilt_are_not_kept(tmp_path: Path) -> None:
    models = []

    def start(recipe: Recipe, num_classes: int) -> Any:
        models.append(small_network(recipe, num_classes))
        return models[-1]

    class Spoiling(Watcher):
        def stepped(self, step: int, steps: int, loss: float, accuracy: float) -> None:
            if step == steps:
                models[0].set_weights([weight * np.float32("inf") for weight in models[0].get_weights()])

    with pytest.raises(RecipeError, match="not finite after epoch 1: training has diverged"):
        train(small_recipe(), TRAINING, VALIDATION, tmp_path, start=start, watcher=Spoiling())
    kept = read_checkpoint(tmp_path)
    assert kept.epoch == 0
    assert all(np.isfinite(array).all() for array in kept.arrays.values())


def test_one_model_serves_for_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every epoch was the best, a run of 30 held 31 models: they went up in memory, not away."""
    from mnmodels.training.session import Session

    monkeypatch.setattr(Session, "is_best", lambda _: True)
    made = []

    def start(recipe: Recipe, num_classes: int) -> Any:
        made.append(recipe)
        return small_network(recipe, num_classes)

    train(small_recipe(), TRAINING, VALIDATION, tmp_path, start=start)
    assert len(made) == 2  # the one that learns, the one that is saved


def test_batches_that_nobody_waits_for_are_not_made() -> None:
    """After Control-C; each may take seconds."""
    made = []

    class Slow:
        def __len__(self) -> int:
            return 100

        def __getitem__(self, index: int) -> Any:
            made.append(index)
            time.sleep(0.3)
            return index

    batches = made_ahead(Slow())
    assert next(batches) == 0
    batches.close()
    assert len(made) <= 4  # one given, two in hand, one begun as it was given


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"devices": 2}, "devices"),
        ({"recipe": small_recipe(train={"precision": "float16"})}, "needs a GPU"),
        ({"recipe": small_recipe(train={"batch": 500})}, "don't fill a batch"),
    ],
)
def test_what_does_not_fit_is_told_before_training(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        run(tmp_path, **options)


def test_other_classes_to_validate_are_refused(tmp_path: Path) -> None:
    other = Corners(40, 1)
    other.labels = ("bottom", "left", "top")  # type: ignore[assignment]
    with pytest.raises(RecipeError, match="right, top"):
        train(small_recipe(), TRAINING, other, tmp_path, start=small_network)


def test_bfloat16_trains_and_saves_float32(tmp_path: Path) -> None:
    result = run(tmp_path, small_recipe(train={"precision": "bfloat16", "epochs": 5}))
    assert result.rows[-1]["val_accuracy"] > 0.7
    assert {str(weight.dtype) for weight in result.model.get_weights()} == {"float32"}
    assert result.model.dtype_policy.name == "float32"
    assert start_keras().config.dtype_policy().name == "float32"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="--folder"):
        run(tmp_path / "file" / "run")


def test_the_seed_decides(tmp_path: Path) -> None:
    one = run(tmp_path / "1", small_recipe(train={"epochs": 1}))
    same = run(tmp_path / "2", small_recipe(train={"epochs": 1}))
    other = run(tmp_path / "3", replace(small_recipe(train={"epochs": 1, "seed": 8})))
    assert without_time(one) == without_time(same)
    assert without_time(one) != without_time(other)


def test_learned_groups_are_pruned_on_time_and_after_a_resume(tmp_path: Path) -> None:
    """A condensed net comes out, the same with and without a stop, and only condensed ones count as best."""
    from mnmodels.architectures.condensing import learned_group_convs

    recipe = small_recipe(train={"epochs": 4, "ema": 0.98})
    whole = train(recipe, TRAINING, VALIDATION, tmp_path / "whole", start=learned_groups)
    assert [conv.is_condensed() for conv in learned_group_convs(whole.model)] == [True]
    told = json.loads((tmp_path / "whole" / "result.json").read_text())
    accuracies = [row["val_accuracy"] for row in whole.rows]
    assert told["best_epoch"] == 3 + accuracies[2:].index(max(accuracies[2:]))  # condensed before the third
    best = load_keras(tmp_path / "whole" / "best.keras").model
    assert [conv.is_condensed() for conv in learned_group_convs(best)] == [True]
    with pytest.raises(KeyboardInterrupt):
        train(recipe, TRAINING, VALIDATION, tmp_path / "cut", start=learned_groups, watcher=Stop(epoch=3, step=1))
    cut = train(recipe, TRAINING, VALIDATION, tmp_path / "cut", start=learned_groups, resume=True)
    for ours, theirs in zip(cut.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def learned_groups(recipe: Recipe, num_classes: int) -> Any:
    import keras

    from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D

    plain = small_network(recipe, num_classes)
    x = plain.get_layer("relu").output
    x = LearnedGroupConv2D(8, groups=2, condense_factor=4, name="learned")(x)
    x = keras.layers.Flatten(name="flat")(x)
    return keras.Model(plain.inputs, keras.layers.Dense(num_classes, activation="softmax", name="predictions")(x))
