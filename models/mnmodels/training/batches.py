"""The batches of an epoch, each a function of (recipe, epoch, index) alone: a resumed run meets the same ones."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mninfer.preprocessing import PreprocessSpec, parse_preprocess
from mnmodels.training.augment import augment, mix
from mnmodels.training.recipe import Recipe

__all__ = ["EpochBatches", "TrainingPictures", "normalize", "one_hot", "preprocess_spec"]

AREA_MARGIN = 8 / 7  # crops of random area are taken from a picture that is larger by this much
_ORDER, _CHANCE = 0, 1  # streams of the seed: the order of the pictures, and what is done to them


class TrainingPictures(Protocol):
    """What training needs of a data set: ``mnmodels.data.Pictures`` has it."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def classes(self) -> NDArray[np.int64]: ...

    def __len__(self) -> int: ...

    def load(self, indices: NDArray[np.int64], size: tuple[int, int], *, fit: PreprocessSpec) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class EpochBatches:
    """Batch ``index`` of training epoch ``epoch``: float32 pictures and float32 targets, (n, classes)."""

    pictures: TrainingPictures
    recipe: Recipe
    epoch: int

    def __len__(self) -> int:
        """Whole batches only: batch normalization and the schedule want them equal. A smaller set is one batch."""
        return max(len(self.pictures) // self.recipe.train.batch, 1)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        batch, spec, size = self.recipe.train.batch, self.recipe.augment, self.recipe.data.size
        chosen = self.order()[index * batch : (index + 1) * batch]
        rng = np.random.default_rng((self.recipe.train.seed, _CHANCE, self.epoch, index))
        loaded, fit = (round(size * AREA_MARGIN), self._whole()) if spec.area else (size, preprocess_spec(self.recipe))
        images = augment(self.pictures.load(chosen, (loaded, loaded), fit=fit), spec, rng, size=size)
        targets = one_hot(self.pictures.classes[chosen], len(self.pictures.labels), self.recipe.train.label_smoothing)
        return mix(normalize(images, preprocess_spec(self.recipe)), targets, spec, rng)

    def _whole(self) -> PreprocessSpec:
        """Where crops are drawn by chance, a central crop keeps its whole square."""
        fit = preprocess_spec(self.recipe)
        return replace(fit, crop_fraction=1.0)

    def order(self) -> NDArray[np.int64]:
        """The order in which this epoch goes through the pictures."""
        return np.random.default_rng((self.recipe.train.seed, _ORDER, self.epoch)).permutation(len(self.pictures))


def one_hot(classes: NDArray[np.int64], num_classes: int, smoothing: float) -> NDArray[np.float32]:
    """(n, classes): 1 - smoothing for the class, the rest spread over all.

    >>> one_hot(np.array([1]), 4, 0.2).round(2)
    array([[0.05, 0.85, 0.05, 0.05]], dtype=float32)
    """
    targets = np.full((len(classes), num_classes), smoothing / num_classes, np.float32)
    targets[np.arange(len(classes)), classes] += 1 - smoothing
    return targets


def preprocess_spec(recipe: Recipe) -> PreprocessSpec:
    """What the trained file will say of its preprocessing, and what its training pictures went through."""
    return parse_preprocess(recipe.data.preprocess, resize=recipe.data.resize, interpolation=recipe.data.interpolation)


def normalize(images: NDArray[np.uint8], spec: PreprocessSpec) -> NDArray[np.float32]:
    """(pixel - mean) / std, in the channel order of the model."""
    if spec.order == "bgr":
        images = images[..., ::-1]
    mean, std = np.asarray(spec.mean, np.float32), np.asarray(spec.std, np.float32)
    return (images - mean) / std
