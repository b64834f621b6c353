from pathlib import Path

import pytest

from mninfer.errors import RecipeError
from mnmodels.training.recipe import Recipe, load_recipe, read_recipe, recipe_names, with_changes

pytestmark = pytest.mark.smoke

WHOLE = 'schema = 1\ntitle = "t"\n[model]\nname = "mobilenet_v1"\n'


@pytest.mark.parametrize("name", recipe_names())
def test_each_shipped_recipe_survives_the_round_trip(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.title
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_every_published_row_has_a_recipe() -> None:
    names = set(recipe_names())
    assert {"cifar10_mobilenet_v1_025", "cifar10_mobilenet_v1", "imagenet_mobilenet_v1"} <= names
    assert len([name for name in names if name.startswith("cifar100_")]) == 9


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WHOLE.replace("schema = 1", ""), "schema = 1"),
        (WHOLE.replace("schema = 1", "schema = 2"), "schema = 1"),
        (WHOLE + "[trane]\nepochs = 3\n", 'has no "trane"'),
        (WHOLE + "[train]\nepoch = 3\n", 'has no "train.epoch"'),
        (WHOLE + "[train]\nepochs = 3.5\n", "whole number"),
        (WHOLE + "[train]\nepochs = true\n", "whole number"),
        (WHOLE + "[train]\nepochs = 0\n", "from 1 to"),
        (WHOLE + "[train]\nema = nan\n", "train.ema is nan"),
        (WHOLE + '[optimizer]\nname = "sdg"\n', '"sdg"'),
        (WHOLE + '[schedule]\nname = "step"\n', "neither milestones nor every"),
        (WHOLE + "[schedule]\nmilestones = 3\n", "wants a list"),
        (WHOLE + "classes = 7\n", "not the recipe's to say"),
        ('schema = 1\ntitle = "t"\n[model]\nalpha = 1.0\n', "names no network"),
        ('schema = 1\n[model]\nname = "mobilenet_v1"\n', "no title"),
        ("schema = = 1", "TOML"),
        ("\x00\xff", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(RecipeError) as caught:
        read_recipe(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)


def test_near_names_are_offered() -> None:
    with pytest.raises(RecipeError, match=r"cifar10_mobilenet_v1_025"):
        load_recipe("cifar10_mobilenet_v1_25")
    with pytest.raises(RecipeError, match="epochs"):
        with_changes(load_recipe("cifar10_mobilenet_v1_025"), {"train.epoch": 3})
    with pytest.raises(RecipeError, match="optimizer"):
        with_changes(load_recipe("cifar10_mobilenet_v1_025"), {"optimiser.name": "sgd"})


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="can't be read"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="can't be read"):
        read_recipe(tmp_path)


def test_changes_are_checked_like_a_file() -> None:
    recipe = load_recipe("cifar10_mobilenet_v1_025")
    changed = with_changes(recipe, {"model.alpha": 0.5, "schedule.milestones": [3, 5], "schedule.name": "step"})
    assert changed.model["alpha"] == 0.5
    assert changed.schedule.milestones == (3, 5)
    assert changed.optimizer == recipe.optimizer
    with pytest.raises(RecipeError, match="from 1 to"):
        with_changes(recipe, {"train.batch": 0})
