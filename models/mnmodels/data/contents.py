"""Folders and archives -> what is in them that matters: pictures, and the few other files that say something of them.

An archive is read once, in memory; nothing is ever unpacked onto a disk.
"""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from mninfer.errors import InputError
from mninfer.files import read_regular_file
from mninfer.images import IMAGE_SUFFIXES, find_images
from mninfer.near import near_files
from mnmodels.data.tar_members import read_tar
from mnmodels.data.unpacking import Unpacked
from mnmodels.data.zip_members import read_zip

__all__ = ["Contents", "Member", "is_picture_name", "read_contents"]

MAX_OTHER_BYTES = 512 << 20  # of a file that is no picture; CIFAR-100's largest has 156 MB


@dataclass(frozen=True, slots=True)
class Member:
    """``name`` is the place in the folder or archive, with "/" between folders; ``source`` a path, or the bytes."""

    name: str
    source: str | bytes = field(repr=False)

    def read(self) -> bytes:
        """The bytes, of a file that is no picture. Raise InputError."""
        if isinstance(self.source, bytes):
            return self.source
        try:
            return read_regular_file(self.source, MAX_OTHER_BYTES)
        except OSError as error:
            raise InputError(f"cannot read the file: {error.strerror}", where=self.source) from error


@dataclass(frozen=True, slots=True)
class Contents:
    """Both sorted by name, each name once. ``others`` are the files of the names that were asked for."""

    where: str
    pictures: tuple[Member, ...]
    others: tuple[Member, ...]


def is_picture_name(name: str) -> bool:
    """Whether a file is meant to be a picture: by its suffix, hidden files and folders left out."""
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return name.lower().endswith(IMAGE_SUFFIXES) and not is_hidden


def read_contents(where: str, *, other_names: Collection[str] = (), folders: Collection[str] = ()) -> Contents:
    """The pictures of a folder (as paths) or of a tar or zip archive (as bytes), and files called ``other_names``.

    In a folder the others are looked for at its top and in its folders called ``folders``; in an archive everywhere.

    Raises:
        InputError: it is not there, can't be read, is damaged, or holds a name twice or nothing.
    """
    if os.path.isdir(where):
        return _folder_contents(where, other_names, folders)
    members = sorted(_archived(where, other_names), key=lambda member: member.name)
    for one, other in pairwise(members):
        if one.name == other.name:
            raise InputError(f'the archive holds "{one.name}" twice', where=where)
    pictures = tuple(member for member in members if is_picture_name(member.name))
    others = tuple(member for member in members if not is_picture_name(member.name))
    if not members:
        raise InputError("no pictures in this archive", where=where)
    return Contents(where, pictures, others)


def _folder_contents(where: str, other_names: Collection[str], folders: Collection[str]) -> Contents:
    places = [name for folder in ("", *sorted(folders)) for name in _joined(folder, sorted(other_names))]
    others = [Member(name, os.path.join(where, name)) for name in places if os.path.isfile(os.path.join(where, name))]
    try:
        found = find_images([where])
    except InputError:
        if not others:
            raise
        found = []
    pictures = [Member(image.relative.replace(os.sep, "/"), image.path) for image in found]
    return Contents(where, tuple(sorted(pictures, key=lambda member: member.name)), tuple(others))


def _joined(folder: str, names: list[str]) -> list[str]:
    return [f"{folder}/{name}" if folder else name for name in names]


def _archived(where: str, other_names: Collection[str]) -> Iterator[Member]:
    def is_wanted(name: str) -> bool:
        return is_picture_name(name) or name.rsplit("/", 1)[-1] in other_names

    if not os.path.isfile(where):
        raise _missing(where)
    try:
        with open(where, "rb") as file:
            is_zip = file.read(2) == b"PK"
            file.seek(0)
            files = (
                read_zip(file, where=where, is_wanted=is_wanted)
                if is_zip
                else read_tar(Unpacked(file, where=where), where=where, is_wanted=is_wanted)
            )
            yield from (Member(name, content) for name, content in files)
    except OSError as error:
        raise InputError(f"cannot read the archive: {error.strerror or error}", where=where) from error


def _missing(where: str) -> InputError:
    if os.path.lexists(where):
        return InputError("not a folder or a file", where=where)
    near = [f'did you mean "{near}"?' for near in near_files(where)]
    return InputError("no such folder or archive", where=where, hints=near)
