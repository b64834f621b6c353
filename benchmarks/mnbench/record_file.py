"""A record as a file: read strictly, since others may have written it; written whole or not at all."""

import json
import os
from typing import Any

from mnbench.record import Record
from mninfer.errors import InputError, ModelFileError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file, write_atomically
from mninfer.model_file import load_json

__all__ = ["encode_record", "read_record", "write_record"]

_MAX_BYTES = 64 << 20


def read_record(path: str | os.PathLike[str]) -> Record:
    """Read a result of ``mnbench run``.

    Raises:
        InputError: it isn't there, is no JSON, or no record; the message says which field is wrong.
    """
    where = os.fspath(path)
    try:
        return Record.from_json(load_json(_read(where), "the file"))
    except ModelFileError as error:
        raise InputError(error.what, where=where, hints=error.hints) from error
    except ValueError as error:  # a cell with 0 threads: well-formed, and senseless
        raise InputError(f"the record is not sound: {error}", where=where) from error
    except InputError as error:
        raise error.at(where) from None


def _read(where: str) -> bytes:
    try:
        return read_regular_file(where, _MAX_BYTES)
    except (NotRegularFileError, FileTooLargeError) as error:
        raise InputError(f"the result can't be read: {error}", where=where) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the result can't be read: {reason}", where=where, hints="mnbench run -o FILE writes one"
        ) from error


def write_record(record: Record, path: str | os.PathLike[str], *, force: bool = False, is_synced: bool = True) -> None:
    """Write ``record`` to ``path``; ``is_synced`` False doesn't wait for the disk. Raise OutputError."""
    write_atomically(path, encode_record(record), force=force, is_synced=is_synced)


def encode_record(record: Record) -> bytes:
    """JSON with an object or a list of numbers to a line: a difference between two versions can be read."""
    return (_encode(record.to_json(), 0) + "\n").encode()


def _encode(value: Any, depth: int) -> str:
    """Nested as deep as it takes for a line to be one small thing."""
    flat = json.dumps(value, ensure_ascii=True, allow_nan=False)
    if len(flat) <= 110 or not isinstance(value, dict | list) or _is_of_numbers(value):
        return flat
    inner = " " * (depth + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_encode(item, depth + 1)}" for key, item in value.items()]
        opening, closing = "{}"
    else:
        items = [_encode(item, depth + 1) for item in value]
        opening, closing = "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{' ' * depth}{closing}"


def _is_of_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, int | float) for item in value)
