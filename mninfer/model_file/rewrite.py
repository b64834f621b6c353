"""Put metadata entries into a flatbuffer and take others out, leaving everything else as it is.

The file is decoded, edited and encoded again (``model_table.py``).
"""

from collections.abc import Collection, Iterator, Mapping

from mninfer.model_file.flatbuffer import Table
from mninfer.model_file.model_table import decode_model, encode_model

__all__ = ["remove_metadata", "replace_metadata"]


def replace_metadata(flatbuffer: bytes, entries: Mapping[str, bytes]) -> bytes:
    """The flatbuffer with exactly these contents under these names; metadata of other names stays.

    Doing it twice gives the same bytes as doing it once.

    Raises:
        UnsupportedModelError: the file holds something that would be lost; lists all of it.
    """
    root = decode_model(flatbuffer)
    _remove_entries(root, entries.keys())
    buffers = root.setdefault("buffers", [])
    for name, content in entries.items():
        buffers.append({"data": content})
        root.setdefault("metadata", []).append({"name": name, "buffer": len(buffers) - 1})
    return encode_model(root)


def remove_metadata(flatbuffer: bytes, names: Collection[str]) -> bytes:
    """The flatbuffer without the metadata of these names; as it is, byte by byte, where it has none."""
    root = decode_model(flatbuffer)
    if not any(entry.get("name") in names for entry in root.get("metadata", [])):
        return flatbuffer
    _remove_entries(root, names)
    return encode_model(root)


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
