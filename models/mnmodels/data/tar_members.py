"""The files of a tar archive, one after the other, from a stream: nothing is written, a link to a picture is refused.

Reads what tar programs write: ustar, GNU's long names, POSIX's extended headers. Everything is bounded before it is
read, which ``tarfile`` does not do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mninfer.errors import InputError
from mnmodels.data.unpacking import Unpacked

__all__ = ["MAX_MEMBERS", "MAX_MEMBER_BYTES", "check_name", "read_tar"]

BLOCK_BYTES = 512
MAX_MEMBERS = 20_000_000  # ImageNet-21k has 14 million pictures
MAX_MEMBER_BYTES = 512 << 20  # as mninfer.images reads
MAX_HEADER_BYTES = 64 << 10  # of a long name or an extended header
_FILE_TYPES = (b"0", b"\0", b"7")
_LINK_TYPES = (b"1", b"2")
_MAX_DIGITS = 20  # of a size


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    size: int
    kind: bytes


def read_tar(stream: Unpacked, *, where: str, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each regular file whose name is wanted, in the archive's order.

    Raises:
        InputError: not a tar archive, damaged, cut off, beyond a bound, with a name that leads out of it, or with a
            link that is wanted.
    """
    extended: dict[str, str] = {}
    for number in range(MAX_MEMBERS):
        block = stream.read(BLOCK_BYTES)
        if block and not any(block):  # the mark of the end
            stream.finish()
            return
        if not block and number:
            raise InputError("the archive is cut off: it has no end", where=where, hints="copy or download it again")
        header = _read_header(block, where, number)
        if header.kind in (b"L", b"x"):
            extended |= _extended(_content(stream, header, MAX_HEADER_BYTES, where), header.kind)
            continue
        if header.kind in (b"g", b"K"):  # of the whole archive; a link's long target
            _skip(stream, header, where)
            continue
        header, extended = _overruled(header, extended, where), {}
        check_name(header.name, where)
        if header.kind in _FILE_TYPES and is_wanted(header.name):
            yield header.name, _content(stream, header, MAX_MEMBER_BYTES, where)
        elif header.kind in _LINK_TYPES and is_wanted(header.name):
            raise _link(header, where)
        else:
            _skip(stream, header, where)
    raise InputError(f"the archive has more than {MAX_MEMBERS:,} members", where=where)


def check_name(name: str, where: str) -> None:
    """Refuse a member that would lie outside of the archive's own folder, wherever that is unpacked."""
    if name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name:
        raise InputError(f'the archive has a member "{name}", which leads out of its folder', where=where)


def _read_header(block: bytes, where: str, number: int) -> _Header:
    try:
        if len(block) < BLOCK_BYTES or _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 0x20:
            raise ValueError("its checksum is wrong")
        size = _number(block[124:136])
        if size < 0:
            raise ValueError(f"its size is {size}")
    except ValueError as error:
        if number == 0:
            raise InputError("not a tar archive", where=where) from error
        raise InputError(f"member {number} of the archive is damaged: {error}", where=where) from error
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = f"{prefix}/{name}"
    return _Header(name, size, block[156:157])


def _number(field: bytes) -> int:
    """Octal digits, or (GNU) binary where the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(field, "big") - (0x80 << 8 * (len(field) - 1)) if field[0] == 0x80 else -1
    return int(field.strip(b" \0") or b"0", 8)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _extended(content: bytes, kind: bytes) -> dict[str, str]:
    r"""What follows for the next member: GNU's long name, or POSIX's records "LENGTH KEY=VALUE\n"."""
    if kind == b"L":
        return {"path": _text(content)}
    records, position = {}, 0
    while position < len(content):
        length, blank, _ = content[position : position + 20].partition(b" ")
        if not blank or not length.isdigit() or not (end := position + int(length)) > position + len(length) + 1:
            break
        key, _, value = content[position + len(length) + 1 : end - 1].partition(b"=")
        records[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        position = end
    return records


def _overruled(header: _Header, extended: dict[str, str], where: str) -> _Header:
    size = extended.get("size", "")
    if len(size) > _MAX_DIGITS:
        raise InputError(f'"{header.name}" has a size of {len(size):,} digits', where=where)
    if any(key.startswith("GNU.sparse") for key in extended):
        raise InputError(f'"{header.name}" is a sparse file, which a picture is not', where=where)
    name = extended.get("path", header.name).removeprefix("./")  # as "tar c ." writes
    return _Header(name, int(size) if size.isdecimal() else header.size, header.kind)


def _link(header: _Header, where: str) -> InputError:
    """A picture that is there as a link alone would be missing without a word."""
    return InputError(
        f'"{header.name}" is a link in the archive, which is not followed', where=where,
        hints=("unpack it, and give the folder", "pack it again with tar --dereference --hard-dereference"),
    )  # fmt: skip


def _content(stream: Unpacked, header: _Header, max_bytes: int, where: str) -> bytes:
    if header.size > max_bytes:
        raise InputError(f'"{header.name}" has {header.size:,} bytes; at most {max_bytes:,} are read', where=where)
    content = stream.read(header.size)
    padding = -header.size % BLOCK_BYTES
    if len(content) < header.size or len(stream.read(padding)) < padding:
        raise _cut_off(header, where)
    return content


def _skip(stream: Unpacked, header: _Header, where: str) -> None:
    padded = header.size + -header.size % BLOCK_BYTES
    if stream.skip(padded) < padded:
        raise _cut_off(header, where)


def _cut_off(header: _Header, where: str) -> InputError:
    return InputError(f'the archive ends within "{header.name}"', where=where, hints="copy or download it again")
