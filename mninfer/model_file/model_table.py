"""A model file's flatbuffer as a table that can be changed, and back: for whoever overwrites weights or metadata.

What our schema table cannot carry over is refused, never dropped.
"""

from collections.abc import Iterator
from typing import Any

from mninfer.errors import UnsupportedModelError
from mninfer.model_file.flatbuffer import Schema, Table, decode, encode, load_schema

__all__ = ["decode_model", "encode_model"]


def decode_model(flatbuffer: bytes) -> Table:
    """The Model table of schema.fbs as plain dictionaries, to be changed and encoded again; no archive behind it.

    Raises:
        UnsupportedModelError: the file holds something that would be lost; lists all of it.
    """
    schema = load_schema("tflite")
    root = decode(flatbuffer, schema)
    lost = [*_not_carried(root, schema, schema.root), *_outside_tables(root)]
    if lost:
        raise UnsupportedModelError(
            f"the file cannot be rewritten without losing {lost[0]}" + (f" and {len(lost) - 1} more" * (len(lost) > 1)),
            offenders=lost,
            hints="convert the model again with mnconvert, which writes the contract itself",
        )
    return root


def encode_model(root: Table) -> bytes:
    """The flatbuffer for a Model table. Equal tables give equal bytes; ``check_model`` says whether they make sense."""
    return encode(root, load_schema("tflite"))


def _not_carried(table: Table, schema: Schema, kind: str) -> Iterator[str]:
    """What ``decode`` saw but could not read: options of unlisted operators, unlisted tables, broken text."""
    for field in schema.tables[kind]:
        value = table.get(field.name)
        if field.kind.startswith("union:"):
            names = schema.unions.get(field.kind.removeprefix("union:"), ())
            which = table[f"{field.name}_type"]
            name = names[which] if which < len(names) else f"member {which}"
            if value is not None:
                yield from _not_carried(value, schema, name)
            elif which:
                yield f"{kind}.{field.name}: {name}"
        elif value is None and field.name in table:
            yield f"{kind}.{field.name}"
        elif field.kind == "string":
            if value and "\ufffd" in value:
                yield f"{kind}.{field.name}: text that is not UTF-8"
        elif value is not None:
            yield from _not_carried_in(value, schema, field.kind)


def _not_carried_in(value: Any, schema: Schema, kind: str) -> Iterator[str]:
    inner = kind.strip("[]")
    if inner not in schema.tables:
        return
    for item in value if kind.startswith("[") else [value]:
        if item is None:
            yield inner
        else:
            yield from _not_carried(item, schema, inner)


def _outside_tables(root: Table) -> Iterator[str]:
    """Bytes that the tables point to by file offset: rewriting would move them."""
    for index, buffer in enumerate(root.get("buffers", [])):
        if buffer["offset"] > 1:
            yield f"buffer {index}, which lies outside the flatbuffer's tables"
    for subgraph in root.get("subgraphs", []):
        for index, operator in enumerate(subgraph.get("operators", [])):
            if operator["large_custom_options_offset"] > 1:
                yield f"the options of operator {index}, which lie outside the flatbuffer's tables"
