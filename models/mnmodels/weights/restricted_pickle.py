"""Read a pickle of NumPy arrays and plain containers, without Python's unpickler: no code of a file ever runs.

Pickle is a small stack machine. This one knows the instructions that build containers and the calls by which NumPy 1
and 2 write arrays (``pickle_globals``); it checks every length against the bytes that are there before it allocates.
Strings that Python 2 wrote are read as Latin-1. Source of the instructions: the comments in CPython's pickletools.py.
"""

import codecs
import re
import struct
from collections.abc import Callable
from typing import Any

from mninfer.errors import InputError
from mnmodels.weights.pickle_globals import ADMITTED, Admitted, Pending, PickleRefusal, as_key, built

__all__ = ["load_pickle"]

_MAX_INSTRUCTIONS = 3_000_000  # CIFAR-100 is 300,000; each may make an object of some 200 bytes
_MAX_DEPTH = 40
_MAX_SIZE = 20_000_000  # of what is in it with every shared part counted each time: what a program that walks it meets
_MAX_LINE = 64  # of a number or a memo's key
_MAX_INTEGER = 1024  # bytes
_COPIES_BEYOND = 64 << 20  # bytes that may be copied beyond four times the file's
_ESCAPED = re.compile(r"""(?:[^\\]|\\(?:[\\'"nrt]|x[0-9a-f]{2}))*""", re.DOTALL)  # all that Python 2 writes
_MARK = object()


def load_pickle(data: bytes, *, where: str) -> object:
    """What ``data`` holds: dict, list, tuple, set, str, bytes, numbers, None and read-only NumPy arrays and scalars.

    Raise InputError, which names whatever else the pickle asks for.

    >>> import pickle
    >>> load_pickle(pickle.dumps({"weights": [1, 2.5]}), where="example.pkl")
    {'weights': [1, 2.5]}
    """
    try:
        result = _Machine(data).run()
        _measure(result, 0, {})
    except PickleRefusal as reason:
        raise InputError(
            f"the pickle holds {reason}, which is not read",
            where=where,
            hints="save it as a plain dictionary of NumPy arrays: pickle.dump({name: np.asarray(a), ...}, file)",
        ) from None
    except _DamagedError as reason:
        raise InputError(f"not a usable pickle: {reason}", where=where, hints="get the file again") from None
    return result


class _DamagedError(Exception):
    """The bytes are no pickle, or not all of one."""


class _Machine:
    """A stack, a memo and a place in the bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.copies_left = 4 * len(data) + _COPIES_BEYOND

    def run(self) -> object:
        if not self.data:
            raise _DamagedError("it is empty")
        for _ in range(_MAX_INSTRUCTIONS):
            code = self.take(1)[0]
            if code == _STOP:
                return self.pop()
            instruction = _INSTRUCTIONS.get(code)
            if instruction is None:
                raise self.unknown(code)
            instruction(self)
        raise PickleRefusal(f"more than {_MAX_INSTRUCTIONS:,} instructions")

    def unknown(self, code: int) -> Exception:
        if name := _REFUSED.get(code):
            return PickleRefusal(name)
        return _DamagedError(f"byte {self.at - 1:,} is no instruction of a pickle")

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise _DamagedError(f"it ends at byte {len(self.data):,}, {size - len(piece):,} bytes too early")
        self.at += size
        return piece

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self, most: int | None = None) -> str:
        """Up to the line's end, as Latin-1."""
        end = self.data.find(b"\n", self.at, None if most is None else self.at + most + 1)
        if end < 0:
            raise _DamagedError(f"no end of the line at byte {self.at:,}")
        text = self.data[self.at : end].decode("latin-1")
        self.at = end + 1
        return text

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        """The topmost value, complete: no mark, no array that waits for its data."""
        if not self.stack or self.stack[-1] is _MARK:
            raise _DamagedError(f"nothing to work on before byte {self.at:,}")
        if isinstance(self.stack[-1], Pending):
            raise PickleRefusal("an array without data")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        values: list[Any] = []
        while self.stack and self.stack[-1] is not _MARK:
            values.append(self.pop())
        if not self.stack:
            raise _DamagedError(f"no beginning of a list before byte {self.at:,}")
        self.stack.pop()
        return values[::-1]

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise PickleRefusal(f"something to add to that is no {kind.__name__}")
        return self.stack[-1]

    def charge(self, size: int) -> None:
        self.copies_left -= size
        if self.copies_left < 0:
            raise PickleRefusal("the same data many times over")


def _literal(value: object) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(value)


def _fixed(form: str) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(machine.number(form))


def _sized(form: str, finish: Callable[[bytes], object]) -> Callable[[_Machine], None]:
    """A length in ``form``, and so many bytes."""

    def push(machine: _Machine) -> None:
        size = machine.number(form)
        if size < 0:
            raise _DamagedError(f"a length of {size} before byte {machine.at:,}")
        machine.push(finish(machine.take(size)))

    return push


