"""Plain dictionaries to bytes: the inverse of decoding, by the flatbuffers package."""

from typing import Any

from mninfer.errors import MissingDependencyError
from mninfer.model_file.flatbuffer.schema import SCALARS, Field, Schema, Table

__all__ = ["encode"]


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
        if field.kind not in SCALARS and table.get(field.name) is not None
    }
    builder.StartObject(max((field.slot for field in fields), default=2) // 2 - 1)
    for field in fields:
        index = (field.slot - 4) // 2
        if field.name in children:
            builder.PrependUOffsetTRelativeSlot(index, children[field.name], 0)
        elif field.kind in SCALARS:
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
    if inner in SCALARS:
        prepend = getattr(builder, f"Prepend{inner.capitalize()}")
        size = SCALARS[inner].size
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
