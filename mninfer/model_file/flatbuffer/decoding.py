"""Untrusted bytes to plain dictionaries: every offset, vtable and vector is checked against the end of the data."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mninfer.errors import ModelFileError
from mninfer.model_file.flatbuffer.schema import SCALAR_FORMATS, SCALARS, Field, Schema, Table

__all__ = ["decode"]

MAX_TABLES = 100_000  # bounds the work on hostile data that points at one table many times
MAX_ELEMENTS = 4_000_000  # the same for vectors; the byte vectors are views and cost nothing
_WIDE = {kind for kind, scalar in SCALARS.items() if scalar.size == 8}
_INT32 = struct.Struct("<i")
_UOFFSET = struct.Struct("<I")
_VTABLE_HEAD = struct.Struct("<HH")


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


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the tables of one vtable are read: ``inline`` takes scalars and offsets at once, ``offsets`` are followed."""

    size: int
    defaults: Table
    names: tuple[str, ...]
    inline: struct.Struct
    offsets: tuple[tuple[str, int, Callable[[int], Any] | None], ...]  # field, where, reader; None for a union
    unions: Mapping[str, str]
    wide: tuple[int, ...]  # where the values of 8 bytes lie: a table itself is aligned to 4 only


class _Decoder:
    def __init__(self, data: bytes, schema: Schema) -> None:
        self.data = data
        self.view = memoryview(data)
        self.size = len(data)
        self.last = self.size - 4  # where an offset may still lead: something of 4 bytes must be there
        self.schema = schema
        self.tables_left = MAX_TABLES
        self.elements_left = MAX_ELEMENTS
        self.layouts: dict[tuple[str, int], _Layout] = {}
        self.readers: dict[str, Callable[[int], Any]] = {"string": self.string, "[uint8]": self.bytes}

    def table(self, name: str, position: int) -> Table:
        self.tables_left -= 1
        if self.tables_left < 0:
            raise _DamageError(f"more than {MAX_TABLES} tables")
        if position % 4 or not 4 <= position <= self.size - 4:
            raise _DamageError(f"table at byte {position} of {self.size}")
        vtable = position - int(_INT32.unpack_from(self.data, position)[0])
        layout = self.layouts.get((name, vtable))
        if layout is None:
            layout = self.layouts[name, vtable] = self.layout(name, vtable)
        if position + layout.size > self.size:
            raise _DamageError(f"table of {layout.size} bytes at byte {position} of {self.size}")
        for offset in layout.wide:
            if (position + offset) % 8:
                raise _DamageError(f"value of 8 bytes at byte {position + offset}")
        result = layout.defaults.copy()
        result.update(zip(layout.names, layout.inline.unpack_from(self.data, position), strict=True))
        field = name
        try:
            for field, offset, read in layout.offsets:
                target = position + offset + result[field]
                if target > self.last or target & 3 or not result[field]:
                    raise self.astray(target)
                if read:
                    result[field] = read(target)
                elif (member := self.union(layout.unions[field], result[f"{field}_type"], target)) is not None:
                    result[field] = member
                else:
                    del result[field]
        except _DamageError as error:
            error.path.append(f".{field}")
            raise
        return result

    def layout(self, name: str, vtable: int) -> _Layout:
        """What the vtable at this position says of a table of this name."""
        if vtable % 2 or not 0 <= vtable <= self.size - 4:
            raise _DamageError(f"vtable at byte {vtable} of {self.size}")
        vtable_size, table_size = _VTABLE_HEAD.unpack_from(self.data, vtable)
        if vtable_size < 4 or vtable_size % 2 or vtable + vtable_size > self.size or table_size < 4:
            raise _DamageError(f"vtable of {vtable_size} bytes at byte {vtable} of {self.size}")
        where = dict(enumerate(struct.unpack_from(f"<{vtable_size // 2 - 2}H", self.data, vtable + 4)))
        fields = self.schema.tables[name]
        present = [(field, where.pop((field.slot - 4) // 2, 0)) for field in fields]
        if any(where.values()):
            raise _DamageError(
                f"a field of {name} that schema {self.schema.identifier.decode()} of this mnkit does not know"
            )
        return self.new_layout(table_size, present)

    def new_layout(self, table_size: int, present: list[tuple[Field, int]]) -> _Layout:
        """The layout of a table in which each field lies at its offset, 0 where absent."""
        code, end = "<4x", 4
        inline = sorted(((field, offset) for field, offset in present if offset), key=lambda pair: pair[1])
        for field, offset in inline:
            form = SCALAR_FORMATS.get(field.kind, "I")
            size = struct.calcsize("<" + form)
            if offset < end or offset + size > table_size:
                raise _DamageError(
                    f"the field {field.name} lies outside its table of {table_size} bytes, or on another field"
                )
            if offset % min(size, 4):
                raise _DamageError(f"the field {field.name} is not aligned")
            code += f"{offset - end}x{form}"
            end = offset + size
        return _Layout(
            size=table_size,
            defaults={field.name: field.default for field, offset in present if not offset and field.kind in SCALARS},
            names=tuple(field.name for field, _ in inline),
            inline=struct.Struct(code),
            offsets=tuple(
                (field.name, offset, None if field.kind.startswith("union:") else self.reader(field.kind))
                for field, offset in inline
                if field.kind not in SCALARS
            ),
            unions={
                field.name: field.kind.removeprefix("union:") for field, _ in inline if field.kind.startswith("union:")
            },
            wide=tuple(offset for field, offset in inline if field.kind in _WIDE),
        )

    def union(self, union: str, which: int, target: int) -> Table | None:
        """The member of this number; None for one that this schema does not list."""
        names = self.schema.unions.get(union, ())
        result: Table | None = self.reader(names[which])(target) if which < len(names) else None
        return result

    def astray(self, target: int) -> _DamageError:
        return _DamageError(f"points to byte {target} of {self.size}")

    def reader(self, kind: str) -> Callable[[int], Any]:
        """The function that reads a value of this kind at its position."""
        found = self.readers.get(kind)
        if found is None:
            found = self.readers[kind] = self.new_reader(kind)
        return found

    def new_reader(self, kind: str) -> Callable[[int], Any]:
        if not kind.startswith("["):
            return partial(self.table, kind) if kind in self.schema.tables else _nothing
        inner = kind[1:-1]
        return partial(self.scalars, inner) if inner in SCALARS else partial(self.elements, self.reader(inner))

    def bytes(self, target: int) -> memoryview:
        start = target + 4
        length = _UOFFSET.unpack_from(self.data, target)[0]
        self.bounds(start, length)
        return self.view[start : start + length]

    def scalars(self, kind: str, target: int) -> tuple[Any, ...]:
        start = target + 4
        length = _UOFFSET.unpack_from(self.data, target)[0]
        size = SCALARS[kind].size
        if start + length * size > self.size or start % size:
            raise _DamageError(f"{length} values of {kind} from byte {start} of {self.size}")
        self.elements_left -= length
        if self.elements_left < 0:
            raise _DamageError(f"more than {MAX_ELEMENTS} values")
        return struct.unpack_from(f"<{length}{SCALAR_FORMATS[kind]}", self.data, start)

    def elements(self, read: Callable[[int], Any], target: int) -> list[Any]:
        """A vector of tables, strings or vectors."""
        values: list[Any] = []
        try:
            place = target
            for offset in self.scalars("uint32", target):
                place += 4
                if place + offset > self.last or offset & 3 or not offset:
                    raise self.astray(place + offset)
                values.append(read(place + offset))
        except _DamageError as error:
            error.path.append(f"[{len(values)}]")
            raise
        return values

    def string(self, target: int) -> str:
        """The runtime reads strings as C does, so the zero behind the last byte must be there."""
        start = target + 4
        length = _UOFFSET.unpack_from(self.data, target)[0]
        self.bounds(start, length + 1)
        self.elements_left -= length
        if self.elements_left < 0:
            raise _DamageError(f"more than {MAX_ELEMENTS} values")
        if self.data[start + length]:
            raise _DamageError(f"the string at byte {target} does not end in a zero")
        return self.data[start : start + length].decode("utf-8", "replace")

    def bounds(self, start: int, num_bytes: int) -> None:
        if start + num_bytes > self.size:
            raise _DamageError(f"{num_bytes} bytes from byte {start}, the file has {self.size}")


def _nothing(_target: int) -> None:
    """Read a table that the schema does not list."""
