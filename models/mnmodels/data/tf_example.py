"""A tf.train.Example -> its features, read from the protocol buffer's wire format; no TensorFlow.

example.proto: Example { features = 1 }, Features { map<string, Feature> feature = 1 }, Feature { bytes_list = 1 |
float_list = 2 | int64_list = 3 }, each list { repeated value = 1 }. Only what pictures need is read: bytes and int64.
"""

from collections.abc import Iterator, Mapping

from mninfer.errors import InputError

__all__ = ["read_example"]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_BYTES_LIST, _INT64_LIST = 1, 3

Value = memoryview | int


def read_example(record: memoryview) -> Mapping[str, Value]:
    """The first value of each feature of bytes (a view of the record) or of int64; others are left out.

    >>> bytes(read_example(memoryview(bytes.fromhex("0a0d0a0b0a016112060a040a026869")))["a"])
    b'hi'

    Raises:
        InputError: no such message.
    """
    found: dict[str, Value] = {}
    for features in _messages(record, 1):
        for entry in _messages(features, 1):
            key = next(_messages(entry, 1), None)
            feature = next(_messages(entry, 2), None)
            if key is not None and feature is not None and (value := _first_value(feature)) is not None:
                found[bytes(key).decode("utf-8", "replace")] = value
    return found


def _first_value(feature: memoryview) -> Value | None:
    for number, _, value in _fields(feature):
        if number == _BYTES_LIST and isinstance(value, memoryview):
            return next(_messages(value, 1), None)
        if number == _INT64_LIST and isinstance(value, memoryview):
            return _first_integer(value)
    return None


def _first_integer(values: memoryview) -> int | None:
    """Packed, as all writers do now, or one field to a value."""
    for number, _, value in _fields(values):
        if number == 1:
            integer = value if isinstance(value, int) else _varint(value, 0)[0] if len(value) else None
            return integer - (1 << 64) if integer is not None and integer >> 63 else integer
    return None


def _messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """The length-delimited fields of a number."""
    return (value for found, _, value in _fields(data) if found == number and isinstance(value, memoryview))


def _fields(data: memoryview) -> Iterator[tuple[int, int, Value]]:
    """(number, wire type, value) of each field; those of fixed width are passed over."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, wire, value
            continue
        if wire not in (_FIXED32, _FIXED64, _LENGTH):
            raise _damaged(f"a field of wire type {wire}")
        length, position = (4, position) if wire == _FIXED32 else (8, position)
        if wire == _LENGTH:
            length, position = _varint(data, position)
        if length > len(data) - position:
            raise _damaged(f"a field of {length:,} bytes where {len(data) - position:,} are left")
        if wire == _LENGTH:
            yield tag >> 3, wire, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(_MAX_VARINT_BYTES):
        if position >= len(data):
            raise _damaged("it ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, position
    raise _damaged(f"a number of more than {_MAX_VARINT_BYTES} bytes")


def _damaged(how: str) -> InputError:
    return InputError(f"not a tf.train.Example: {how}")
