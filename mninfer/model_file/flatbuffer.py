"""Read and write any flatbuffer whose schema is one of our JSON tables.

``decode`` turns untrusted bytes into plain dictionaries, checking every offset, vtable and vector against the end of the
data; ``encode`` is its inverse. Neither knows what the fields mean: that is ``graph.py`` and ``metadata.py``.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mninfer.errors import MissingDependencyError, ModelFileError

__all__ = ["Schema", "Table", "decode", "encode", "load_schema"]

Table = dict[str, Any]
"""A decoded table: every scalar (the default where absent), and the strings, vectors and tables that are present.

A vector of uint8 is a memoryview of the data, other scalar vectors are tuples, table vectors are lists.
"""

MAX_TABLES = 400_000  # bounds the work on hostile data that points at one table many times
MAX_ELEMENTS = 16_000_000  # the same for vectors; the byte vectors are views and cost nothing
_FORMATS = {"bool": "?", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
            "int64": "q", "uint64": "Q", "float32": "f", "float64": "d"}  # fmt: skip
_SCALARS = {kind: struct.Struct("<" + code) for kind, code in _FORMATS.items()}
_UOFFSET = struct.Struct("<I")
_VTABLE_HEAD = struct.Struct("<HH")


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


@cache
def load_schema(name: str) -> Schema:
    """The schema ``tflite`` or ``metadata``."""
    data = json.loads(files("mninfer.model_file").joinpath("schema", f"{name}.json").read_bytes())
    return Schema(
        identifier=data["identifier"].encode(),
        root=data["root"],
        tables={table: tuple(_field(*row) for row in rows.items()) for table, rows in data["tables"].items()},
        unions={union: tuple(names) for union, names in data["unions"].items()},
        enums=data["enums"],
    )


def _field(name: str, row: list[Any]) -> Field:
    default = row[2] if len(row) > 2 else {"bool": False, "float32": 0.0, "float64": 0.0}.get(row[1], 0)
    return Field(name, row[0], row[1], default if row[1] in _SCALARS else None)


class _DamageError(Exception):
    """Something points outside the data; ``path`` grows while the error climbs up to the root."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.path: list[str] = []

    def located(self) -> str:
        return "".join(reversed(self.path)).lstrip(".")


def decode(data: bytes, schema: Schema) -> Table:
    """Decode the root table. Raise ModelFileError naming the field that points outside ``data``."""
    if len(data) < 8:
        raise ModelFileError(f"the file is {len(data)} bytes long, too short for a flatbuffer")
    try:
        return _Decoder(data, schema).table(schema.root, _UOFFSET.unpack_from(data)[0])
    except _DamageError as error:
        place = error.located() or "the root table"
        raise ModelFileError(
            f"the file is damaged or truncated: {place}: {error.what}",
            hints="copy or download the file again; if it was made here, write it again",
        ) from None


