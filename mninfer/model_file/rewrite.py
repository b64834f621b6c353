"""Put metadata entries into a flatbuffer and take others out, leaving everything else as it is.

The file is decoded, edited and encoded again. What our schema table cannot carry over is refused, never dropped.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mninfer.errors import UnsupportedModelError
from mninfer.model_file.flatbuffer import Schema, Table, decode, encode, load_schema

__all__ = ["decode_whole", "replace_metadata"]


def replace_metadata(flatbuffer: bytes, entries: Mapping[str, bytes]) -> bytes:
    """The flatbuffer with exactly these contents under these names; metadata of other names stays.

    Doing it twice gives the same bytes as doing it once.

    Raises:
        UnsupportedModelError: the file holds something that would be lost; lists all of it.
    """
    root = decode_whole(flatbuffer)
    _remove_entries(root, entries.keys())
    buffers = root.setdefault("buffers", [])
    for name, content in entries.items():
        buffers.append({"data": content})
        root.setdefault("metadata", []).append({"name": name, "buffer": len(buffers) - 1})
    return encode(root, load_schema("tflite"))


def decode_whole(flatbuffer: bytes) -> Table:
    """The Model table, to be changed and encoded again.

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


def _remove_entries(root: Table, names: Collection[str]) -> None:
    """Drop metadata of these names, and their buffers where nothing else refers to them."""
    entries = root.get("metadata", [])
    dropped = [entry for entry in entries if entry.get("name") in names]
    root["metadata"] = [entry for entry in entries if entry.get("name") not in names]
    needed = {0, *_buffer_references(root)}  # buffer 0 is the empty one by convention
    unneeded = {entry["buffer"] for entry in dropped} - needed
    if unneeded:
        _renumber_buffers(root, unneeded)


def _buffer_references(root: Table) -> Iterator[int]:
    for subgraph in root.get("subgraphs", []):
        for tensor in subgraph.get("tensors", []):
            yield tensor["buffer"]
    for entry in root["metadata"]:
        yield entry["buffer"]
    yield from root.get("metadata_buffer", ())


def _renumber_buffers(root: Table, unneeded: Collection[int]) -> None:
    kept = [index for index in range(len(root["buffers"])) if index not in unneeded]
    number = {old: new for new, old in enumerate(kept)}
    root["buffers"] = [root["buffers"][index] for index in kept]
    for subgraph in root.get("subgraphs", []):
        for tensor in subgraph.get("tensors", []):
            tensor["buffer"] = number[tensor["buffer"]]
    for entry in root["metadata"]:
        entry["buffer"] = number[entry["buffer"]]
    if "metadata_buffer" in root:
        root["metadata_buffer"] = tuple(number[index] for index in root["metadata_buffer"])
