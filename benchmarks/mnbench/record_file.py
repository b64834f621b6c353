"""A record as a file: read strictly, since others may have written it; written whole or not at all."""

import json
import os
from typing import Any

from mnbench.record import Record
from mninfer.errors import InputError, ModelFileError, OutputError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file, write_atomically
from mninfer.model_file import load_json

__all__ = ["MAX_RECORD_BYTES", "decode_record", "encode_record", "read_record", "write_record"]

MAX_RECORD_BYTES = 64 << 20  # what a reader takes, so what a writer may make
_LINE = 110  # characters of what stands on one line
_TEXT = json.JSONEncoder(allow_nan=False)


def read_record(path: str | os.PathLike[str]) -> Record:
    """Read a result of ``mnbench run``.

    Raises:
        InputError: it isn't there, is no JSON, or no record; the message says which field is wrong.
    """
    where = os.fspath(path)
    return decode_record(_read(where), where)


def decode_record(data: bytes, where: str) -> Record:
    """The same of what such a file holds, wherever it came from."""
    try:
        return Record.from_json(load_json(data, "the file"))
    except ModelFileError as error:
        raise InputError(error.what, where=where, hints=error.hints) from error
    except ValueError as error:  # a cell with 0 threads: well-formed, and senseless
        raise InputError(f"the record is not sound: {error}", where=where) from error
    except InputError as error:
        raise error.at(where) from None


def _read(where: str) -> bytes:
    try:
        return read_regular_file(where, MAX_RECORD_BYTES)
    except (NotRegularFileError, FileTooLargeError) as error:
        raise InputError(f"the result can't be read: {error}", where=where) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the result can't be read: {reason}", where=where, hints="mnbench run -o FILE writes one"
        ) from error


def write_record(record: Record, path: str | os.PathLike[str], *, force: bool = False, is_synced: bool = True) -> None:
    """Write ``record`` to ``path``; ``is_synced`` False doesn't wait for the disk.

    Raises:
        OutputError: it can't be written, or is larger than anybody reads; what is there stays.
    """
    data = encode_record(record)
    if len(data) > MAX_RECORD_BYTES:
        raise OutputError(
            f"the result has {len(data):,} bytes by now, and one of more than {MAX_RECORD_BYTES:,} is not read",
            where=os.fspath(path),
            hints="fewer --rounds, or fewer cells to a file",
        )
    write_atomically(path, data, force=force, is_synced=is_synced)


def encode_record(record: Record) -> bytes:
    """JSON with an object or a list of numbers to a line: a difference between two versions can be read."""
    return (_encode(record.to_json(), 0) + "\n").encode()


def _encode(value: Any, depth: int) -> str:
    """Nested as deep as it takes for a line to be one small thing; what holds several lines is on several, too."""
    if not isinstance(value, dict | list) or _is_of_numbers(value):
        return _TEXT.encode(value)
    if isinstance(value, dict):
        items = [f"{_TEXT.encode(key)}: {_encode(item, depth + 1)}" for key, item in value.items()]
        opening, closing = "{}"
    else:
        items = [_encode(item, depth + 1) for item in value]
        opening, closing = "[]"
    if sum(len(item) + 2 for item in items) <= _LINE and not any("\n" in item for item in items):
        return f"{opening}{', '.join(items)}{closing}"
    inner = " " * (depth + 1)
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{' ' * depth}{closing}"


def _is_of_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, int | float) for item in value)
