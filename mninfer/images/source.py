"""The bytes of a picture from a path or a file object: regular files only, read once, of bounded size."""

import os
from typing import IO, Any

from mninfer.errors import InputError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file

__all__ = ["read_file", "read_stream"]

MAX_FILE_BYTES = 512 * 1024 * 1024  # twice what 200 megapixels take as a poorly compressed JPEG


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Read a regular file. Never waits for a pipe, never opens a device."""
    try:
        return read_regular_file(path, MAX_FILE_BYTES)
    except NotRegularFileError as error:
        is_folder = error.kind == "a folder"
        instead = "give a picture in it, or classify the folder" if is_folder else "copy it into a file first"
        raise InputError(f"{error.kind}, not a picture file", hints=instead) from None
    except FileTooLargeError as error:
        raise _too_large(error.size_bytes) from None
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from error


def read_stream(stream: IO[Any]) -> bytes:
    """Read an open binary file object to its end: a pipe or socket that is not buffered gives a part at a time."""
    parts: list[bytes] = []
    size = 0
    while part := _read_part(stream, MAX_FILE_BYTES + 1 - size):
        parts.append(part)
        size += len(part)
        if size > MAX_FILE_BYTES:
            raise _too_large(size)
    return b"".join(parts)


def _read_part(stream: IO[Any], max_bytes: int) -> bytes:
    try:
        data = stream.read(max_bytes)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the file object: {error}") from error
    if isinstance(data, str):
        raise InputError("the file object gives text", hints='open the picture with mode "rb"')
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"the file object gives {type(data).__name__}, not bytes")
    return bytes(data)


def _too_large(size: int) -> InputError:
    return InputError(f"the file has {size:,} bytes; pictures of up to {MAX_FILE_BYTES:,} are read")


def _cannot_read(path: str | os.PathLike[str], error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("no such file", hints=_near(path))
    if isinstance(error, OSError):
        return InputError(f"cannot read the file: {error.strerror or error}")
    return InputError(f"not a path: {error}")


def _near(path: str | os.PathLike[str]) -> list[str]:
    """The name in the same folder that is most like the one that is not there."""
    text = os.fsdecode(path)
    if "://" in text:
        return ["download it first: addresses are not opened"]
    folder = os.path.dirname(text)
    if folder and not os.path.exists(folder):
        return [f'the folder "{folder}" does not exist either']
    from mninfer.near import near_files

    return [f'did you mean "{near}"?' for near in near_files(text)]
