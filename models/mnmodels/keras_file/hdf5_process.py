"""The other end of ``hdf5.py``, run as a script in a process of its own: HDF5's C library can die on a damaged file.

In: a request as JSON in argv; on stdin the bytes of a text, if the request has one, and of the file. Out, on stdout:
the length of a JSON header (8 bytes), the header, then what it describes: the arrays one after another, or the
changed file. A refusal is a header too. Nothing but the bytes on stdin is ever opened, and sizes are checked before
anything is allocated.
"""

import io
import json
import math
import re
import sys
from typing import Any

__all__ = [
    "RefusedError",
    "Walk",
    "attribute",
    "brief",
    "checked_size",
    "limit_resources",
    "main",
    "read",
    "set_attribute",
    "text",
]

MAX_DEPTH = 32
MAX_OBJECTS = 50_000
MAX_ATTRIBUTE_BYTES = 32 << 20
MAX_TEXT_BYTES = 64 << 20  # of all attributes together
MAX_CHUNK_BYTES = 256 << 20
MAX_RATIO = 1100  # deflate's best is 1032 to 1
PLAIN_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
OPTIMIZER_GROUPS = ("optimizer_weights", "optimizer")
GIB = 1 << 30


class RefusedError(Exception):
    """What is wrong with the file, in words for its user."""


def main() -> None:
    """Read stdin, do what argv asks, write stdout."""
    request = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    limit_resources(len(data), request)
    out = sys.stdout.buffer
    try:
        header, blocks = set_attribute(data, request) if "attribute" in request else read(data, request)
    except RefusedError as error:
        header, blocks = {"refused": str(error)}, []
    except MemoryError:
        header, blocks = {"refused": "reading it takes more memory than a model of its size can need"}, []
    text = json.dumps(header).encode()
    out.write(len(text).to_bytes(8, "little") + text)
    for block in blocks:
        out.write(memoryview(block).cast("B") if len(block) else b"")
    out.flush()


def limit_resources(size: int, request: dict[str, Any]) -> None:
    """Memory, time and output are bounded by the system too, where it does that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    seconds = int(request["seconds"])
    for kind, limit in (
        (resource.RLIMIT_AS, 1 * GIB + 3 * size),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, int(request["max_bytes"]) + 2 * MAX_TEXT_BYTES + size),
    ):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or limit < hard:
            try:
                resource.setrlimit(kind, (limit, hard))
            except (ValueError, OSError):
                pass  # a system that bounds less


def set_attribute(data: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """The file with one more text attribute on its root; the text comes before the file."""
    import h5py

    size = int(request["text_bytes"])
    file = io.BytesIO(data[size:])
    try:
        with h5py.File(file, "r+") as opened:
            opened.attrs[request["attribute"]] = data[:size].decode()
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise RefusedError(brief(error)) from error
    return {"size": len(file.getvalue())}, [file.getvalue()]


def read(data: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """All groups, their attributes and the arrays; of the root's attributes alone if that is asked."""
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as opened:
            walk = Walk(request)
            walk.group(opened, "", 0)
            return walk.header(), walk.blocks
    except RefusedError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError, ArithmeticError) as error:
        raise RefusedError(brief(error)) from error


def brief(error: Exception) -> str:
    """What HDF5 says, on one line; of a file that is cut off, how much of it is there."""
    said = " ".join(str(error).split())[:300]
    cut = re.search(r"truncated file: eof = (\d+).*stored_eof = (\d+)", said)
    return (
        f"it is cut off, {int(cut[1]):,} of its {int(cut[2]):,} bytes are there" if cut else f"it is damaged ({said})"
    )


