"""Folders and archives -> the pictures in them, in the order of their names."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise

from mninfer.errors import InputError
from mninfer.images import find_images
from mninfer.near import near_files
from mnmodels.data.members import Member, is_picture_name
from mnmodels.data.tar_members import MAX_MEMBER_BYTES, MAX_MEMBERS, check_name, read_tar
from mnmodels.data.unpacking import MAX_UNPACKED_BYTES, Unpacked

__all__ = ["find_members"]


def find_members(where: str) -> list[Member]:
    """Every picture of a folder (paths) or of a tar or zip archive (bytes), sorted by name, each name once.

    Raises:
        InputError: it is not there, can't be read, is damaged, holds a name twice or no picture.
    """
    if os.path.isdir(where):
        return [Member(found.relative.replace(os.sep, "/"), found.path) for found in find_images([where])]
    members = sorted(_archived(where), key=lambda member: member.name)
    if not members:
        raise InputError("no pictures in this archive", where=where)
    for one, other in pairwise(members):
        if one.name == other.name:
            raise InputError(f'the archive holds "{one.name}" twice', where=where)
    return members


def _archived(where: str) -> Iterator[Member]:
    try:
        if not os.path.isfile(where):
            raise _missing(where)
        with open(where, "rb") as file:
            if file.read(2) == b"PK":
                yield from _zip_members(where)
            else:
                file.seek(0)
                for name, content in read_tar(Unpacked(file, where=where), where=where, is_wanted=is_picture_name):
                    yield Member(name.removeprefix("./"), content)
    except OSError as error:
        raise InputError(f"cannot read the archive: {error.strerror or error}", where=where) from error


def _zip_members(where: str) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(where) as archive:
            rows = [row for row in archive.infolist() if not row.is_dir()]
            _check_rows(rows, where)
            for row in rows:
                if is_picture_name(row.filename):
                    yield Member(row.filename, _zip_content(archive, row))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise InputError(
            f"the zip archive can't be read: {error}", where=where, hints="copy or download it again"
        ) from error


def _check_rows(rows: list[zipfile.ZipInfo], where: str) -> None:
    for row in rows:
        check_name(row.filename, where)
        if row.file_size > MAX_MEMBER_BYTES:
            raise InputError(
                f'"{row.filename}" has {row.file_size:,} bytes, {MAX_MEMBER_BYTES:,} are read', where=where
            )
        if row.flag_bits & 1 or row.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f'"{row.filename}" is encrypted or packed in a way that is not read', where=where,
                hints="unpack the archive, and give the folder",
            )  # fmt: skip
    if len(rows) > MAX_MEMBERS or sum(row.file_size for row in rows) > MAX_UNPACKED_BYTES:
        raise InputError(
            f"the archive holds more than {MAX_UNPACKED_BYTES:,} bytes", where=where,
            hints="unpack it, and give the folder",
        )  # fmt: skip


def _zip_content(archive: zipfile.ZipFile, row: zipfile.ZipInfo) -> bytes:
    """What is read is bounded by the size that the directory gives, whatever the packed data hold."""
    with archive.open(row) as member:
        return member.read()


def _missing(where: str) -> InputError:
    kind = "not a folder or a file" if os.path.lexists(where) else "no such folder or archive"
    return InputError(kind, where=where, hints=[f'did you mean "{near}"?' for near in near_files(where)])
