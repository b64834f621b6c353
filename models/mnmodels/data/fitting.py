"""Picture sources -> one uint8 array of a given size, by the runtime's own geometry, a few pictures at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from mninfer.bulk import in_order
from mninfer.engines.protocol import available_cores
from mninfer.errors import InputError
from mninfer.images import ImageSource, load_image
from mninfer.preprocessing import Cover, Preprocessor, PreprocessSpec, Resize
from mninfer.tensors import TensorSpec
from mnmodels.data.pictures import Pixels

__all__ = ["fit_pictures", "in_parallel", "load_located"]

MOST_WORKERS = 16

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def fit_pictures(
    located: Sequence[tuple[str, ImageSource]],
    size: tuple[int, int],
    *,
    fit: PreprocessSpec,
    workers: int | None = None,
) -> Pixels:
    """Decode and resize pictures to ``uint8 [k, height, width, 3]`` RGB; ``size`` is (height, width).

    ``located`` are sources with what messages call them.

    Raises:
        InputError: a picture can't be used; it is named.
    """
    prepare = _pixel_preprocessor(fit, size)

    def load(item: tuple[str, ImageSource]) -> Pixels:
        return _fitted(load_located(item, prepare.cover), prepare, fit)

    result = np.empty((len(located), *size, 3), np.uint8)
    for row, picture in enumerate(in_parallel(load, located, workers=workers)):
        result[row] = picture
    return result


def load_located(item: tuple[str, ImageSource], cover: Cover | None = None) -> Pixels:
    """Decode one picture; an InputError tells where it is, even if its bytes have no name of their own."""
    where, source = item
    try:
        return load_image(source, cover=cover).pixels
    except InputError as error:
        raise InputError(error.what, where=where, hints=error.hints) from error


def in_parallel(
    act: Callable[[Item], Outcome], items: Iterable[Item], *, workers: int | None = None
) -> Iterator[Outcome]:
    """``act`` on each item, outcomes in the items' order. Decoders let other threads of Python run, so these help."""
    count = min(available_cores(), MOST_WORKERS) if workers is None else workers
    if count < 1:
        raise ValueError(f"workers must be 1 or more, not {count}")
    return map(act, items) if count == 1 else in_order(items, [act] * count)


def _pixel_preprocessor(fit: PreprocessSpec, size: tuple[int, int]) -> Preprocessor:
    """The runtime's geometry for ``fit``, with pixels left as they are."""
    shape = (1, *size, 3)
    tensor = TensorSpec(name="pictures", shape=shape, shape_signature=shape, dtype="uint8")
    return Preprocessor(replace(fit, mean=(0, 0, 0), std=(1, 1, 1), order="rgb"), tensor)


def _fitted(picture: Pixels, prepare: Preprocessor, fit: PreprocessSpec) -> Pixels:
    fitted: Pixels = prepare(picture)[0]
    if fit.resize is not Resize.LETTERBOX:
        return fitted
    placed = prepare.geometry((picture.shape[1], picture.shape[0])).placed
    barred = np.empty_like(fitted)
    barred[:] = fit.fill  # the bars are the model's mean, which a preprocessor of plain pixels does not know
    inside = (slice(placed.top, placed.bottom), slice(placed.left, placed.right))
    barred[inside] = fitted[inside]
    return barred
