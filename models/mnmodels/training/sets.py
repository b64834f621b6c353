"""The training and validation pictures of a run: the data's own parts, or a share held back."""

from typing import TYPE_CHECKING

from mninfer.errors import InputError
from mnmodels.training.recipe import Recipe

if TYPE_CHECKING:
    from mnmodels.data import Pictures

__all__ = ["open_sets", "parts_or_held_back"]


def open_sets(
    recipe: Recipe, where: str | None, *, test: str | None = None, on_corrupt: str = "refuse"
) -> "tuple[Pictures, Pictures]":
    """(training, validation): the test part, that of ``test`` where it is elsewhere, or a share held back."""
    from mnmodels.data import open_data, split_pictures

    where = where or recipe.data.name
    training = open_data(where, split="train", on_corrupt=on_corrupt)
    if test is not None:
        return training, open_data(test, split="test", on_corrupt=on_corrupt)
    if recipe.data.validation:
        return split_pictures(training, recipe.data.validation, recipe.train.seed)
    validation = open_data(where, split="test", on_corrupt=on_corrupt)
    if _is_one_part(training, validation):
        raise InputError(
            "the pictures have no test part, so there is nothing to validate with",
            where=where,
            hints=(
                "--test WHERE, if they are elsewhere",
                "--set data.validation=0.1 holds a tenth back",
                "folders train/ and test/ (or val/) around the classes",
            ),
        )
    return training, validation


def parts_or_held_back(
    where: str, share: float, seed: int, *, on_corrupt: str = "refuse"
) -> "tuple[Pictures, Pictures]":
    """(training, validation): the parts where there are two, else ``share`` of each class held back."""
    from mnmodels.data import open_data, split_pictures

    training = open_data(where, split="train", on_corrupt=on_corrupt)
    validation = open_data(where, split="test", on_corrupt=on_corrupt)
    return split_pictures(training, share, seed) if _is_one_part(training, validation) else (training, validation)


def _is_one_part(training: "Pictures", validation: "Pictures") -> bool:
    return list(training.names) == list(validation.names)