class _Decoder:
    def __init__(self, data: bytes, schema: Schema) -> None:
        self.data = data
        self.view = memoryview(data)
        self.size = len(data)
        self.schema = schema
        self.tables_left = MAX_TABLES
        self.elements_left = MAX_ELEMENTS
        self.layouts: dict[tuple[str, int], list[tuple[Field, int]]] = {}

    def table(self, name: str, position: int) -> Table:
        self.tables_left -= 1
        if self.tables_left < 0:
            raise _DamageError(f"more than {MAX_TABLES} tables")
        if position % 4 or not 4 <= position <= self.size - 4:
            raise _DamageError(f"table at byte {position} of {self.size}")
        vtable = position - int(_SCALARS["int32"].unpack_from(self.data, position)[0])
        layout = self.layouts.get((name, vtable))
        if layout is None:
            layout = self.layouts[name, vtable] = self.layout(name, vtable)
        result: Table = {}
        for field, offset in layout:
            scalar = _SCALARS.get(field.kind)
            if not offset:
                if scalar:
                    result[field.name] = field.default
                continue
            try:
                if scalar:
                    result[field.name] = self.scalar(scalar, position + offset)
                elif field.kind.startswith("union:"):
                    member = self.union(field, result, position + offset)
                    if member is not None:
                        result[field.name] = member
                else:
                    result[field.name] = self.value(field.kind, self.target(position + offset))
            except _DamageError as error:
                error.path.append("." + field.name)
                raise
        return result

    def layout(self, name: str, vtable: int) -> list[tuple[Field, int]]:
        """(field, offset in the table, 0 where absent) for the vtable at this position."""
        if vtable % 2 or not 0 <= vtable <= self.size - 4:
            raise _DamageError(f"vtable at byte {vtable} of {self.size}")
        vtable_size, table_size = _VTABLE_HEAD.unpack_from(self.data, vtable)
        if vtable_size < 4 or vtable_size % 2 or vtable + vtable_size > self.size:
            raise _DamageError(f"vtable of {vtable_size} bytes at byte {vtable} of {self.size}")
        offsets = struct.unpack_from(f"<{vtable_size // 2 - 2}H", self.data, vtable + 4)
        if any(offset and not 4 <= offset < table_size for offset in offsets):
            raise _DamageError(f"a field lies outside its table of {table_size} bytes")
        fields = self.schema.tables[name]
        known = {field.slot for field in fields}
        if any(offset and 4 + 2 * i not in known for i, offset in enumerate(offsets)):
            raise _DamageError(f"a field of {name} that schema {self.schema.identifier.decode()} of this mnkit does not know")
        return [(field, offsets[(field.slot - 4) // 2] if field.slot < vtable_size else 0) for field in fields]

    def scalar(self, scalar: struct.Struct, position: int) -> Any:
        if position % scalar.size or position + scalar.size > self.size:
            raise _DamageError(f"value at byte {position} of {self.size}")
        return scalar.unpack_from(self.data, position)[0]

    def target(self, position: int) -> int:
        if position % 4 or position + 4 > self.size:
            raise _DamageError(f"offset at byte {position} of {self.size}")
        target = position + int(_UOFFSET.unpack_from(self.data, position)[0])
        if target == position or target > self.size - 4:
            raise _DamageError(f"points to byte {target} of {self.size}")
        return target

    def union(self, field: Field, so_far: Table, position: int) -> Table | None:
        """The member that the type field before it names; None for members this schema does not list."""
        names = self.schema.unions[field.kind.removeprefix("union:")]
        which = so_far.get(f"{field.name}_type", 0)
        name = names[which] if which < len(names) else ""
        target = self.target(position)
        return self.table(name, target) if name in self.schema.tables else None

    def value(self, kind: str, target: int) -> Any:
        if kind == "string":
            return self.string(target)
        if not kind.startswith("["):
            return self.table(kind, target) if kind in self.schema.tables else None
        inner = kind[1:-1]
        length = _UOFFSET.unpack_from(self.data, target)[0]
        start = target + 4
        if inner == "uint8":
            self.bounds(start, length)
            return self.view[start : start + length]
        if scalar := _SCALARS.get(inner):
            self.bounds(start, length * scalar.size)
            if start % scalar.size:
                raise _DamageError(f"vector of {inner} at byte {start}")
            self.count(length)
            return struct.unpack_from(f"<{length}{_FORMATS[inner]}", self.data, start)
        self.bounds(start, length * 4)
        self.count(length)
        return [self.element(inner, start + 4 * i, i) for i in range(length)]

    def element(self, kind: str, position: int, index: int) -> Any:
        try:
            return self.value(kind, self.target(position))
        except _DamageError as error:
            error.path.append(f"[{index}]")
            raise

    def string(self, target: int) -> str:
        length = _UOFFSET.unpack_from(self.data, target)[0]
        self.bounds(target + 4, length)
        self.count(length)
        return bytes(self.view[target + 4 : target + 4 + length]).decode("utf-8", "replace")

    def bounds(self, start: int, num_bytes: int) -> None:
        if start + num_bytes > self.size:
            raise _DamageError(f"{num_bytes} bytes from byte {start}, the file has {self.size}")

    def count(self, num_elements: int) -> None:
        self.elements_left -= num_elements
        if self.elements_left < 0:
            raise _DamageError(f"more than {MAX_ELEMENTS} values")


def encode(root: Table, schema: Schema) -> bytes:
    """Encode the root table; ``decode`` gives the same dictionaries back.

    Equal dictionaries give equal bytes. Byte vectors are aligned to 16, as TFLite's buffers demand.
    """
    builder = _new_builder(schema)
    position = _encode_table(builder, schema, schema.root, root)
    builder.Finish(position, schema.identifier)
    return bytes(builder.Output())


def _new_builder(schema: Schema) -> Any:
    try:
        import flatbuffers
    except ImportError:
        raise MissingDependencyError(
            "writing a model file needs the flatbuffers package", hints="python -m pip install flatbuffers"
        ) from None
    return flatbuffers.Builder(1024)


def _encode_table(builder: Any, schema: Schema, name: str, table: Table) -> int:
    fields = schema.tables[name]
    unknown = sorted(set(table) - {field.name for field in fields})
    if unknown:
        raise ValueError(f"{name} has no field {unknown[0]!r}; it has {', '.join(field.name for field in fields)}")
    children = {
        field.name: _encode_child(builder, schema, field, table)
        for field in fields
        if field.kind not in _SCALARS and table.get(field.name) is not None
    }
    builder.StartObject(max((field.slot for field in fields), default=2) // 2 - 1)
    for field in fields:
        index = (field.slot - 4) // 2
        if field.name in children:
            builder.PrependUOffsetTRelativeSlot(index, children[field.name], 0)
        elif field.kind in _SCALARS:
            _prepend_scalar(builder, field, index, table.get(field.name, field.default))
    return int(builder.EndObject())


def _prepend_scalar(builder: Any, field: Field, index: int, value: Any) -> None:
    suffix = field.kind.capitalize()
    getattr(builder, f"Prepend{suffix}Slot")(index, value, field.default)


def _encode_child(builder: Any, schema: Schema, field: Field, table: Table) -> int:
    value = table[field.name]
    kind = field.kind
    if kind.startswith("union:"):
        kind = schema.unions[kind.removeprefix("union:")][table[f"{field.name}_type"]]
    return _encode_value(builder, schema, kind, value)


def _encode_value(builder: Any, schema: Schema, kind: str, value: Any) -> int:
    if kind == "string":
        return int(builder.CreateString(value))
    if kind == "[uint8]":
        return _encode_bytes(builder, memoryview(value).cast("B") if not isinstance(value, bytes) else value)
    if not kind.startswith("["):
        return _encode_table(builder, schema, kind, value)
    inner = kind[1:-1]
    if inner in _SCALARS:
        prepend = getattr(builder, f"Prepend{inner.capitalize()}")
        size = _SCALARS[inner].size
        items = value
    else:
        prepend = builder.PrependUOffsetTRelative
        size = 4
        items = [_encode_value(builder, schema, inner, item) for item in value]
    builder.StartVector(size, len(items), size)
    for item in reversed(items):
        prepend(item)
    return int(builder.EndVector())


def _encode_bytes(builder: Any, value: Any) -> int:
    """A byte vector at an address divisible by 16, copied in one go."""
    builder.StartVector(1, len(value), 16)
    builder.head = builder.Head() - len(value)
    builder.Bytes[builder.Head() : builder.Head() + len(value)] = value
    return int(builder.EndVector())
