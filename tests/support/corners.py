"""A problem that is learned in a second: which of three corners is bright; and a network for it."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mninfer.preprocessing import PreprocessSpec
from mnmodels.training.recipe import AugmentSpec, DataSpec, OptimizerSpec, Recipe, ScheduleSpec, TrainSpec

SIZE = 16
LABELS = ("bottom", "left", "right")
CORNERS = ((slice(8, 16), slice(4, 12)), (slice(0, 8), slice(0, 8)), (slice(0, 8), slice(8, 16)))


class Corners:
    """Pictures as ``mnmodels.data`` gives them."""

    labels = LABELS

    def __init__(self, num: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.classes = rng.integers(0, 3, num)
        self.images = rng.integers(0, 120, (num, SIZE, SIZE, 3), dtype=np.uint8)
        for image, kind in zip(self.images, self.classes, strict=True):
            image[CORNERS[kind]] += 80

    def __len__(self) -> int:
        return len(self.classes)

    def load(self, indices: NDArray[np.int64], size: tuple[int, int], *, fit: PreprocessSpec) -> NDArray[np.uint8]:
        assert size == (SIZE, SIZE)
        assert fit.mean == (127.5, 127.5, 127.5)
        return self.images[indices]


class Colours(Corners):
    """Which colour is strongest: what flips and crops leave as it is."""

    labels = ("blue", "green", "red")

    def __init__(self, num: int, seed: int) -> None:
        super().__init__(num, seed)
        for image, kind in zip(self.images, self.classes, strict=True):
            image[...] //= 2
            image[..., 2 - kind] += 120

    def load(self, indices: NDArray[np.int64], size: tuple[int, int], *, fit: PreprocessSpec) -> NDArray[np.uint8]:
        return np.stack([cv2.resize(self.images[index], size[::-1]) for index in indices])


def small_recipe(**changes: Any) -> Recipe:
    train = {"epochs": 3, "batch": 32, "seed": 7} | changes.pop("train", {})
    values: dict[str, Any] = {
        "title": "corners",
        "model": {"name": "corners"},
        "data": DataSpec(size=SIZE),
        "augment": AugmentSpec(flip=False, pad=1, cutout=2, mixup=0.1),
        "optimizer": OptimizerSpec(learning_rate=0.05, weight_decay=1e-3),
        "schedule": ScheduleSpec(warmup_epochs=1),
        "train": TrainSpec(**train),
    }
    return Recipe(**(values | changes))


def small_network(_: Recipe, num_classes: int) -> Any:
    import keras
    from keras import layers

    inputs = layers.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, strides=4, use_bias=False, name="conv")(inputs)
    x = layers.ReLU(6.0, name="relu")(layers.BatchNormalization(momentum=0.8, name="bn")(x))
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.1, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(num_classes, activation="softmax", name="predictions")(x), name="corners")
