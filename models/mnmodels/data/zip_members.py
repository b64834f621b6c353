"""The files of a zip archive, one after the other: bounded before anything is unpacked, nothing is written."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from mninfer.errors import InputError
from mnmodels.data.tar_members import MAX_MEMBER_BYTES, MAX_MEMBERS, check_name
from mnmodels.data.unpacking import MAX_UNPACKED_BYTES

__all__ = ["read_zip"]


def read_zip(
    file: IO[bytes], *, where: str, is_wanted: Callable[[str], bool], max_bytes: int = MAX_UNPACKED_BYTES
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file whose name is wanted, in the archive's order.

    Raises:
        InputError: damaged, encrypted, packed in a way that is not read, beyond a bound, or a name that leads out.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            rows = [row for row in archive.infolist() if not row.is_dir()]
            _check(rows, where, max_bytes)
            for row in rows:
                name = row.filename.removeprefix("./")
                if is_wanted(name):
                    yield name, _content(archive, row)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InputError(
            f"the zip archive can't be read: {error}", where=where, hints="copy or download it again"
        ) from error


def _check(rows: list[zipfile.ZipInfo], where: str, max_bytes: int) -> None:
    for row in rows:
        check_name(row.filename, where)
        if row.file_size > MAX_MEMBER_BYTES:
            raise InputError(
                f'"{row.filename}" has {row.file_size:,} bytes; at most {MAX_MEMBER_BYTES:,} are read', where=where
            )
        if row.flag_bits & 1 or row.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f'"{row.filename}" is encrypted, or packed in a way that is not read',
                where=where,
                hints="unpack the archive, and give the folder",
            )
    if len(rows) > MAX_MEMBERS or sum(row.file_size for row in rows) > max_bytes:
        raise InputError(
            f"the archive holds more than {max_bytes:,} bytes", where=where, hints="unpack it, and give the folder"
        )


def _content(archive: zipfile.ZipFile, row: zipfile.ZipInfo) -> bytes:
    """What is unpacked is bounded by the size that the directory gives, whatever the packed data hold."""
    with archive.open(row) as member:
        content = member.read(row.file_size)
        if len(content) < row.file_size:
            raise EOFError(f'"{row.filename}" is cut off')
        return content
