"""Where a run begins: with the weights of a file instead of random ones."""

import os
from functools import cache
from typing import Any

from numpy.typing import NDArray

from mninfer.errors import RecipeError
from mnmodels.keras_file import load_keras
from mnmodels.training.recipe import Recipe
from mnmodels.training.session import Start, network_of

__all__ = ["start_from"]


def start_from(path: str | os.PathLike[str]) -> Start:
    """The recipe's network with the weights of the Keras file at ``path``, for ``train(start=…)``.

    The file is read once, so that it may change or go while a run goes on. Raises RecipeError, when it is called, where
    it holds another network than the recipe's.
    """

    @cache
    def given() -> list[NDArray[Any]]:
        weights: list[NDArray[Any]] = load_keras(path).model.get_weights()
        return weights

    def start(recipe: Recipe, num_classes: int) -> Any:
        weights, model = given(), network_of(recipe, num_classes)
        wanted, found = ([array.shape for array in each] for each in (model.get_weights(), weights))
        if wanted != found:
            raise RecipeError(
                f"the weights are of another network than the recipe's: {len(found)} arrays for {len(wanted)}"
                if len(found) != len(wanted)
                else "the weights are of another network than the recipe's: their shapes differ",
                where=os.fspath(path),
                hints="the network that it was trained as: --model, --alpha, --set model.form=…",
            )
        model.set_weights(weights)
        return model

    return start
