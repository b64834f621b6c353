"""Parts of a set of pictures, chosen by a seed: class by class, so that shares are kept."""

import math

import numpy as np
import numpy.typing as npt

from mnmodels.data.pictures import Pictures

__all__ = ["balanced_subset", "split_pictures"]


def split_pictures(pictures: Pictures, fraction: float, seed: int) -> tuple[Pictures, Pictures]:
    """(the rest, ``fraction`` of every class), both in the pictures' order; the same seed gives the same parts.

    Of each class with two pictures or more at least one is held back, and at least one is left.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, not {fraction}")
    held = np.zeros(len(pictures), bool)
    for number, members in _by_class(pictures):
        if len(members) < 2:
            continue
        count = min(max(math.floor(len(members) * fraction + 0.5), 1), len(members) - 1)
        held[_shuffled(members, seed, number)[:count]] = True
    return pictures.take(np.flatnonzero(~held)), pictures.take(np.flatnonzero(held))


def balanced_subset(pictures: Pictures, num_pictures: int, seed: int) -> Pictures:
    """``num_pictures`` (all, if there are no more), as equally many of each class as can be, in the pictures' order.

    A larger subset of the same seed holds the smaller ones.
    """
    if num_pictures < 1:
        raise ValueError(f"num_pictures must be 1 or more, not {num_pictures}")
    classes = [_shuffled(members, seed, number) for number, members in _by_class(pictures)]
    # One of each class, then a second one of each, ...; which class comes first in a round is by the seed, too.
    turns = np.random.default_rng((seed, len(pictures.labels))).permutation(len(classes))
    ranked = sorted(
        (rank, int(turns[row]), int(i)) for row, members in enumerate(classes) for rank, i in enumerate(members)
    )
    return pictures.take(sorted(index for _, _, index in ranked[:num_pictures]))


def _by_class(pictures: Pictures) -> list[tuple[int, npt.NDArray[np.intp]]]:
    return [(number, np.flatnonzero(pictures.classes == number)) for number in np.unique(pictures.classes).tolist()]


def _shuffled(members: npt.NDArray[np.intp], seed: int, number: int) -> npt.NDArray[np.intp]:
    return np.random.default_rng((seed, number)).permutation(members)