class Walk:
    """What has been found so far, and how much of it."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.only_attributes = bool(request["only_attributes"])
        self.bytes_left = int(request["max_bytes"])
        self.text_left = MAX_TEXT_BYTES
        self.num_objects = 0
        self.seen: set[int] = set()
        self.attributes: dict[str, dict[str, Any]] = {}
        self.arrays: list[dict[str, Any]] = []
        self.blocks: list[Any] = []

    def header(self) -> dict[str, Any]:
        return {"attributes": self.attributes, "arrays": self.arrays}

    def group(self, group: Any, path: str, depth: int) -> None:
        """One group and all below it; of a compiled model's optimizer nothing."""
        import h5py

        if depth > MAX_DEPTH:
            raise RefusedError(f"its groups are nested more than {MAX_DEPTH} deep")
        address = h5py.h5o.get_info(group.id).addr
        if address in self.seen:
            raise RefusedError(f'the group "{path}" is there twice: a circle of links')
        self.seen.add(address)
        self.read_attributes(group, path)
        if self.only_attributes:
            return
        for name in group:
            if depth == 0 and name in OPTIMIZER_GROUPS:
                continue
            self.member(group, name, f"{path}/{name}" if path else name, depth)

    def member(self, group: Any, name: str, path: str, depth: int) -> None:
        import h5py

        self.num_objects += 1
        if self.num_objects > MAX_OBJECTS:
            raise RefusedError(f"it has more than {MAX_OBJECTS} groups and datasets")
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise RefusedError(f'"{path}" is a link to another file')
        if not isinstance(link, h5py.HardLink):
            raise RefusedError(f'"{path}" is a soft link, which no Keras file has')
        member = group[name]
        if isinstance(member, h5py.Group):
            self.group(member, path, depth + 1)
        elif isinstance(member, h5py.Dataset):
            self.dataset(member, path)

    def dataset(self, dataset: Any, path: str) -> None:
        import numpy as np

        size = checked_size(dataset, path)
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise RefusedError(f'with "{path}" its arrays take more bytes than are read')
        self.read_attributes(dataset, path)
        array = np.ascontiguousarray(dataset[()])
        if array.nbytes != size:
            raise RefusedError(f'"{path}" has {array.nbytes} bytes, not the {size} that it declares')
        self.arrays.append({"path": path, "dtype": array.dtype.str, "shape": list(dataset.shape)})
        self.blocks.append(array.reshape(-1))

    def read_attributes(self, owner: Any, path: str) -> None:
        found = {}
        for name in owner.attrs:
            self.num_objects += 1
            value = attribute(owner, name, path)
            if value is None:
                continue
            self.text_left -= len(str(value))
            if self.text_left < 0 or self.num_objects > MAX_OBJECTS:
                raise RefusedError("its attributes hold more text than any model needs")
            found[name] = value
        if found:
            self.attributes[path] = found


def checked_size(dataset: Any, path: str) -> int:
    """How many bytes a dataset declares, once it is sure that they are in this file."""
    if dataset.is_virtual or dataset.external:
        raise RefusedError(f'the numbers of "{path}" lie in another file')
    if dataset.shape is None or dataset.dtype.kind not in "fiub" or dataset.dtype.itemsize > 8:
        raise RefusedError(f'"{path}" holds {dataset.dtype}, not numbers')
    if len(dataset.shape) > 8:
        raise RefusedError(f'"{path}" has {len(dataset.shape)} dimensions')
    properties = dataset.id.get_create_plist()
    filters = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    for number in filters:
        if number not in PLAIN_FILTERS:
            raise RefusedError(
                f'"{path}" is packed by the filter {number}; {", ".join(PLAIN_FILTERS.values())} are read'
            )
    size: int = math.prod(dataset.shape) * int(dataset.dtype.itemsize)
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > MAX_CHUNK_BYTES:
        raise RefusedError(f'"{path}" comes in pieces of {dataset.chunks}')
    stored = dataset.id.get_storage_size()
    if size > stored * (MAX_RATIO if filters else 1):
        raise RefusedError(f'"{path}" declares the shape {tuple(dataset.shape)}, of which it holds {stored} bytes')
    return size


def attribute(owner: Any, name: str, path: str) -> Any:
    """A text, a list of texts, a number; None for anything else."""
    import h5py
    import numpy as np

    where = f'the attribute "{name}" of "{path}"'
    identifier = owner.attrs.get_id(name)
    count = math.prod(identifier.shape)
    if count * max(1, identifier.dtype.itemsize) > MAX_ATTRIBUTE_BYTES:
        raise RefusedError(f"{where} has the shape {identifier.shape}")
    if identifier.dtype.kind not in "OSUfiub" or (
        identifier.dtype.kind == "O" and h5py.check_string_dtype(identifier.dtype) is None
    ):
        return None
    value = owner.attrs[name]
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OSU":
            return [text(each) for each in value.reshape(-1)]
        return value.reshape(-1)[:64].tolist()
    return text(value) if isinstance(value, bytes | str) else value.item()


def text(value: Any) -> str:
    """Text as text: Keras wrote bytes, variable and fixed, and both."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
