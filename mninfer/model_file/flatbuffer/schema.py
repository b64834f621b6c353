"""A flatbuffer's schema as typed data, read from our JSON tables: which tables there are, where their fields lie."""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["SCALARS", "SCALAR_FORMATS", "Field", "Schema", "Table", "load_schema", "read_table"]

Table = dict[str, Any]
"""A decoded table: every scalar (the default where absent), and the strings, vectors and tables that are present.

A vector of uint8 is a memoryview of the data, other scalar vectors are tuples, table vectors are lists. A table that
the schema names but does not list is None where it is present.
"""

SCALAR_FORMATS = {"bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
            "int64": "q", "uint64": "Q", "float32": "f", "float64": "d"}  # fmt: skip
SCALARS = {kind: struct.Struct("<" + code) for kind, code in SCALAR_FORMATS.items()}


@dataclass(frozen=True, slots=True)
class Field:
    """A table's field: its vtable slot, its type as the JSON spells it, its default."""

    name: str
    slot: int
    kind: str
    default: Any


@dataclass(frozen=True, slots=True)
class Schema:
    """A flatbuffer schema, read from JSON."""

    identifier: bytes
    root: str
    tables: Mapping[str, tuple[Field, ...]]
    unions: Mapping[str, tuple[str, ...]]
    enums: Mapping[str, Mapping[str, int]]


def read_table(name: str) -> Any:
    """The JSON in ``schema/``. By path: importlib.resources imports zipfile and what not, 8 ms in all."""
    with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), "schema", f"{name}.json"), "rb") as file:
        return json.load(file)


@cache
def load_schema(name: str) -> Schema:
    """The schema ``tflite`` or ``metadata``."""
    data = read_table(name)
    return Schema(
        identifier=data["identifier"].encode(),
        root=data["root"],
        tables={table: tuple(_field(*row) for row in rows.items()) for table, rows in data["tables"].items()},
        unions={union: tuple(names) for union, names in data["unions"].items()},
        enums=data["enums"],
    )


def _field(name: str, row: list[Any]) -> Field:
    default = row[2] if len(row) > 2 else {"bool": False, "float32": 0.0, "float64": 0.0}.get(row[1], 0)
    return Field(name, row[0], row[1], default if row[1] in SCALARS else None)
