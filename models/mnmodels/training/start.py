"""Where a run begins: with the weights of a file instead of random ones."""

import os
from typing import Any

from mninfer.errors import RecipeError
from mnmodels.keras_file import load_keras
from mnmodels.training.recipe import Recipe
from mnmodels.training.session import Start, network_of

__all__ = ["start_from"]


def start_from(path: str | os.PathLike[str]) -> Start:
    """The recipe's network with the weights of the Keras file at ``path``, for ``train(start=…)``.

    Raises RecipeError, when it is called, where the file holds another network than the recipe's.
    """

    def start(recipe: Recipe, num_classes: int) -> Any:
        given = load_keras(path).model
        model = network_of(recipe, num_classes)
        wanted, found = ([tuple(weight.shape) for weight in each.weights] for each in (model, given))
        if wanted != found:
            raise RecipeError(
                f"the weights are of another network than the recipe's: {len(found)} arrays for {len(wanted)}"
                if len(found) != len(wanted)
                else "the weights are of another network than the recipe's: their shapes differ",
                where=os.fspath(path),
                hints="the network that it was trained as: --model, --alpha, --set model.form=…",
            )
        model.set_weights(given.get_weights())
        return model

    return start
