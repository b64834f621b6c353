"""The order in which candidates are looked at: by a seed, and evenly over their folders."""

import posixpath
from collections.abc import Sequence

import numpy as np

__all__ = ["draw_order"]


def draw_order(places: Sequence[str], seed: int) -> list[int]:
    """Every index once: one of each folder by turns, folders and members shuffled by ``seed``.

    ``places`` are names with "/" between folders. The first k of the order are spread over the folders for any k, so
    that whoever is passed over is replaced without another draw.

    >>> draw_order(["a/1", "a/2", "a/3", "b/1"], 0)[-1] in (0, 1, 2)
    True
    """
    folders: dict[str, list[int]] = {}
    for index, place in enumerate(places):
        folders.setdefault(posixpath.dirname(place), []).append(index)
    turns = np.random.default_rng(seed).permutation(len(folders)).tolist()
    ranked = []
    for turn, (number, members) in zip(turns, enumerate(folders.values()), strict=True):
        shuffled = np.random.default_rng((seed, number)).permutation(members).tolist()
        ranked += [(rank, turn, index) for rank, index in enumerate(shuffled)]
    return [index for _, _, index in sorted(ranked)]
