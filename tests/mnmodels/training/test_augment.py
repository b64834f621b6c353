from dataclasses import replace

import numpy as np
import pytest

from mnmodels.training.augment import augment, mix
from mnmodels.training.recipe import AugmentSpec

pytestmark = pytest.mark.smoke

NONE = AugmentSpec(flip=False)
SPECS = {
    "flip": AugmentSpec(flip=True),
    "pad": replace(NONE, pad=4),
    "area": replace(NONE, area=0.3),
    "colour": replace(NONE, colour=0.4),
    "cutout": replace(NONE, cutout=8),
}
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 20, 24, 3), dtype=np.uint8)
SQUARES = np.ascontiguousarray(IMAGES[:, :, :20])


def augmented(spec: AugmentSpec, seed: int = 1) -> np.ndarray:
    return augment(SQUARES.copy(), spec, np.random.default_rng(seed), size=20)


def test_nothing_asked_is_nothing_done() -> None:
    assert (augmented(NONE) == SQUARES).all()


@pytest.mark.parametrize("kind", SPECS)
def test_the_seed_alone_decides(kind: str) -> None:
    first, again, other = (augmented(SPECS[kind], seed) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    assert first.shape == SQUARES.shape
    assert (first == again).all()
    assert (first != other).any()
    assert (first != SQUARES).any()


def test_a_flip_is_a_flip_or_nothing() -> None:
    is_same = (augmented(SPECS["flip"]) == SQUARES).all(axis=(1, 2, 3))
    is_mirrored = (augmented(SPECS["flip"]) == SQUARES[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (is_same | is_mirrored).all()
    assert 16 < is_same.sum() < 48


def test_a_padded_crop_is_a_window_of_the_reflected_picture() -> None:
    padded = np.pad(SQUARES, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
    for whole, crop in zip(padded, augmented(SPECS["pad"]), strict=True):
        places = [(y, x) for y in range(9) for x in range(9) if (whole[y : y + 20, x : x + 20] == crop).all()]
        assert len(places) == 1


def test_a_crop_of_random_area_has_the_size_asked_for() -> None:
    assert augment(IMAGES, SPECS["area"], np.random.default_rng(3), size=12).shape == (64, 12, 12, 3)


def test_the_cut_square_is_grey_and_no_larger_than_asked() -> None:
    changed = (augmented(SPECS["cutout"]) != SQUARES).any(axis=3)
    assert (augmented(SPECS["cutout"])[changed] == 127).all()
    assert changed.sum(axis=(1, 2)).max() <= 64
    assert changed.any(axis=(1, 2)).all()


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixed_targets_match_mixed_pixels(kind: str) -> None:
    """One picture is black and of class 0, the other white and of class 1: the mean pixel tells the target."""
    images = np.stack([np.zeros((20, 20, 3)), np.ones((20, 20, 3))]).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)
    for seed in range(20):
        mixed, told = mix(images, targets, replace(NONE, **{kind: 1.0}), np.random.default_rng(seed))
        assert mixed.mean(axis=(1, 2, 3)) == pytest.approx(told[:, 1], abs=1e-6)
        assert told.sum(axis=1) == pytest.approx(1)
        assert mixed.dtype == told.dtype == np.float32


def test_with_both_mixes_each_batch_takes_one() -> None:
    images = SQUARES.astype(np.float32)
    targets = np.eye(64, dtype=np.float32)
    spec = replace(NONE, mixup=1.0, cutmix=1.0)
    pasted = [
        bool((mix(images, targets, spec, np.random.default_rng(seed))[0] == images).any(axis=3).mean() > 0.2)
        for seed in range(20)
    ]
    assert 3 < sum(pasted) < 20