def _latin1(raw: bytes) -> str:
    return raw.decode("latin-1")


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _DamagedError("a text that is not UTF-8") from None


def _integer(raw: bytes) -> int:
    if len(raw) > _MAX_INTEGER:
        raise PickleRefusal(f"a whole number of {len(raw):,} bytes")
    return int.from_bytes(raw, "little", signed=True)


def _integer_line(machine: _Machine) -> None:
    text = machine.line(_MAX_LINE)
    machine.push(text == "01" if text in ("00", "01") else _parsed(int, text.removesuffix("L")))


def _float_line(machine: _Machine) -> None:
    machine.push(_parsed(float, machine.line(_MAX_LINE)))


def _parsed(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise _DamagedError("a number that is none") from None


def _string_line(machine: _Machine) -> None:
    """A string as Python 2 shows it, quotes and escapes and all."""
    text = machine.line()
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        raise _DamagedError("a text without its quotes")
    if not _ESCAPED.fullmatch(text, 1, len(text) - 1):
        raise _DamagedError("a text with a broken escape")
    machine.push(_latin1(codecs.escape_decode(text[1:-1].encode("latin-1"))[0]))


def _unicode_line(machine: _Machine) -> None:
    try:
        text = machine.line().encode("latin-1").decode("raw-unicode-escape")
        text.encode("utf-8")  # no halves of pairs
    except UnicodeError:
        raise _DamagedError("a text with a broken escape") from None
    machine.push(text)


def _tuple_of(count: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(tuple([machine.pop() for _ in range(count)][::-1]))


def _append(machine: _Machine) -> None:
    value = machine.pop()
    machine.top(list).append(value)


def _appends(machine: _Machine) -> None:
    values = machine.pop_to_mark()
    machine.top(list).extend(values)


def _set_item(machine: _Machine) -> None:
    value = machine.pop()
    key = as_key(machine.pop())
    machine.top(dict)[key] = value


def _pairs(values: list[Any]) -> list[tuple[Any, Any]]:
    if len(values) % 2:
        raise _DamagedError("a dictionary's key without a value")
    return [(as_key(key), value) for key, value in zip(values[::2], values[1::2], strict=True)]


def _set_items(machine: _Machine) -> None:
    pairs = _pairs(machine.pop_to_mark())
    machine.top(dict).update(pairs)


def _add_items(machine: _Machine) -> None:
    values = machine.pop_to_mark()
    machine.top(set).update(map(as_key, values))


def _put(read: Callable[[_Machine], int]) -> Callable[[_Machine], None]:
    def put(machine: _Machine) -> None:
        key = read(machine)
        if not machine.stack or machine.stack[-1] is _MARK:
            raise _DamagedError(f"nothing to remember before byte {machine.at:,}")
        machine.memo[key] = value = machine.stack[-1]
        if isinstance(value, Pending):
            value.places.append(key)

    return put


def _get(read: Callable[[_Machine], int]) -> Callable[[_Machine], None]:
    def get(machine: _Machine) -> None:
        key = read(machine)
        if key not in machine.memo:
            raise _DamagedError(f"it asks for its {key}th part, which is not there")
        machine.push(machine.memo[key])

    return get


def _key_line(machine: _Machine) -> int:
    return int(_parsed(int, machine.line(_MAX_LINE)))


def _key(form: str) -> Callable[[_Machine], int]:
    return lambda machine: int(machine.number(form))


def _drop_to_mark(machine: _Machine) -> None:
    machine.pop_to_mark()


def _duplicate(machine: _Machine) -> None:
    machine.push(machine.pop())
    machine.push(machine.stack[-1])


def _drop(machine: _Machine) -> None:
    if not machine.stack:
        raise _DamagedError("nothing to drop")
    machine.stack.pop()


def _name_lines(machine: _Machine) -> None:
    module = machine.line()
    machine.push(_named(module, machine.line()))


def _name_on_stack(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(_named(module, name))


def _named(module: object, name: object) -> Admitted:
    if not isinstance(module, str) or not isinstance(name, str):
        raise _DamagedError("a name that is no text")
    if (module, name) not in ADMITTED:
        raise PickleRefusal(f'a use of "{_shown(module)}.{_shown(name)}"')
    return ADMITTED[module, name]


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])


def _call(machine: _Machine) -> None:
    arguments, called = machine.pop(), machine.pop()
    if not isinstance(called, Admitted) or not isinstance(arguments, tuple):
        raise PickleRefusal("a call of something that is no function")
    machine.push(called.call(arguments, machine.charge))


def _build(machine: _Machine) -> None:
    state = machine.pop()
    pending = machine.stack[-1] if machine.stack else None
    if not isinstance(pending, Pending):
        raise PickleRefusal("a state for something that is no array")
    machine.stack[-1] = value = built(pending, state, machine.charge)
    for key in pending.places:
        machine.memo[key] = value


def _measure(value: object, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Height and size of a tree of containers; refuses what is too deep, in a circle, or holds a bare name."""
    if isinstance(value, Admitted):
        raise PickleRefusal(f'"{value.name}" itself')
    if not isinstance(value, dict | list | tuple):
        return 0, 1
    if id(value) not in known:
        parts = value.values() if isinstance(value, dict) else value
        if depth >= _MAX_DEPTH:
            raise PickleRefusal(f"containers in one another, more than {_MAX_DEPTH} deep or in a circle")
        measures = [_measure(part, depth + 1, known) for part in parts]
        known[id(value)] = 1 + max((m[0] for m in measures), default=0), 1 + sum(m[1] for m in measures)
    height, size = known[id(value)]
    if depth + height > _MAX_DEPTH or size > _MAX_SIZE:
        raise PickleRefusal("containers that share parts until they are too deep or too large")
    return height, size


def _check_protocol(machine: _Machine) -> None:
    protocol = machine.number("<B")
    if protocol > _NEWEST_PROTOCOL:
        raise _DamagedError(f"protocol {protocol}, and the newest is {_NEWEST_PROTOCOL}")


def _skip_frame(machine: _Machine) -> None:
    machine.number("<Q")  # how far to read ahead: all is here already


def _refuse_instance(machine: _Machine) -> None:
    module = machine.line()
    raise PickleRefusal(f'an object of "{_shown(module)}.{_shown(machine.line())}"')


_STOP = ord(".")
_NEWEST_PROTOCOL = 5
_INSTRUCTIONS: dict[int, Callable[[_Machine], None]] = {
    0x80: _check_protocol,
    0x95: _skip_frame,
    # the stack
    ord("("): _literal(_MARK),
    ord("0"): _drop,
    ord("1"): _drop_to_mark,
    ord("2"): _duplicate,
    # constants and numbers
    ord("N"): _literal(None),
    0x88: _literal(True),
    0x89: _literal(False),
    ord("I"): _integer_line,
    ord("L"): _integer_line,
    ord("J"): _fixed("<i"),
    ord("K"): _fixed("<B"),
    ord("M"): _fixed("<H"),
    0x8A: _sized("<B", _integer),
    0x8B: _sized("<i", _integer),
    ord("F"): _float_line,
    ord("G"): _fixed(">d"),
    # text and bytes
    ord("S"): _string_line,
    ord("T"): _sized("<i", _latin1),
    ord("U"): _sized("<B", _latin1),
    ord("B"): _sized("<I", bytes),
    ord("C"): _sized("<B", bytes),
    0x8E: _sized("<Q", bytes),
    0x96: _sized("<Q", bytes),  # a bytearray: read only here
    ord("V"): _unicode_line,
    ord("X"): _sized("<I", _utf8),
    0x8C: _sized("<B", _utf8),
    0x8D: _sized("<Q", _utf8),
    # containers
    ord("]"): lambda machine: machine.push([]),
    ord("l"): lambda machine: machine.push(machine.pop_to_mark()),
    ord("a"): _append,
    ord("e"): _appends,
    ord(")"): _literal(()),
    ord("t"): lambda machine: machine.push(tuple(machine.pop_to_mark())),
    0x85: _tuple_of(1),
    0x86: _tuple_of(2),
    0x87: _tuple_of(3),
    ord("}"): lambda machine: machine.push({}),
    ord("d"): lambda machine: machine.push(dict(_pairs(machine.pop_to_mark()))),
    ord("s"): _set_item,
    ord("u"): _set_items,
    0x8F: lambda machine: machine.push(set()),
    0x90: _add_items,
    0x91: lambda machine: machine.push(frozenset(map(as_key, machine.pop_to_mark()))),
    # the memo
    ord("g"): _get(_key_line),
    ord("h"): _get(_key("<B")),
    ord("j"): _get(_key("<I")),
    ord("p"): _put(_key_line),
    ord("q"): _put(_key("<B")),
    ord("r"): _put(_key("<I")),
    0x94: _put(lambda machine: len(machine.memo)),
    # calls
    ord("c"): _name_lines,
    0x93: _name_on_stack,
    ord("R"): _call,
    ord("b"): _build,
    ord("i"): _refuse_instance,
}
_REFUSED = {
    ord("o"): "an object of a class",
    0x81: "an object of a class",
    0x92: "an object of a class",
    ord("P"): "a reference to something outside",
    ord("Q"): "a reference to something outside",
    0x82: "a class by a number that only its writer knows",
    0x83: "a class by a number that only its writer knows",
    0x84: "a class by a number that only its writer knows",
    0x97: "an array whose data lies outside of the file",
    0x98: "an array whose data lies outside of the file",
}
