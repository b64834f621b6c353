"""Any labelled pictures -> ``Pictures``: told by what is there, not by how it is called."""

import os
from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from mninfer.errors import InputError
from mninfer.files import read_regular_file
from mninfer.near import near_names
from mnmodels.data.array_pictures import ArrayPictures
from mnmodels.data.cifar import CIFAR_FOLDERS, CIFAR_NAMES, find_cifar, read_cifar
from mnmodels.data.class_folders import PARTS, classify_members
from mnmodels.data.class_list import KNOWN_NAMES, ClassList, read_class_list
from mnmodels.data.contents import Contents, read_contents
from mnmodels.data.empty_classes import refuse_empty_classes
from mnmodels.data.file_pictures import FolderPictures
from mnmodels.data.in_memory import leave_out_corrupt, try_in_memory
from mnmodels.data.pictures import Pictures
from mnmodels.data.published_sets import PUBLISHED_SETS, fetch
from mnmodels.data.record_pictures import RecordPictures, read_record_files
from mnmodels.data.tf_records import find_record_files, is_record_file

__all__ = ["OnCorrupt", "open_data"]

_CLASS_LIST_FOLDERS = ("", *(name for names in PARTS.values() for name in names))


class OnCorrupt(StrEnum):
    """What happens with a picture that can't be decoded."""

    REFUSE = "refuse"
    SKIP = "skip"


def open_data(
    where: str | os.PathLike[str],
    *,
    split: str = "train",
    on_corrupt: str = "refuse",
    classes_from: str | os.PathLike[str] | None = None,
) -> Pictures:
    """Open labelled pictures: a folder, an archive, CIFAR's files, TFRecords, ``cifar10`` or ``cifar100``.

    ``split`` is ``train`` or ``test``; a set without parts gives all of it for either. ``classes_from`` is a file of
    lines "name class" for pictures whose folders don't tell. Small pictures of one size come decoded, in memory.
    With ``skip`` corrupt pictures are looked for at once, by decoding all, and told in ``skipped``; with ``refuse``
    the first one that is met is an error.

    Raises:
        InputError: it is not there, can't be read, has no such part, or its pictures have no classes.
    """
    _check_choice("split", split, list(PARTS))
    _check_choice("on_corrupt", on_corrupt, list(OnCorrupt))
    stated = _stated_list(classes_from)
    place = os.fsdecode(where)
    if place in PUBLISHED_SETS and not os.path.lexists(place):
        place = str(fetch(place))
    pictures = _open_place(place, split, stated)
    return (
        pictures
        if isinstance(pictures, ArrayPictures)
        else _settled(pictures, is_skipping=on_corrupt == OnCorrupt.SKIP)
    )


def _open_place(where: str, split: str, stated: ClassList | None) -> ArrayPictures | FolderPictures | RecordPictures:
    record_files = find_record_files(where) if os.path.isdir(where) else [where] if is_record_file(where) else []
    if record_files:
        _refuse_list("TFRecords", stated)
        return read_record_files(record_files, split, where)
    contents = read_contents(
        where, other_names={*CIFAR_NAMES, *KNOWN_NAMES}, folders={*_CLASS_LIST_FOLDERS, *CIFAR_FOLDERS}
    )
    cifar = find_cifar(contents)
    if cifar is not None:
        _refuse_list("CIFAR's files", stated)
        return read_cifar(cifar, split, where)
    return _classified(contents, split, stated or _known_list(contents))


def _settled(pictures: FolderPictures | RecordPictures, *, is_skipping: bool) -> Pictures:
    if isinstance(pictures, RecordPictures):
        return leave_out_corrupt(pictures) if is_skipping else pictures
    sound = leave_out_corrupt(pictures) if is_skipping else pictures
    return try_in_memory(sound) or sound


def _classified(contents: Contents, split: str, listed: ClassList | None) -> FolderPictures:
    found = classify_members(contents.pictures, split, contents.where, listed)
    if os.path.isdir(contents.where):
        refuse_empty_classes(contents.where, [member.name for member in contents.pictures])
    return FolderPictures(
        sources=[member.source for member in found.members],
        classes=np.array(found.classes, np.int64),
        labels=found.labels,
        names=[member.name for member in found.members],
        where=contents.where,
    )


def _stated_list(path: str | os.PathLike[str] | None) -> ClassList | None:
    if path is None:
        return None
    where = os.fsdecode(path)
    try:
        return read_class_list(read_regular_file(where, 1 << 30), where, is_stated=True)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the list of classes: {error}", where=where) from error


def _known_list(contents: Contents) -> ClassList | None:
    """A list that is published with the pictures, by its name."""
    members = {member.name.rsplit("/", 1)[-1]: member for member in contents.others}
    found = next((members[name] for name in KNOWN_NAMES if name in members), None)
    return None if found is None else read_class_list(found.read(), f"{contents.where}: {found.name}")


def _refuse_list(what: str, stated: ClassList | None) -> None:
    if stated is not None:
        raise InputError(f"{what} tell their classes themselves", where=stated.where, hints="leave --classes-from out")


def _check_choice(what: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise InputError(f'no {what} "{value}"', hints=near_names(value, choices) or f"one of {', '.join(choices)}")
