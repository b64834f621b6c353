"""Damage a model file, the same way each time for the same seed: raw bytes, and fields changed one by one.

``mutant(data, seed, index)`` gives the bytes and the kind of damage; kinds take turns.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from mninfer.model_file.flatbuffer import Table, decode, encode, load_schema

__all__ = ["KINDS", "mutant"]

WILD_INTEGERS = (-(2**31), -65536, -129, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 127, 255, 256, 4095, 32768, 65535, 65536,
                 1 << 20, 1 << 24, 1 << 30, 2**31 - 1)  # fmt: skip
WILD_FLOATS = (0.0, -0.0, -1.0, 1e-45, 1e-38, 1e-30, 1e-9, 1e-3, 1.0, 3.0, 1e6, 1e20, 3e38, float("inf"), float("-inf"),
               float("nan"))  # fmt: skip
LARGE_BUFFER = 1024  # flips in weights damage nothing but accuracy: raw damage goes to everything else


def mutant(data: bytes, seed: str, index: int) -> tuple[bytes, str]:
    """The damaged bytes, and the kind of damage. Never equal to ``data``."""
    kind, damage = KINDS[index % len(KINDS)]
    for attempt in range(100):
        rng = random.Random(f"{seed}/{index}/{attempt}")
        try:
            damaged = damage(data, rng)
        except (IndexError, KeyError, ValueError):  # one edit took away what the next wanted to change
            continue
        if damaged != data:
            return damaged, kind
    raise AssertionError(f"{kind} changes nothing")


# --- raw bytes ---


def _structure(data: bytes) -> list[tuple[int, int]]:
    """Stretches of the file outside large buffers."""
    root = decode(data, load_schema("tflite"))
    taken = sorted(
        (start, start + len(view))
        for buffer in root["buffers"]
        if len(view := buffer.get("data", b"")) > LARGE_BUFFER and (start := data.find(bytes(view[:256]))) >= 0
    )
    stretches, end = [], 0
    for first, last in taken:
        if first > end:
            stretches.append((end, first))
        end = max(end, last)
    return [*stretches, (end, len(data))] if end < len(data) else stretches


_cache: dict[bytes, list[tuple[int, int]]] = {}


def _place(data: bytes, rng: random.Random, align: int = 1) -> int:
    """A place in the file's structure."""
    if data not in _cache:
        _cache[data] = _structure(data)
    stretches = _cache[data]
    first, last = rng.choices(stretches, [b - a for a, b in stretches])[0]
    return min(rng.randrange(first, last) // align * align, len(data) - align)


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.choice((_place(data, rng), rng.randrange(len(data)), rng.randrange(64)))]


