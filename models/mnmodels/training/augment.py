"""Augmentation of a batch in numpy: uint8 pictures in, uint8 pictures out, all chance from one generator."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mnmodels.training.recipe import AugmentSpec

__all__ = ["augment", "mix"]

Pictures = NDArray[np.uint8]
GREY = 127


def augment(images: Pictures, spec: AugmentSpec, rng: np.random.Generator, *, size: int) -> Pictures:
    """Flip, crop, colour and cut each picture of (n, height, width, 3) by its own chance; ``size`` square comes out."""
    if spec.flip:
        images = _flip(images, rng)
    if spec.pad:
        images = _crop_padded(images, spec.pad, rng)
    if spec.area:
        images = _crop_area(images, spec.area, rng, size)
    if spec.colour:
        images = _shift_colours(images, spec.colour, rng)
    if spec.cutout:
        images = _cut_out(images, spec.cutout, rng)
    return images


def mix(
    images: NDArray[np.float32], targets: NDArray[np.float32], spec: AugmentSpec, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mixup (Zhang et al. 2018) or cutmix (Yun et al. 2019) of a batch with itself in another order."""
    kinds = [kind for kind in ("mixup", "cutmix") if getattr(spec, kind)]
    if not kinds:
        return images, targets
    kind = kinds[int(rng.integers(len(kinds)))]
    alpha = getattr(spec, kind)
    share = float(rng.beta(alpha, alpha))
    partner = rng.permutation(len(images))
    if kind == "cutmix":
        images, share = _paste_box(images, images[partner], share, rng)
    else:
        images = np.float32(share) * images + np.float32(1 - share) * images[partner]
    return images, np.float32(share) * targets + np.float32(1 - share) * targets[partner]


def _flip(images: Pictures, rng: np.random.Generator) -> Pictures:
    is_flipped = rng.random(len(images)) < 0.5
    return np.where(is_flipped[:, None, None, None], images[:, :, ::-1], images)


def _crop_padded(images: Pictures, pad: int, rng: np.random.Generator) -> Pictures:
    height, width = images.shape[1:3]
    pad = min(pad, height - 1, width - 1)
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="reflect")
    tops, lefts = rng.integers(0, 2 * pad + 1, (2, len(images)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    return np.ascontiguousarray(windows[np.arange(len(images)), tops, lefts].transpose(0, 2, 3, 1))


def _crop_area(images: Pictures, least: float, rng: np.random.Generator, size: int) -> Pictures:
    """A crop of a share of the area from ``least`` to 1 and a shape from 3:4 to 4:3 (Szegedy et al. 2015)."""
    height, width = images.shape[1:3]
    cropped = np.empty((len(images), size, size, 3), np.uint8)
    for index, image in enumerate(images):
        area = rng.uniform(least, 1.0) * height * width
        ratio = float(np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3))))
        rows = int(np.clip(round((area / ratio) ** 0.5), 1, height))
        columns = int(np.clip(round((area * ratio) ** 0.5), 1, width))
        top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
        part = image[top : top + rows, left : left + columns]
        cropped[index] = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
    return cropped


def _shift_colours(images: Pictures, strength: float, rng: np.random.Generator) -> Pictures:
    """Brightness, contrast and saturation, each by a factor from 1 - strength to 1 + strength."""
    brightness, contrast, saturation = rng.uniform(1 - strength, 1 + strength, (3, len(images), 1, 1, 1)).astype("f4")
    values = images.astype(np.float32) * brightness
    grey = values.mean(axis=3, keepdims=True)
    values = grey + (values - grey) * saturation
    middle = grey.mean(axis=(1, 2), keepdims=True)
    values = middle + (values - middle) * contrast
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _cut_out(images: Pictures, side: int, rng: np.random.Generator) -> Pictures:
    """A grey square around a random place (DeVries and Taylor 2017)."""
    height, width = images.shape[1:3]
    tops = rng.integers(0, height, len(images)) - side // 2
    lefts = rng.integers(0, width, len(images)) - side // 2
    images = images.copy()
    for image, top, left in zip(images, tops, lefts, strict=True):
        image[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = GREY
    return images


def _paste_box(
    images: NDArray[np.float32], others: NDArray[np.float32], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], float]:
    height, width = images.shape[1:3]
    rows, columns = int(height * (1 - share) ** 0.5), int(width * (1 - share) ** 0.5)
    top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
    images = images.copy()
    images[:, top : top + rows, left : left + columns] = others[:, top : top + rows, left : left + columns]
    return images, 1 - rows * columns / (height * width)
