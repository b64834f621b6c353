"""The zip that Keras 3 writes: its members read from untrusted bytes, bounded, and never unpacked to a disk."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from mninfer.errors import KerasFileError
from mnmodels.keras_file.file_bytes import DOWNLOAD_AGAIN

__all__ = ["ZIP_MAGICS", "ZipMembers", "replace_member"]

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
MAX_MEMBERS = 1000
MAX_DIRECTORY_BYTES = 2 << 20
MAX_MEMBER_BYTES = 1 << 30
MAX_RATIO = 50  # JSON shrinks to a tenth, weights hardly at all
_END_MARK = b"PK\x05\x06"  # PKWARE APPNOTE 6.3, 4.3.16
_ZIP64_MARK = b"PK\x06\x07"  # 4.3.15, in the 20 bytes before that
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class ZipMembers:
    """An archive whose directory has been checked; its members are read when asked for."""

    archive: zipfile.ZipFile
    infos: Mapping[str, zipfile.ZipInfo]

    @classmethod
    def of(cls, data: bytes) -> "ZipMembers":
        """Check the directory. Raise KerasFileError for a damaged or a malicious one."""
        _check_directory_size(data)
        try:
            archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise _damaged(str(error)) from error
        infos: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            _check_name(info.filename)
            if info.filename in infos:
                raise _damaged(f'two members are named "{info.filename}"')
            infos[info.filename] = info
        if len(infos) > MAX_MEMBERS:
            raise _damaged(f"{len(infos)} members; at most {MAX_MEMBERS} are read")
        return cls(archive, infos)

    def read(self, name: str, max_bytes: int = MAX_MEMBER_BYTES) -> bytes | None:
        """A member's content, None where there is none. Raise KerasFileError for a damaged one, or a bomb."""
        info = self.infos.get(name)
        if info is None:
            return None
        if info.file_size > max_bytes:
            raise _damaged(f'"{name}" has {info.file_size:,} bytes; at most {max_bytes:,} are read')
        if info.file_size > MAX_RATIO * info.compress_size + (1 << 20):
            raise _damaged(f'"{name}" unpacks to {info.file_size:,} bytes from {info.compress_size:,}: a bomb')
        if info.flag_bits & _ENCRYPTED:
            raise _damaged(f'"{name}" is encrypted')
        try:
            with self.archive.open(info) as member:
                content = member.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
            raise _damaged(f'"{name}": {error}') from error
        if len(content) != info.file_size:
            raise _damaged(f'"{name}" does not have the {info.file_size:,} bytes that the directory gives')
        return content


def _check_directory_size(data: bytes) -> None:
    """Look at the directory's size first: zipfile reads all of it."""
    at = data.rfind(_END_MARK, max(0, len(data) - 22 - 0xFFFF))
    if at < 0 or at + 22 > len(data):
        raise _damaged("it is cut off: its directory is missing")
    if data[max(0, at - 20) : at].startswith(_ZIP64_MARK):  # zipfile believes that end, and not the one checked below
        raise _damaged("its directory is in zip64, which no file of this size needs")
    size = int.from_bytes(data[at + 12 : at + 16], "little")
    if size > MAX_DIRECTORY_BYTES:
        raise _damaged(f"its directory has {size:,} bytes; at most {MAX_DIRECTORY_BYTES:,} are read")


def _check_name(name: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise _damaged(f'the member "{name}" points outside of the archive')


def _damaged(what: str) -> KerasFileError:
    return KerasFileError(f"the .keras archive cannot be read: {what}", hints=DOWNLOAD_AGAIN)


def replace_member(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with ``content`` as the member ``name``, and all others as they were."""
    members = ZipMembers.of(data)
    total = sum(info.file_size for info in members.infos.values())
    if total > MAX_MEMBER_BYTES:  # all of them are unpacked here, and held until the archive is written
        raise _damaged(f"its members have {total:,} bytes; at most {MAX_MEMBER_BYTES:,} are kept")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for other, info in members.infos.items():
            kept = members.read(other)
            if other != name and kept is not None:
                archive.writestr(info, kept)
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return out.getvalue()
