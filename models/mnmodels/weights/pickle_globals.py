"""The few names that a pickle may call here, each played by a function of ours that allocates nothing on its word.

NumPy pickles an array as a call that makes an empty one and a state that fills it: the empty one is ``Pending`` until
its state has come, and a shape counts only where exactly so many bytes came with it.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["ADMITTED", "Admitted", "Pending", "PickleRefusal", "as_key", "built"]

_MAX_DIMENSIONS = 32
_MAX_ELEMENTS = 1 << 40  # of the dimensions that are not zero: NumPy counts in 63 bits
_DTYPE = re.compile(r"[<>=|]?(?:\?|[biufc]\d{1,2}|[SU]\d{1,9})")
_MAX_NAME = 4096  # letters of a key: more cost too much time to compare
_MAX_KEY = (1 << 61) - 2  # within it no two integers but -1 and -2 have one hash: no slow dictionaries


class PickleRefusal(Exception):
    """What a pickle asks for and doesn't get; the reader makes it an InputError that says where."""


@dataclass(frozen=True, slots=True, eq=False)
class Admitted:
    """A name that a pickle may use; ``call`` takes the pickle's arguments and a function that accounts for copies."""

    name: str
    call: Callable[[tuple[Any, ...], Callable[[int], None]], Any]


@dataclass(slots=True, eq=False)
class Pending:
    """An array or dtype before its state; ``places`` are the memo's keys that hold it."""

    dtype: np.dtype[Any] | None
    places: list[int] = field(default_factory=list)


def built(pending: Pending, state: object, charge: Callable[[int], None]) -> Any:
    """What a pending array or dtype becomes with its state."""
    if not isinstance(state, tuple):
        raise PickleRefusal("an array's state that is not a tuple")
    if pending.dtype is not None:
        return _dtype_with_state(pending.dtype, state)
    return _array_with_state(state, charge)


def _dtype_with_state(dtype: np.dtype[Any], state: tuple[Any, ...]) -> np.dtype[Any]:
    """``state`` is (version, byte order, subarray, names, fields, size, alignment, flags, ...)."""
    if len(state) < 5 or state[1] not in ("<", ">", "|", "="):
        raise PickleRefusal("a dtype with a state that NumPy doesn't write")
    if any(part is not None for part in state[2:5]):
        raise PickleRefusal("an array of records")
    return dtype if state[1] == "|" else dtype.newbyteorder(state[1])


def _array_with_state(state: tuple[Any, ...], charge: Callable[[int], None]) -> np.ndarray:
    """``state`` is (version, shape, dtype, is Fortran order, bytes); NumPy before 1.0 left the version out."""
    if len(state) not in (4, 5):
        raise PickleRefusal("an array with a state that NumPy doesn't write")
    shape, dtype, is_fortran, raw = state[-4:]
    return _array(shape, dtype, "F" if is_fortran else "C", _as_bytes(raw, charge))


def _array(shape: object, dtype: object, order: str, raw: bytes | bytearray) -> np.ndarray:
    if not isinstance(dtype, np.dtype):
        raise PickleRefusal("an array without a dtype")
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS or not all(map(_is_length, shape)):
        raise PickleRefusal("an array with a shape that is none")
    if math.prod(length or 1 for length in shape) > _MAX_ELEMENTS or not dtype.itemsize:
        raise PickleRefusal(f"an array of shape {_shape_text(shape)}")
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise PickleRefusal(f"an array of shape {_shape_text(shape)} and dtype {dtype} in {len(raw):,} bytes")
    return np.ndarray(shape, dtype, buffer=raw, order="F" if order == "F" else "C")


def _is_length(value: object) -> bool:
    return type(value) is int and 0 <= value < _MAX_ELEMENTS


