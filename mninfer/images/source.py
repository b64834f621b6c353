"""The bytes of a picture from a path or a file object: regular files only, read once, of bounded size."""

import os
import stat
from typing import IO, Any

from mninfer.errors import InputError

__all__ = ["read_file", "read_stream"]

MAX_FILE_BYTES = 512 * 1024 * 1024  # twice what 200 megapixels take as a poorly compressed JPEG


def read_file(path: str | os.PathLike[Any]) -> bytes:
    """Read a regular file. Never waits for a pipe, never opens a device."""
    # O_NONBLOCK: opening a fifo would wait for its writer. It means nothing for regular files.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise _cannot_open(path, error) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{_kind(status.st_mode)}, not a picture file", hints=_instead(status.st_mode))
        _check_size(status.st_size)
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            return _read_all(file, status.st_size)
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror or error}") from error
    finally:
        os.close(descriptor)


def read_stream(stream: IO[Any]) -> bytes:
    """Read an open binary file object to its end."""
    try:
        data = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the file object: {error}") from error
    if isinstance(data, str):
        raise InputError("the file object gives text", hints='open the picture with mode "rb"')
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"the file object gives {type(data).__name__}, not bytes")
    _check_size(len(data))
    return bytes(data)


def _read_all(file: IO[bytes], size: int) -> bytes:
    """``size`` bytes in one read; whatever a file that grows meanwhile has more is left."""
    data = file.read(size)
    while len(data) < size:
        more = file.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise InputError(f"the file has {size:,} bytes; pictures of up to {MAX_FILE_BYTES:,} are read")


def _cannot_open(path: str | os.PathLike[Any], error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", hints=_near(path))
    if isinstance(error, OSError):
        return InputError(f"cannot open the file: {error.strerror or error}")
    return InputError(f"not a path: {error}")


def _near(path: str | os.PathLike[Any]) -> list[str]:
    """The names in the same folder that are most like the one that is not there."""
    text = os.fsdecode(path)
    if "://" in text:
        return ["download it first: addresses are not opened"]
    import difflib

    folder, name = os.path.split(text)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return [f'the folder "{folder}" does not exist either'] if folder else []
    return [f'did you mean "{os.path.join(folder, near)}"?' for near in difflib.get_close_matches(name, names, n=1)]


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for test, name in kinds if test(mode)), "a special file")


def _instead(mode: int) -> str:
    return "give a picture in it, or classify the folder" if stat.S_ISDIR(mode) else "copy it into a file first"
