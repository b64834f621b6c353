"""Encoded pictures -> one array, where they are small and all of one size; and which of them can't be decoded."""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from mninfer.errors import InputError
from mnmodels.data.array_pictures import ArrayPictures
from mnmodels.data.file_pictures import FolderPictures
from mnmodels.data.fitting import in_parallel, load_located
from mnmodels.data.pictures import SkippedPicture
from mnmodels.data.record_pictures import RecordPictures

__all__ = ["leave_out_corrupt", "try_in_memory"]

MAX_SIDE = 96  # of a picture that is held decoded: CIFAR's 32, Tiny ImageNet's 64, STL's 96
MAX_BYTES = 2 << 30


def try_in_memory(pictures: FolderPictures) -> ArrayPictures | None:
    """All pictures decoded; None where they differ in size or are too many or too large to be held.

    Raises:
        InputError: a picture can't be decoded.
    """
    shape = load_located(pictures.located(0)).shape
    if max(shape[:2]) > MAX_SIDE or len(pictures) * int(np.prod(shape)) > MAX_BYTES:
        return None
    images = np.empty((len(pictures), *shape), np.uint8)
    for row in range(len(pictures)):  # so small that threads would only wait for each other
        picture = load_located(pictures.located(row))
        if picture.shape != shape:
            return None
        images[row] = picture
    return ArrayPictures(
        images=images,
        classes=pictures.classes,
        labels=pictures.labels,
        names=pictures.names,
        where=pictures.where,
        skipped=pictures.skipped,
    )


Encoded = TypeVar("Encoded", FolderPictures, RecordPictures)


def leave_out_corrupt(pictures: Encoded) -> Encoded:
    """Decode every picture once; those that can't be are left out and told in ``skipped``.

    Raises:
        InputError: none is left.
    """

    def problem(index: int) -> InputError | None:
        try:
            load_located(pictures.located(index))
        except InputError as error:
            return error
        return None

    problems = list(in_parallel(problem, range(len(pictures))))
    skipped = tuple(
        SkippedPicture(name, error) for name, error in zip(pictures.names, problems, strict=True) if error is not None
    )
    if len(skipped) == len(pictures):
        raise InputError(
            f"none of the {len(pictures):,} pictures can be decoded; the first: {skipped[0].error.what}",
            where=pictures.where,
        )
    kept = [index for index, error in enumerate(problems) if error is None]
    return replace(pictures.take(kept), skipped=skipped) if skipped else pictures
