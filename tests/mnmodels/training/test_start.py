"""Training that begins with a file's weights."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from mninfer.errors import RecipeError
from mnmodels.architectures.registry import build_model
from mnmodels.keras_file import save_keras
from mnmodels.training.recipe import load_recipe, with_changes
from mnmodels.training.start import start_from


def recipe(**changes):
    return with_changes(load_recipe("cifar10_mobilenet_v1_025"), changes)


def test_the_weights_are_the_files(tmp_path):
    model = build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10)
    save_keras(model, tmp_path / "given.keras")
    begun = start_from(tmp_path / "given.keras")(recipe(), 10)
    assert all((a == b).all() for a, b in zip(model.get_weights(), begun.get_weights(), strict=True))
    picture = np.zeros((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(begun(picture), model(picture), atol=1e-6)


def test_the_file_is_read_once(tmp_path):
    """A run builds its network again for every file that it saves; what it began with may be gone by then."""
    model = build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10)
    save_keras(model, tmp_path / "given.keras")
    start = start_from(tmp_path / "given.keras")
    start(recipe(), 10)
    (tmp_path / "given.keras").unlink()
    assert all((a == b).all() for a, b in zip(model.get_weights(), start(recipe(), 10).get_weights(), strict=True))


@pytest.mark.parametrize(
    ("changes", "classes"), [({"model.alpha": 0.5}, 10), ({}, 7), ({"model.name": "mobilenet_v2"}, 10)]
)
def test_weights_of_another_network_are_refused(tmp_path, changes, classes):
    save_keras(build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10), tmp_path / "given.h5")
    with pytest.raises(RecipeError, match="another network than the recipe's") as caught:
        start_from(tmp_path / "given.h5")(recipe(**changes), classes)
    assert caught.value.where.endswith("given.h5")