def _flip_bits(data: bytes, rng: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        result[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(result)


def _change_bytes(data: bytes, rng: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(rng.choice((1, 2, 4, 16))):
        result[_place(data, rng)] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
    return bytes(result)


def _zero_block(data: bytes, rng: random.Random) -> bytes:
    start, size = _place(data, rng), rng.choice((4, 8, 16, 64, 4096))
    return data[:start] + bytes(min(size, len(data) - start)) + data[start + size :]


def _random_block(data: bytes, rng: random.Random) -> bytes:
    start, size = _place(data, rng), rng.choice((4, 8, 16, 64))
    return data[:start] + rng.randbytes(min(size, len(data) - start)) + data[start + size :]


def _wild_word(data: bytes, rng: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 2))):
        start = _place(data, rng, 4)
        result[start : start + 4] = (rng.choice(WILD_INTEGERS) & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(result)


def _swap_words(data: bytes, rng: random.Random) -> bytes:
    first, second = sorted((_place(data, rng, 4), _place(data, rng, 4)))
    a, b = data[first : first + 4], data[second : second + 4]
    return data if first == second else data[:first] + b + data[first + 4 : second] + a + data[second + 4 :]


def _shift(data: bytes, rng: random.Random) -> bytes:
    start, size = _place(data, rng), rng.choice((1, 2, 4, 16))
    return data[:start] + rng.choice((b"", data[start : start + size] * 2)) + data[start + size :]


# --- fields ---


def _edited(*edits: Callable[[Table, random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    """Damage by changing fields of the decoded model, one to three times."""

    def damage(data: bytes, rng: random.Random) -> bytes:
        root = decode(data, load_schema("tflite"))
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            rng.choice(edits)(root, rng)
        return encode(root, load_schema("tflite"))

    return damage


def _pick(items: Sequence[Any], rng: random.Random) -> Any:
    return items[rng.randrange(len(items))]


def _used_tensor(root: Table, rng: random.Random) -> Table:
    subgraph = root["subgraphs"][0]
    operator = _pick(subgraph["operators"], rng)
    operands = [i for i in (*operator["inputs"], *operator["outputs"]) if i >= 0]
    return dict_of(subgraph["tensors"][_pick(operands, rng)])


def dict_of(table: Any) -> Table:
    assert isinstance(table, dict)
    return table


def _number(old: int, rng: random.Random, low: int = -(2**31), high: int = 2**31 - 1) -> int:
    new = rng.choice((old + 1, old - 1, old * 2, old // 2, -old, *WILD_INTEGERS))
    return min(max(new, low), high)


def _changed(values: Sequence[int], rng: random.Random, low: int = -(2**31), high: int = 2**31 - 1) -> tuple[int, ...]:
    """One value changed, left out, doubled, or two swapped."""
    result = list(values)
    way = rng.choice(("value", "value", "value", "drop", "double", "swap")) if result else "add"
    place = rng.randrange(len(result)) if result else 0
    if way == "value":
        result[place] = _number(result[place], rng, low, high)
    elif way == "drop":
        del result[place]
    elif way == "swap":
        other = rng.randrange(len(result))
        result[place], result[other] = result[other], result[place]
    else:
        result.insert(place, rng.choice((*result, *WILD_INTEGERS)))
    return tuple(min(max(value, low), high) for value in result)


def _shape(root: Table, rng: random.Random) -> None:
    tensor = _used_tensor(root, rng)
    tensor["shape"] = _changed(tensor.get("shape", ()), rng)
    if rng.random() < 0.3:
        tensor["shape_signature"] = _changed(tensor["shape"], rng)


def _shape_with_data(root: Table, rng: random.Random) -> None:
    """A constant's shape and as much data as it needs: only other operands can tell."""
    tensor = _used_tensor(root, rng)
    shape = [*tensor.get("shape", ())]
    if not shape or len(root["buffers"][tensor["buffer"]].get("data", b"")) > 1 << 20:
        return
    place = rng.randrange(len(shape))
    old = shape[place]
    shape[place] = rng.choice((old + 1, max(old - 1, 0), old * 2, 1, 3, 17))
    tensor["shape"] = tuple(shape)
    data = bytes(root["buffers"][tensor["buffer"]].get("data", b""))
    if data and old:
        wanted = len(data) // old * shape[place]
        root["buffers"].append({"data": (data * (wanted // len(data) + 1))[:wanted]})
        tensor["buffer"] = len(root["buffers"]) - 1


def _dtype(root: Table, rng: random.Random) -> None:
    _used_tensor(root, rng)["type"] = rng.randrange(-1, 24)


def _buffer_index(root: Table, rng: random.Random) -> None:
    tensor = _used_tensor(root, rng)
    tensor["buffer"] = rng.choice(
        (0, rng.randrange(len(root["buffers"])), _number(tensor["buffer"], rng, 0, 2**32 - 1))
    )


def _quantization(root: Table, rng: random.Random) -> None:
    tensor = _used_tensor(root, rng)
    table = dict(tensor.get("quantization") or {})
    way = rng.choice(("scale", "scale", "zero_point", "dimension", "drop", "count"))
    scales, points = list(table.get("scale", ())), list(table.get("zero_point", ()))
    if way == "drop":
        table = {}
    elif way == "dimension":
        table["quantized_dimension"] = _number(table.get("quantized_dimension", 0), rng)
    elif way == "count" or not scales:
        table["scale"] = tuple(scales * 2 or [0.5])
        table["zero_point"] = tuple(rng.choice((points, points * 2, [*points, 0])) or [0])
    elif way == "scale":
        place = rng.randrange(len(scales))
        scales[place] = rng.choice((*WILD_FLOATS, scales[place] * 1e4, scales[place] * 1e-4))
        table["scale"] = tuple(scales)
    else:
        table["zero_point"] = _changed(points, rng)
    tensor["quantization"] = table


def _operands(root: Table, rng: random.Random) -> None:
    operator = _pick(root["subgraphs"][0]["operators"], rng)
    side = rng.choice(("inputs", "inputs", "outputs"))
    other = rng.randrange(len(root["subgraphs"][0]["tensors"]))
    values = list(operator[side])
    if rng.random() < 0.4 and values:
        values[rng.randrange(len(values))] = other
        operator[side] = tuple(values)
    else:
        operator[side] = _changed(values, rng)


def _operator_code(root: Table, rng: random.Random) -> None:
    if rng.random() < 0.5:
        operator = _pick(root["subgraphs"][0]["operators"], rng)
        operator["opcode_index"] = rng.choice((rng.randrange(len(root["operator_codes"])), _number(0, rng, 0)))
        return
    code = _pick(root["operator_codes"], rng)
    number = rng.randrange(160)
    code.update(builtin_code=number, deprecated_builtin_code=min(number, 127))
    if rng.random() < 0.3:
        code["version"] = _number(code["version"], rng)


def _order(root: Table, rng: random.Random) -> None:
    operators = root["subgraphs"][0]["operators"]
    a, b = rng.randrange(len(operators)), rng.randrange(len(operators))
    operators[a], operators[b] = operators[b], operators[a]
    if rng.random() < 0.3:
        del operators[a]


def _option(root: Table, rng: random.Random) -> None:
    schema = load_schema("tflite")
    operators = [op for op in root["subgraphs"][0]["operators"] if op.get("builtin_options")]
    if not operators:
        return
    operator = _pick(operators, rng)
    options = operator["builtin_options"]
    name = rng.choice(sorted(options))
    field = next(
        field
        for field in schema.tables[schema.unions["BuiltinOptions"][operator["builtin_options_type"]]]
        if field.name == name
    )
    if field.kind == "float32":
        options[name] = rng.choice(WILD_FLOATS)
    elif field.kind == "[int32]":
        options[name] = _changed(options[name], rng)
    elif field.kind == "bool":
        options[name] = not options[name]
    elif field.kind in ("int8", "int32"):
        options[name] = _number(options[name], rng, *((-128, 127) if field.kind == "int8" else ()))


def _options_type(root: Table, rng: random.Random) -> None:
    operator = _pick(root["subgraphs"][0]["operators"], rng)
    if rng.random() < 0.5:
        operator["builtin_options_type"] = 0
        operator.pop("builtin_options", None)
    else:
        donor = _pick(root["subgraphs"][0]["operators"], rng)
        for name in ("builtin_options_type", "builtin_options"):
            if donor.get(name) is not None:
                operator[name] = donor[name]


def _parameter(root: Table, rng: random.Random) -> None:
    """A small integer constant: an axis, a shape, paddings, sizes. Any small buffer, where there is none."""
    subgraph = root["subgraphs"][0]
    small = [t for t in subgraph["tensors"] if 0 < len(root["buffers"][t["buffer"]].get("data", b"")) <= 64]
    integers = [t for t in small if t["type"] in (2, 4)]
    if not (integers or small):
        return
    tensor = _pick(integers or small, rng)
    width = 8 if tensor["type"] == 4 else 4
    data = bytearray(root["buffers"][tensor["buffer"]]["data"])
    place = rng.randrange(max(len(data) // width, 1)) * width
    old = int.from_bytes(data[place : place + width], "little", signed=True)
    data[place : place + width] = _number(old if abs(old) < 2**31 else 0, rng).to_bytes(width, "little", signed=True)
    root["buffers"].append({"data": bytes(data)})
    tensor["buffer"] = len(root["buffers"]) - 1


def _buffer(root: Table, rng: random.Random) -> None:
    buffer = _pick(root["buffers"], rng)
    data = bytes(buffer.get("data", b""))
    way = rng.choice(("cut", "grow", "empty", "external", "external"))
    if way == "external":
        wild = (0, 1, 2, 8, 64, 1 << 20, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**64 - 8)
        buffer.update(offset=rng.choice(wild), size=rng.choice((*wild, len(data))))
    else:
        buffer["data"] = {"cut": data[: len(data) // 2], "grow": data + bytes(7), "empty": b""}[way]


def _ends(root: Table, rng: random.Random) -> None:
    subgraph = root["subgraphs"][0]
    side = rng.choice(("inputs", "outputs"))
    values = list(subgraph[side])
    if rng.random() < 0.5:
        values[rng.randrange(len(values))] = rng.randrange(len(subgraph["tensors"]))
        subgraph[side] = tuple(values)
    else:
        subgraph[side] = _changed(values, rng)


def _rare(root: Table, rng: random.Random) -> None:
    """Fields that image models leave alone."""
    subgraph = root["subgraphs"][0]
    operator = _pick(subgraph["operators"], rng)
    way = rng.randrange(8)
    if way == 0:
        operator["custom_options"] = rng.randbytes(rng.randrange(40))
    elif way == 1:
        operator.update(large_custom_options_offset=rng.choice((2, 64, 2**63)), large_custom_options_size=2**40)
    elif way == 2:
        operator["intermediates"] = (rng.choice(WILD_INTEGERS),)
    elif way == 3:
        _used_tensor(root, rng)["is_variable"] = True
    elif way == 4:
        _used_tensor(root, rng)["external_buffer"] = 3
    elif way == 5:
        entry = {"name": "x", "tensor_index": _number(0, rng, 0)}
        root["signature_defs"] = [
            {"inputs": [entry], "outputs": [entry], "signature_key": "a", "subgraph_index": _number(0, rng, 0)}
        ]
    elif way == 6:
        root["subgraphs"] = [subgraph, subgraph] if rng.random() < 0.5 else []
    else:
        root["metadata"] = [{"name": "min_runtime_version", "buffer": _number(0, rng, 0, 2**32 - 1)}]


def _custom_options(root: Table, rng: random.Random) -> None:
    """Bytes of a custom operator's options; of a builtin's, where no operator is custom."""
    operators = [op for op in root["subgraphs"][0]["operators"] if len(op.get("custom_options", b""))]
    if not operators:
        _option(root, rng)
        return
    operator = _pick(operators, rng)
    data = bytearray(operator["custom_options"])
    for _ in range(rng.choice((1, 1, 4))):
        data[rng.randrange(len(data) // 2, len(data))] = rng.choice((0, 1, 2, 255, rng.randrange(256)))
    operator["custom_options"] = bytes(data)


KINDS: Sequence[tuple[str, Callable[[bytes, random.Random], bytes]]] = (
    ("truncated", _truncate),
    ("bits flipped", _flip_bits),
    ("bytes changed", _change_bytes),
    ("block zeroed", _zero_block),
    ("block of noise", _random_block),
    ("wild word", _wild_word),
    ("words swapped", _swap_words),
    ("bytes moved", _shift),
    ("tensor shape", _edited(_shape)),
    ("tensor shape and data", _edited(_shape_with_data)),
    ("data type", _edited(_dtype)),
    ("buffer index", _edited(_buffer_index)),
    ("buffer", _edited(_buffer)),
    ("quantization", _edited(_quantization)),
    ("operands", _edited(_operands)),
    ("operator code", _edited(_operator_code)),
    ("order of operators", _edited(_order)),
    ("options", _edited(_option)),
    ("options type", _edited(_options_type)),
    ("parameter tensor", _edited(_parameter)),
    ("custom options", _edited(_custom_options)),
    ("inputs and outputs", _edited(_ends)),
    ("rare field", _edited(_rare)),
    ("several fields", _edited(_shape_with_data, _option, _parameter, _operands, _quantization, _shape)),
)
