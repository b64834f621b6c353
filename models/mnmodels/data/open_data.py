"""Any labelled pictures -> ``Pictures``: told by what is there, not by how it is called."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from mninfer.errors import InputError
from mninfer.near import near_names
from mnmodels.data.array_pictures import ArrayPictures
from mnmodels.data.class_folders import PARTS, part_of, sort_into_classes
from mnmodels.data.file_pictures import FolderPictures
from mnmodels.data.found_pictures import find_members
from mnmodels.data.in_memory import leave_out_corrupt, try_in_memory
from mnmodels.data.pictures import Pictures

__all__ = ["OnCorrupt", "open_data"]


class OnCorrupt(StrEnum):
    """What happens with a picture that can't be decoded."""

    REFUSE = "refuse"
    SKIP = "skip"


def open_data(where: str, *, split: str = "train", on_corrupt: str = "refuse") -> Pictures:
    """Open a folder or an archive of labelled pictures.

    Small pictures of one size come decoded, in memory. With ``skip`` corrupt pictures are looked for at once, by
    decoding all, and told in ``skipped``; with ``refuse`` the first one that is met is an error.

    Raises:
        InputError: it is not there, can't be read, or its pictures have no classes.
    """
    _check_choice("split", split, list(PARTS))
    _check_choice("on_corrupt", on_corrupt, list(OnCorrupt))
    members = part_of(find_members(where), split, where)
    labels, classes = sort_into_classes(members, where)
    pictures = FolderPictures(
        sources=[member.source for member in members],
        classes=np.array(classes, np.int64),
        labels=labels,
        names=[member.name for member in members],
        where=where,
    )
    return _settled(pictures, OnCorrupt(on_corrupt))


def _settled(pictures: FolderPictures, on_corrupt: OnCorrupt) -> FolderPictures | ArrayPictures:
    if on_corrupt is OnCorrupt.SKIP:
        pictures = leave_out_corrupt(pictures)
    return try_in_memory(pictures) or pictures


def _check_choice(what: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        hints = near_names(value, choices) or f"one of {', '.join(choices)}"
        raise InputError(f'no {what} "{value}"', hints=hints)
