"""How records become lines of a file: CSV or JSON lines. Encoding, and finding where a file that was cut off is whole.

A *record* is one picture's JSON dict, with "image" and either results or "error". In CSV it may take several rows.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from mninfer.cli.output import finite

__all__ = ["CsvFormat", "Done", "JsonlFormat", "RecordFormat", "image_key", "record_format"]

Record = dict[str, Any]
_QUOTED = frozenset(',"\r\n')

Rows = Callable[[Record], Sequence[Sequence[object]]]


def image_key(image: str) -> str:
    r"""An image's name as files spell it: a byte that is not UTF-8 becomes ``\udcNN``, as in JSON."""
    return image.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class Done:
    """One picture that a cut-off file already has: from byte ``begin`` on, with its error if it had one."""

    begin: int
    image: str
    error: str | None


class RecordFormat(Protocol):
    """What ``RecordFile`` needs of a format."""

    header: bytes

    def encode(self, record: Record) -> bytes: ...

    def read(self, file: BinaryIO) -> Iterator[Done]: ...


class JsonlFormat:
    """A JSON object to a line."""

    header = b""

    def encode(self, record: Record) -> bytes:
        return json.dumps(finite(record)).encode() + b"\n"

    def read(self, file: BinaryIO) -> Iterator[Done]:
        """The pictures in ``file``; a torn last line is left out. ValueError where a line is not a record."""
        begin = 0
        for line in file:
            if not line.endswith(b"\n"):
                return
            record = json.loads(line)
            if not isinstance(record, dict) or not isinstance(record.get("image"), str):
                raise ValueError("not a record")  # noqa: TRY004
            yield Done(begin, image_key(record["image"]), record.get("error"))
            begin += len(line)


class CsvFormat:
    """The first column is the image, the last one the error; ``rows`` makes the columns between from a record."""

    def __init__(self, columns: Sequence[str], rows: Rows) -> None:
        self._columns = ("image", *columns, "error")
        self._rows = rows
        self.header = self._lines([self._columns])

    def encode(self, record: Record) -> bytes:
        if "error" in record:
            return self._lines([self._padded(record["image"], (), record["error"])])
        rows = self._rows(record) or [()]  # a picture without results still has its line: it was done
        return self._lines([self._padded(record["image"], row, "") for row in rows])

    def _padded(self, image: str, row: Sequence[object], error: str) -> list[object]:
        blanks = len(self._columns) - 2 - len(row)
        return [image, *row, *[""] * blanks, error]

    @staticmethod
    def _lines(rows: Sequence[Sequence[object]]) -> bytes:
        text = "".join(",".join(map(_cell, row)) + "\n" for row in rows)
        return text.encode("utf-8", "backslashreplace")

    def read(self, file: BinaryIO) -> Iterator[Done]:
        """The pictures in ``file``; rows that are torn are left out. ValueError where a row does not fit the header."""
        begin, previous = 0, None
        for line in _csv_records(file):
            row = _cells(line)
            if len(row) != len(self._columns) or (begin == 0 and line != self.header):
                raise ValueError("not a row of this file")
            if begin and row[0] != previous:
                previous = row[0]
                yield Done(begin, row[0], row[-1] or None)
            begin += len(line)


def record_format(name: str, columns: Sequence[str], rows: Rows) -> RecordFormat:
    """How NAME's lines are written; a parquet file is CSV until it is complete."""
    return JsonlFormat() if name.endswith(".jsonl") else CsvFormat(columns, rows)


def _cell(value: object) -> str:
    """RFC 4180. The csv module's writer leaves a lone carriage return bare, which its reader then refuses."""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if _QUOTED.intersection(text) else text


def _cells(line: bytes) -> list[str]:
    import csv

    try:
        return next(csv.reader([line.decode()], strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _csv_records(file: BinaryIO) -> Iterator[bytes]:
    """Lines, joined where a quoted field holds a line break; an incomplete last one is dropped."""
    record = b""
    for line in file:
        record += line
        if record.endswith(b"\n") and record.count(b'"') % 2 == 0:
            yield record
            record = b""