def _shape_text(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _as_bytes(raw: object, charge: Callable[[int], None]) -> bytes | bytearray:
    if isinstance(raw, bytes | bytearray):
        return raw
    if isinstance(raw, str):  # Python 2's string, which the reader has read as Latin-1
        charge(len(raw))
        try:
            return raw.encode("latin-1")
        except UnicodeEncodeError:
            raise PickleRefusal("an array whose data is text") from None
    raise PickleRefusal("an array of Python objects" if isinstance(raw, list) else "an array without data")


def _empty_array(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> Pending:
    kind = arguments[0] if arguments else None
    if not isinstance(kind, Admitted) or kind.name != "numpy.ndarray":
        raise PickleRefusal("an array of a class that is not numpy.ndarray")
    return Pending(None)


def _dtype(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> Pending:
    name = arguments[0] if arguments else None
    if isinstance(name, str) and name.startswith("O"):
        raise PickleRefusal("an array of Python objects")
    if not isinstance(name, str) or not _DTYPE.fullmatch(name):
        raise PickleRefusal("an array whose dtype is not one of numbers or text")
    try:
        return Pending(np.dtype(name))
    except TypeError:
        raise PickleRefusal(f'a dtype "{name}"') from None


def _scalar(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> Any:
    if len(arguments) != 2:
        raise PickleRefusal("a NumPy scalar without a value")
    return _array((), arguments[0], "C", _as_bytes(arguments[1], charge))[()]


def _from_buffer(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> np.ndarray:
    if len(arguments) != 4:
        raise PickleRefusal("an array with a state that NumPy doesn't write")
    raw, dtype, shape, order = arguments
    return _array(shape, dtype, str(order), _as_bytes(raw, charge))


def _encode(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> bytes:
    """Bytes as protocols 0 to 2 write them: ``_codecs.encode(text, "latin1")``."""
    if len(arguments) != 2 or not isinstance(arguments[0], str) or arguments[1] not in ("latin1", "latin-1"):
        raise PickleRefusal("a text encoding other than latin1")
    return bytes(_as_bytes(arguments[0], charge))


def _bytes(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> bytes:
    if arguments:
        raise PickleRefusal("a call of bytes with arguments")
    return b""


def _ordered_dict(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> dict[Any, Any]:
    if arguments:
        raise PickleRefusal("an OrderedDict in a form that Python 3 doesn't write")
    return {}


def _set(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> set[Any]:
    """Sets as protocols 0 to 3 write them: a call with the list of members."""
    members = arguments[0] if len(arguments) == 1 else None
    if not isinstance(members, list):
        raise PickleRefusal("a set without its members")
    charge(64 * len(members))
    return {as_key(member) for member in members}


def as_key(value: object) -> Any:
    """``value`` as a key of a dictionary or a member of a set: text, a number, or a tuple of such."""
    if value is None or isinstance(value, bool) or (isinstance(value, str | bytes) and len(value) <= _MAX_NAME):
        return value
    if type(value) is int and abs(value) <= _MAX_KEY:
        return value
    if isinstance(value, tuple) and len(value) <= 8 and not any(isinstance(part, tuple) for part in value):
        return tuple(map(as_key, value))
    raise PickleRefusal(
        f"a key of type {type(value).__name__}" + (" too long" if isinstance(value, str | bytes) else "")
    )


def _not_called(arguments: tuple[Any, ...], charge: Callable[[int], None]) -> Any:
    raise PickleRefusal("a call of numpy.ndarray")


def _admitted() -> dict[tuple[str, str], Admitted]:
    calls = {
        ("numpy", "ndarray"): _not_called,
        ("numpy", "dtype"): _dtype,
        ("_codecs", "encode"): _encode,
        ("builtins", "bytes"): _bytes,
        ("__builtin__", "bytes"): _bytes,
        ("builtins", "set"): _set,
        ("__builtin__", "set"): _set,
        ("collections", "OrderedDict"): _ordered_dict,
    }
    for core in ("numpy.core", "numpy._core"):  # NumPy 1, NumPy 2
        calls[f"{core}.multiarray", "_reconstruct"] = _empty_array
        calls[f"{core}.multiarray", "scalar"] = _scalar
        calls[f"{core}.numeric", "_frombuffer"] = _from_buffer
    return {key: Admitted(".".join(key), call) for key, call in calls.items()}


ADMITTED = _admitted()
