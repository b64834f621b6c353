"""The shipped models are those of their cards, and the page is that of the cards; how a card is made."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import write_model_cards
from mninfer.preprocessing import PRESETS
from mnmodels.training.recipe import load_recipe
from write_model_cards import changed_settings, make_card, plain, problems, read_cards, render, train_commands

pytestmark = pytest.mark.smoke

RECIPE = "cifar10_mobilenet_v1_025"
COUNTED = {
    "labels": ["cat", "dog"],
    "input_shape": [32, 32, 3],
    "macs": 9_181_696,
    "parameters": 221_114,
    "trainable": 215_642,
    "peak_activation_bytes": 110_592,
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "net.h5"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    result = {
        "recipe": load_recipe(RECIPE).to_json(),
        "epochs": 50,
        "seconds": 5_400.0,
        "num_training_pictures": 50_000,
        "machine": {"cpu": "A CPU", "cores": 2, "system": "Linux", "machine": "x86_64"},
        "versions": {"mnkit": "0.1", "keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0"},
    }
    (folder / "result.json").write_text(json.dumps(result))
    return folder


@pytest.fixture
def evaluation(tmp_path: Path, model: Path) -> Path:
    path = tmp_path / "evaluation.json"
    measured = {
        "model": {
            "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "preprocess": PRESETS["inception"].to_json(),
        },
        "data": {"sha256": "0" * 64, "num_pictures": 10_000},
        "n": 10_000,
        "top1": {"correct": 8_500, "rate": 0.85, "standard_error": 0.003571},
        "top5": None,
    }
    path.write_text(json.dumps(measured))
    return path


@pytest.fixture
def card(model: Path, run: Path, evaluation: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(write_model_cards, "counted", lambda _: dict(COUNTED))
    made = make_card(model, [run], evaluation, RECIPE, "For the demo.")
    model.with_suffix(".json").write_text(json.dumps(made))
    return made


def test_the_shipped_models_and_the_page_are_those_of_the_cards(repository: Path) -> None:
    script = [sys.executable, repository / "tools" / "write_model_cards.py", "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_shipped_recipe_of_a_card_is_there(repository: Path) -> None:
    for card in read_cards(repository / "models" / "pretrained"):
        assert load_recipe(card["training"]["recipe"]).to_json()["model"]["name"] == card["network"]["name"]


def test_a_card_has_what_the_page_says(card: dict[str, Any], model: Path) -> None:
    page = render([card])
    for text in (
        "85.00 ± 0.36",
        "9.18",
        "221,114, of those 215,642 trained",
        "50 epochs of 50,000 pictures in 1 h 30 min on 2 cores of A CPU (keras 3.15.1, tensorflow 2.21.0)",
        "cat, dog",
        "For the demo.",
        "Krizhevsky",
        card["sha256"],
        f"mnmodels train {RECIPE} --data cifar10-train.tar.xz --test cifar10-test.tar.xz",
        "mnmodels evaluate models/pretrained/net.h5 cifar10-test.tar.xz",
    ):
        assert text in page
    assert not list(problems([card], model.parent, page))


def test_a_changed_model_or_page_and_one_without_a_card_are_told(card: dict[str, Any], model: Path) -> None:
    model.write_bytes(b"other weights")
    model.with_name("second.keras").write_bytes(b"x")
    assert list(problems([card], model.parent, "an old page")) == [
        "net.h5 is not the file of its card: its sha256 is another",
        "second.keras has no card",
        "models/README.md is not that of the cards: python tools/write_model_cards.py",
    ]
    model.unlink()
    assert "net.h5 has a card and is not there" in list(problems([card], model.parent, ""))


def test_an_evaluation_of_another_file_is_refused(model: Path, run: Path, evaluation: Path) -> None:
    model.write_bytes(b"trained on")
    with pytest.raises(SystemExit, match="measured another file"):
        make_card(model, [run], evaluation, RECIPE, "")


def test_a_recipe_that_is_not_there_is_refused(
    model: Path, run: Path, evaluation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_model_cards, "counted", lambda _: dict(COUNTED))
    with pytest.raises(SystemExit, match="cifar10_mobilenet_v1_02"):
        make_card(model, [run], evaluation, "cifar10_mobilenet_v1_02", "")


def test_what_the_run_had_otherwise_is_in_its_command() -> None:
    shipped = plain(load_recipe(RECIPE).to_json())
    run = plain(shipped)
    run["train"]["epochs"] = 10
    run["optimizer"]["name"] = "adamw"
    settings = changed_settings(run, shipped)
    assert settings == ["optimizer.name=adamw", "train.epochs=10"]
    (command,) = train_commands(RECIPE, [settings], {"archive": "a", "test_archive": "b"})
    assert command.endswith("--set optimizer.name=adamw --set train.epochs=10")
    assert not changed_settings(shipped, shipped)


def test_a_second_run_begins_with_the_first() -> None:
    archives = {"archive": "a", "test_archive": "b"}
    first, second = train_commands(RECIPE, [[], ["train.epochs=9"]], archives)
    assert "--weights" not in first
    assert f"--weights runs/{RECIPE}/model.keras" in second
    assert second.endswith("--set train.epochs=9")
