"""Hostile and broken Keras files, several hundred, from one seed: what a reader must refuse, or load and run nothing.

Each case knows its kind, and writes itself into a folder. Code that a file carries makes a file named "canary" in the
folder that CANARY names: if it is ever there, code has run.
"""

import base64
import io
import json
import marshal
import os
import pickle
import random
import socket
import struct
import types
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_files import (
    config_of,
    hdf5_bytes,
    keras_3_config,
    keras_zip_bytes,
    layer_of,
    small_weights,
    weights_hdf5_bytes,
)

__all__ = ["Hostile", "hostile_files"]

MARK = 'import os; open(os.path.join(os.environ["CANARY"], "canary"), "w").close()'
COMMAND = 'touch "$CANARY/canary"'
Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file. ``make`` gets a path that does not exist yet, and puts the file there."""

    kind: str
    name: str
    make: Callable[[Path], None]


def hostile_files(seed: str = "mnkit") -> list[Hostile]:
    """All of them, in an order that is the same for a seed."""
    draw = random.Random(seed)
    return [
        *_damaged(draw),
        *_other_formats(draw),
        *_zips(),
        *_json(),
        *_wrong_values(draw),
        *_code(),
        *_graphs(),
        *_weights(),
        *_structures(),
        *_places(),
    ]


def _bytes(kind: str, name: str, data: bytes) -> Hostile:
    return Hostile(kind, name, lambda path: _write(path, data))


def _later(kind: str, name: str, data: Callable[..., bytes], *args: Any, **options: Any) -> Hostile:
    """A file whose bytes are made when they are wanted."""
    return Hostile(kind, name, lambda path: _write(path, data(*args, **options)))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


# --- damage ---


def _damaged(draw: random.Random) -> Iterator[Hostile]:
    bases = {"h5": hdf5_bytes(), "keras": keras_zip_bytes(), "weights.h5": weights_hdf5_bytes()}
    for name, data in bases.items():
        for number in range(14):
            cut = draw.randrange(1, len(data))
            yield _bytes("truncated", f"{number}.{name}", data[:cut])
        for number in range(40 if name == "h5" else 24):
            yield _bytes("flipped", f"{number}.{name}", _flipped(data, draw, draw.choice((1, 4, 32, 256))))
        for number in range(10):
            yield _bytes("shuffled", f"{number}.{name}", _shuffled(data, draw))
    for number in range(16):  # the bytes that HDF5's library reads first, and trusts most
        yield _bytes("flipped", f"head-{number}.h5", _flipped(bases["h5"][:2048], draw, 3) + bases["h5"][2048:])
    for number in range(10):  # a sound zip around damaged weights
        weights = _flipped(bases["weights.h5"], draw, 8)
        yield _later("flipped", f"inside-{number}.keras", keras_zip_bytes, weights=weights)


def _flipped(data: bytes, draw: random.Random, count: int) -> bytes:
    changed = bytearray(data)
    for _ in range(count):
        changed[draw.randrange(8 if len(data) > 8 else 0, len(data))] = draw.choice((0, 0xFF, draw.randrange(256)))
    return bytes(changed)


def _shuffled(data: bytes, draw: random.Random) -> bytes:
    start, size = draw.randrange(8, len(data)), draw.randrange(1, 512)
    target = draw.randrange(8, len(data))
    piece = draw.choice((data[start : start + size], bytes(size), b"\xff" * size, b""))
    return data[:target] + piece + data[target + draw.choice((0, len(piece))) :]


def _other_formats(draw: random.Random) -> Iterator[Hostile]:
    text = {
        "empty": b"",
        "one-byte": b"\x89",
        "magic": b"\x89HDF\r\n\x1a\n",
        "magic-and-zeros": b"\x89HDF\r\n\x1a\n" + bytes(5000),
        "magic-and-ones": b"\x89HDF\r\n\x1a\n" + b"\xff" * 5000,
        "zeros": bytes(10_000),
        "html": b"<!DOCTYPE html><html><body>404</body></html>",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "json": json.dumps(config_of()).encode(),
        "text": b"hello\n" * 100,
        "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "jpeg": b"\xff\xd8\xff\xe0" + bytes(100),
        "pdf": b"%PDF-1.4\n",
        "tflite": b"\x1c\0\0\0TFL3" + bytes(100),
        "onnx": b"\x08\x07\x12\x07pytorch" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(50),
        "xz": b"\xfd7zXZ\0" + bytes(50),
        "tar": bytes(257) + b"ustar" + bytes(250),
        "npy": b"\x93NUMPY\x01\0v\0" + bytes(100),
        "elf": b"\x7fELF" + bytes(100),
        "zip-end": b"PK\x05\x06" + bytes(18),
        "zip-begin": b"PK\x03\x04" + bytes(100),
        "saved-model-pb": b"\x08\x01\x12" + bytes(100),
        "random": draw.randbytes(5000),
        "pickle": pickle.dumps(_Pickled()),
        "behind-hdf5": bytes(512) + hdf5_bytes(),
    }
    yield from (_bytes("other format", name, data) for name, data in text.items())


class _Pickled:
    """A pickle that runs a command when it is opened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (COMMAND,)


# --- zip ---


def _zips() -> Iterator[Hostile]:
    config, weights = json.dumps(keras_3_config()), weights_hdf5_bytes()
    for name in (
        "../canary",
        "../../canary",
        "/var/canary",
        "a/../../canary",
        "..\\canary",
        "C:\\canary",
        "\\\\host\\x",
    ):
        yield _bytes("zip: path", name.replace("/", "_"), keras_zip_bytes(members={name: b"x"}))
        yield _bytes("zip: path", "assets" + name.replace("/", "_"), keras_zip_bytes(members={f"assets/{name}": b"x"}))
    for name in ("config.json", "model.weights.h5", "metadata.json", "mnkit"):
        yield Hostile("zip: bomb", name, lambda path, name=name: _zip_bomb(path, name))
        yield _later(
            "zip: twice",
            name,
            _zip_of,
            [("config.json", config), ("model.weights.h5", weights), (name, "{}"), (name, "{}")],
        )
        yield _bytes("zip: empty member", name, keras_zip_bytes(members={name: b""}))
        yield _bytes("zip: garbage member", name, keras_zip_bytes(members={name: b"\xff" * 100}))
    yield _later("zip: missing", "config", _zip_of, [("model.weights.h5", weights)])
    yield _later("zip: missing", "weights", _zip_of, [("config.json", config)])
    yield _later("zip: missing", "all", _zip_of, [])
    yield _later("zip: many", "members", _zip_of, [("config.json", config)] + [(f"a{i}", "") for i in range(1500)])
    yield Hostile("zip: many", "zip64", _zip64_of_many)
    sound = keras_zip_bytes()
    yield _bytes("zip: lies", "sizes", _lying_sizes(sound, 10))
    yield _bytes("zip: lies", "huge sizes", _lying_sizes(sound, 0xFFFFFFF0))
    yield _bytes("zip: lies", "encrypted", _encrypted(sound))
    yield _bytes("zip: lies", "method", sound.replace(b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x00\x00\x63\x00"))
    yield _later("zip: nested", "zip in zip", keras_zip_bytes, weights=sound)
    yield _later("zip: nested", "model in zip", _zip_of, [("folder/model.h5", hdf5_bytes())])
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    yield _later("zip: link", "config.json", _zip_of, [(link, "/etc/passwd"), ("model.weights.h5", weights)])


def _zip_of(members: list[tuple[Any, Any]]) -> bytes:
    import warnings

    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def _zip64_of_many(path: Path) -> None:
    """A directory of 400,000 members in zip64's end, beside a plain end that tells of 100 bytes."""
    one = _zip_of([("a", "")])
    entry = one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    start, count = one.index(entry), 400_000
    size = len(entry) * count
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    plain = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 100, start, 0)
    path.write_bytes(one[:start] + entry * count + end + locator + plain)


def _zip_bomb(path: Path, bomb: str) -> None:
    """A gigabyte of zeros in one megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = piece * 1023 + packer.flush(zlib.Z_FINISH)
    members = [("config.json", json.dumps(keras_3_config())), ("model.weights.h5", weights_hdf5_bytes())]
    data = bytearray(_zip_of([*(each for each in members if each[0] != bomb), (bomb, packed)]))
    for mark, method, size in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        at = data.rfind(mark)  # the bomb is the last member: it is deflated, and of this size, from here on
        struct.pack_into("<H", data, at + method, zipfile.ZIP_DEFLATED)
        struct.pack_into("<I", data, at + size, 1023 << 20)
    _write(path, bytes(data))


def _encrypted(data: bytes) -> bytes:
    """Every member says that it needs a password."""
    changed = bytearray(data)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.find(mark)
        while at >= 0:
            changed[at + flags] |= 1
            at = changed.find(mark, at + 4)
    return bytes(changed)


def _lying_sizes(data: bytes, size: int) -> bytes:
    changed = bytearray(data)
    at = changed.find(b"PK\x01\x02")
    while at >= 0:
        changed[at + 24 : at + 28] = struct.pack("<I", size)
        at = changed.find(b"PK\x01\x02", at + 4)
    return bytes(changed)


# --- the configuration ---


def _json() -> Iterator[Hostile]:
    sound = json.dumps(config_of())
    texts = {
        "empty": "", "null": "null", "number": "1", "text": '"x"', "list": "[]", "object": "{}",
        "cut": sound[:500], "nan": sound.replace("0.001", "NaN"), "infinity": sound.replace("0.001", "1e999"),
        "deep list": "[" * 100_000, "deep": '{"class_name":"Functional","config":' * 5000 + "1" + "}" * 5000,
        "long number": sound.replace("0.001", "9" * 20_000), "key twice": sound.replace('"momentum"', '"epsilon"'),
        "many": "[" + "[]," * 4_000_000 + "1]", "long": '"' + "x" * 20_000_000 + '"', "nul": sound.replace("conv",
        "co\\u0000nv"),
        "surrogate": sound.replace("conv", "\\ud800"),
    }  # fmt: skip
    yield from (_later("json", f"{name}.h5", hdf5_bytes, text) for name, text in texts.items())
    yield from (_later("json", f"{name}.keras", keras_zip_bytes, text) for name, text in texts.items())
    yield _later("json", "not utf-8.keras", keras_zip_bytes, sound.encode().replace(b"conv", b"\xff\xfe"))
    yield _later("json", "metadata.keras", keras_zip_bytes, members={"metadata.json": b'{"keras_version": {"a": []}}'})
    yield _later("json", "version.h5", hdf5_bytes, version="9" * 5000 + ".0")


WRONG = (
    None, True, -1, 0, 10**12, 10**30, -0.5, 1e308, "", "x" * 5000, "../../etc/passwd", "__import__('os')", [], [[]],
    [1] * 1000,
    ["a"], {}, {"a": 1}, {"class_name": "__lambda__", "config": {"value": "x"}},
    {"module": "os", "class_name": "system", "config": COMMAND, "registered_name": None},
    {"class_name": "function", "module": "os", "config": "system"},
    {"class_name": "__tensor__", "config": {"value": [[1], [2, 3]], "dtype": "float32"}},
    {"class_name": "__numpy__", "config": {"value": [10**400], "dtype": "int64"}},
)  # fmt: skip


def _wrong_values(draw: random.Random) -> Iterator[Hostile]:
    """Each option of each layer, and each connection, replaced by something else."""
    for form, number in ((form, number) for form in ("h5", "keras") for number in range(60)):
        config = config_of() if form == "h5" else keras_3_config()
        places = list(_places_in(config))
        holder, key = draw.choice(places)
        holder[key] = draw.choice(WRONG)
        if draw.random() < 0.2:
            holder, key = draw.choice(places)
            holder[key] = draw.choice(WRONG)
        name = f"{number} {key}"[:40].replace("/", "_")
        yield _config_file("wrong value", f"{name}.{form}", config)


def _places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places_in(inner)


# --- code ---


def _bytecode() -> str:
    """What Keras 2 put into a Lambda."""
    module = compile(f"f = lambda x: exec({MARK!r})", "<lambda>", "exec")
    code = next(constant for constant in module.co_consts if isinstance(constant, types.CodeType))
    return base64.b64encode(marshal.dumps(code)).decode()


def _code() -> Iterator[Hostile]:
    code = _bytecode()
    lambdas: dict[str, Config] = {
        "keras 2": {"function": [code, None, None], "function_type": "lambda", "output_shape": None},
        "keras 2 function": {"function": "system", "function_type": "function", "module": "os"},
        "keras 3": {
            "function": {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}
        },
        "output shape": {"function": "abs", "output_shape": [code, None, None], "output_shape_type": "lambda"},
    }
    for name, options in lambdas.items():
        yield from _both("code: Lambda", name, "Lambda", options)
    classes: dict[str, Config] = {
        "os.system": {"class_name": "system", "module": "os", "registered_name": "system"},
        "posix": {"class_name": "posix>system", "module": "posix"},
        "subprocess": {"class_name": "Popen", "module": "subprocess", "registered_name": "Popen"},
        "eval": {"class_name": "eval", "module": "builtins", "registered_name": None},
        "get_file": {"class_name": "get_file", "module": "keras.utils", "registered_name": "get_file"},
        "load_model": {"class_name": "load_model", "module": "keras.saving", "registered_name": None},
        "TFSMLayer": {"class_name": "TFSMLayer", "module": "keras.layers"},
        "TorchModuleWrapper": {"class_name": "TorchModuleWrapper", "module": "keras.layers"},
        "StringLookup": {"class_name": "StringLookup", "module": "keras.layers"},
        "TextVectorization": {"class_name": "TextVectorization", "module": "keras.layers"},
        "JaxLayer": {"class_name": "JaxLayer", "module": "keras.layers"},
        "Wrapper": {"class_name": "TimeDistributed", "module": "keras.layers"},
        "Pipeline": {"class_name": "Pipeline", "module": "keras.layers"},
        "own package": {"class_name": "mnmodels>system", "module": "os", "registered_name": "mnmodels>system"},
        "dunder": {"class_name": "__init__", "module": "keras.layers"},
        "operation": {"class_name": "Map", "module": "keras.src.ops.core"},
        "operation path": {"class_name": "system", "module": "keras.src.ops.numpy.np.os"},
        "vectorize": {"class_name": "Vectorize", "module": "keras.src.ops.numpy"},
    }  # fmt: skip
    inner = {"class_name": "Lambda", "config": {"name": "inner", **lambdas["keras 2"]}}
    options = {"command": COMMAND, "args": COMMAND, "source": MARK, "origin": "file:///etc/passwd",
        "filepath": "/etc/passwd",
               "vocabulary": "/etc/passwd", "layer": inner, "layers": [inner], "fname": "../canary",
               "module": base64.b64encode(pickle.dumps(_Pickled())).decode()}  # fmt: skip
    for name, words in classes.items():
        for form in ("h5", "keras"):
            config = config_of() if form == "h5" else keras_3_config()
            layer = layer_of(config, "relu")
            layer.update(words)
            layer["config"] = {"name": "relu", **options}
            yield _config_file("code: class", f"{name}.{form}", config)
    yield from _code_in_options(code)


def _both(kind: str, name: str, class_name: str, options: Config) -> Iterator[Hostile]:
    for form in ("h5", "keras"):
        config = config_of() if form == "h5" else keras_3_config()
        layer = layer_of(config, "relu")
        layer["class_name"] = class_name
        layer["config"] = {"name": "relu", "trainable": True, "dtype": "float32", **options}
        yield _config_file(kind, f"{name}.{form}", config)


def _code_in_options(code: str) -> Iterator[Hostile]:
    """Objects that Keras would look up, in every place where an option may be one."""
    objects: dict[str, Any] = {
        "system": {"module": "os", "class_name": "system", "config": COMMAND, "registered_name": None},
        "function": {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"},
        "lambda": {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}},
        "popen": {"module": "subprocess", "class_name": "Popen", "config": {"args": COMMAND, "shell": True}},
        "typespec": {"class_name": "__typespec__", "spec_name": "x", "module": "os", "config": [COMMAND]},
    }
    places = (("conv", "activation"), ("conv", "kernel_initializer"), ("conv", "kernel_regularizer"), ("conv", "dtype"),
              ("bn", "beta_constraint"), ("dense", "activity_regularizer"), ("dense", "units"), ("pool",
              "data_format"))  # fmt: skip
    for (layer, option), (name, value) in ((place, each) for place in places for each in objects.items()):
        config = keras_3_config()
        layer_of(config, layer)["config"][option] = value
        yield _config_file("code: option", f"{layer} {option} {name}.keras", config)
    for name, value in objects.items():
        config = keras_3_config()
        layer_of(config, "bn")["inbound_nodes"][0]["kwargs"] = {"training": value, "other": value}
        yield _config_file("code: call", f"{name}.keras", config)
        config = keras_3_config() | {"compile_config": {"optimizer": value, "loss": value, "metrics": [value]}}
        yield _config_file("code: compile", f"{name}.keras", config)
        config = keras_3_config()
        config["config"]["layers"][1]["build_config"] = {"input_shape": value}
        yield _config_file("code: build", f"{name}.keras", config)


def _config_file(kind: str, name: str, config: Config) -> Hostile:
    return _later(kind, name, hdf5_bytes if name.endswith(".h5") else keras_zip_bytes, config)


# --- the network ---


def _graphs() -> Iterator[Hostile]:
    sizes: dict[str, tuple[str, str, Any]] = {
        "dense": ("dense", "units", 10**12), "dense small": ("dense", "units", 10**8), "filters": ("conv", "filters",
        10**12),
        "kernel": ("conv", "kernel_size", [10**6, 10**6]), "multiplier": ("dw", "depth_multiplier", 10**9),
        "input": ("input_1", "batch_input_shape", [None, 10**9, 10**9, 3]), "batch": ("input_1", "batch_input_shape",
        [10**9, 8, 8, 3]),
        "negative": ("input_1", "batch_input_shape", [None, -1, 8, 3]), "no shape": ("input_1", "batch_input_shape",
        None),
        "rank": ("input_1", "batch_input_shape", [None] + [2] * 40), "strides": ("conv", "strides", [10**9, 10**9]),
        "dilation": ("conv", "dilation_rate", [10**9, 10**9]), "epsilon": ("bn", "epsilon", -1.0), "axis": ("bn",
        "axis", 10**9),
    }  # fmt: skip
    for name, (layer, option, value) in sizes.items():
        config = config_of()
        layer_of(config, layer)["config"][option] = value
        yield _config_file("size", f"{name}.h5", config)
    for name, (class_name, options) in {
        "upsampling": ("UpSampling2D", {"size": [10**5, 10**5]}),
        "padding": ("ZeroPadding2D", {"padding": [[0, 10**9], [0, 10**9]]}),
        "resizing": ("Resizing", {"height": 10**6, "width": 10**6}),
        "reshape": ("Reshape", {"target_shape": [10**12, -1]}),
        "repeat": ("RepeatVector", {"n": 10**12}),
        "embedding": ("Embedding", {"input_dim": 10**12, "output_dim": 10**6}),
        "prelu": ("PReLU", {}),
        "normalization": ("Normalization", {"mean": [0.0] * 100_000, "variance": [1.0] * 100_000}),
        "cropping": ("Cropping2D", {"cropping": [[4, 4], [4, 4]]}),
    }.items():
        yield from _both("size", name, class_name, options)
    yield from _wirings()


def _wirings() -> Iterator[Hostile]:
    def wired(name: str, change: Callable[[Config], None]) -> Hostile:
        config = config_of()
        change(config)
        return _config_file("graph", f"{name}.h5", config)

    def node(config: Config, layer: str, *nodes: Any) -> None:
        layer_of(config, layer)["inbound_nodes"] = list(nodes)

    yield wired("circle", lambda config: node(config, "conv", [["relu", 0, 0, {}]]))
    yield wired("itself", lambda config: node(config, "conv", [["conv", 0, 0, {}]]))
    yield wired("nowhere", lambda config: node(config, "conv", [["nothing", 0, 0, {}]]))
    yield wired("negative", lambda config: node(config, "conv", [["input_1", -1, -1, {}]]))
    yield wired("second call", lambda config: node(config, "conv", [["input_1", 5, 0, {}]]))
    yield wired("second output", lambda config: node(config, "conv", [["input_1", 0, 5, {}]]))
    yield wired("no inputs", lambda config: node(config, "conv"))
    yield wired("odd", lambda config: node(config, "conv", [["input_1", "0", 0]]))
    yield wired("many calls", lambda config: node(config, "relu", *[[["bn", 0, 0, {}]]] * 5000))
    yield wired("wide", lambda config: node(config, "relu", [["bn", 0, 0, {}]] * 20_000))
    yield wired("odd kwargs", lambda config: node(config, "relu", [["bn", 0, 0, {"a": 1, "name": "x", "self": 2}]]))
    yield wired("no outputs", lambda config: config["config"].update(output_layers=[]))
    yield wired("lost outputs", lambda config: config["config"].update(output_layers=[["nothing", 0, 0]]))
    yield wired("input as output", lambda config: config["config"].update(output_layers=[["input_1", 0, 0]]))
    yield wired("layer as input", lambda config: config["config"].update(input_layers=[["bn", 0, 0]]))
    yield wired("same names", lambda config: layer_of(config, "relu")["config"].update(name="bn"))
    yield wired("really the same", lambda config: config["config"]["layers"].append(config["config"]["layers"][1]))
    yield wired("no layers", lambda config: config["config"].update(layers=[]))
    yield wired("layers of text", lambda config: config["config"].update(layers=["a", "b"]))
    yield wired("100,000 layers", lambda config: config["config"].update(layers=config["config"]["layers"] * 15_000))
    yield _config_file("graph", "doubling.h5", _chain("Concatenate", 60, twice=True))
    yield _config_file("graph", "long.h5", _chain("Activation", 1500, activation="relu"))
    yield _config_file("graph", "adding.h5", _chain("Add", 1000, twice=True))
    deep = config_of()
    for _ in range(40):
        deep = {"class_name": "Functional", "config": {"name": "outer", "layers": [
            config_of()["config"]["layers"][0], {**deep, "name": "small", "inbound_nodes": [[["input_1", 0, 0, {}]]]}],
            "input_layers": [["input_1", 0, 0]], "output_layers": [["small", 1, 0]]}}  # fmt: skip
    yield _config_file("graph", "models in models.h5", deep)
    yield _config_file("graph", "subclassed.h5", {"class_name": "MyModel", "config": {}})
    yield _config_file(
        "graph", "sequential of nothing.h5", {"class_name": "Sequential", "config": {"name": "s", "layers": []}}
    )
    yield _config_file("graph", "sequential without input.h5", {"class_name": "Sequential", "config": [
        {"class_name": "Dense", "config": {"name": "dense", "units": 3}}]})  # fmt: skip


def _chain(class_name: str, length: int, *, twice: bool = False, **options: Any) -> Config:
    layers = config_of()["config"]["layers"][:1]
    for index in range(length):
        previous = [layers[-1]["name"], 0, 0, {}]
        name = f"l{index}"
        layers.append({"class_name": class_name, "name": name, "config": {"name": name, **options},
                       "inbound_nodes": [[previous] * (1 + twice)]})  # fmt: skip
    ends = {"input_layers": [["input_1", 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "chain", "layers": layers, **ends}}


# --- weights and HDF5 ---


def _weights() -> Iterator[Hostile]:
    changes: dict[str, Callable[[dict[str, dict[str, Any]]], object]] = {
        "nan": lambda weights: weights["conv"]["kernel"].fill(np.nan),
        "one nan": lambda weights: weights["dense"]["kernel"].__setitem__((0, 0), np.nan),
        "infinite": lambda weights: weights["bn"]["moving_variance"].fill(np.inf),
        "missing layer": lambda weights: weights.pop("dw"),
        "missing weight": lambda weights: weights["dense"].pop("bias"),
        "no weights": lambda weights: weights.clear(),
        "extra layer": lambda weights: weights.update(other={"kernel": np.ones((3, 3), "float32")}),
        "extra weight": lambda weights: weights["dense"].update(other=np.ones(3, "float32")),
        "wrong shape": lambda weights: weights["dense"].update(kernel=np.ones((3, 4), "float32")),
        "wrong rank": lambda weights: weights["conv"].update(kernel=np.ones(108, "float32")),
        "scalar": lambda weights: weights["dense"].update(bias=np.float32(1)),
        "nothing": lambda weights: weights["dense"].update(bias=np.zeros(0, "float32")),
        "complex": lambda weights: weights["dense"].update(bias=np.ones(3, "complex64")),
        "texts": lambda weights: weights["dense"].update(bias=np.array([b"a", b"b", b"c"])),
        "records": lambda weights: weights["dense"].update(bias=np.zeros(3, [("a", "f4"), ("b", "i8")])),
        "integers": lambda weights: weights["dense"].update(bias=np.arange(3)),
        "long double": lambda weights: weights["dense"].update(bias=np.ones(3, "longdouble")),
        "long name": lambda weights: weights.update({"n" * 60_000: {"kernel": np.ones(3, "float32")}}),
    }
    for name, change in changes.items():
        weights = small_weights()
        change(weights)
        yield _later("weights", f"{name}.h5", hdf5_bytes, None, weights)
        if name != "long name":
            yield _later("weights", f"{name}.keras", _zip_with_weights, weights)


def _structures() -> Iterator[Hostile]:
    for name, change in _HDF5_CHANGES.items():
        yield _later("hdf5", f"{name}.h5", hdf5_bytes, change=change)
        yield _later("hdf5", f"{name}.keras", _zip_with_weights, None, change)


def _zip_with_weights(weights: Any = None, change: Callable[[h5py.File], None] | None = None) -> bytes:
    return keras_zip_bytes(weights=weights_hdf5_bytes(weights, change))


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "data", (3,))
    file.create_virtual_dataset("virtual", layout)


def _shared_text(file: h5py.File) -> None:
    """One long text, which a thousand elements of an array refer to."""
    reference = np.array(["x" * 1_000_000] * 60, dtype=h5py.string_dtype())
    file.attrs.create("texts", reference)


def _unknown_filter(file: h5py.File) -> None:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((3,))
    properties.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1, 2))
    h5py.h5d.create(file.id, b"packed", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3,)), properties)


def _nested(file: h5py.File) -> None:
    group = file
    for _ in range(500):
        group = group.create_group("g")


def _bomb(file: h5py.File) -> None:
    """Three gigabytes of zeros."""
    data = file.create_dataset("bomb", (3 << 28,), "f4", chunks=(1 << 20,), compression="gzip", compression_opts=9)
    chunk = zlib.compress(bytes(1 << 22), 9)
    for index in range(3 << 8):
        data.id.write_direct_chunk((index << 20,), chunk)


_HDF5_CHANGES: dict[str, Callable[[h5py.File], object]] = {
    "huge": lambda file: file.create_dataset("huge", (10**6, 10**6), "f4"),
    "huge chunked": lambda file: file.create_dataset("huge", (10**6, 10**6), "f4", chunks=(100, 100)),
    "huge gzip": lambda file: file.create_dataset("huge", (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip"),
    "huge chunk": lambda file: file.create_dataset("huge", (4,), "f4", chunks=(1 << 28,), maxshape=(None,)),
    "scalar of size": lambda file: file.create_dataset("huge", (), "V100000"),
    "bomb": _bomb,
    "external link": lambda file: file.__setitem__("linked", h5py.ExternalLink("/etc/passwd", "/")),
    "soft link": lambda file: file.__setitem__("linked", h5py.SoftLink("/nothing")),
    "soft circle": lambda file: (file.__setitem__("a", h5py.SoftLink("/b")), file.__setitem__("b",
    h5py.SoftLink("/a"))),
    "hard circle": lambda file: file.create_group("g").__setitem__("back", file["/"]),
    "external data": lambda file: file.create_dataset("out", (3,), "f4", external=[("/etc/passwd", 0, 12)]),
    "external writing": lambda file: file.create_dataset("out", (3,), "f4", external=[("canary", 0,
    h5py.h5f.UNLIMITED)]),
    "virtual": _virtual,
    "deep": _nested,
    "wide": lambda file: [file.create_group(f"g{index}") for index in range(5000)],
    "wider": lambda file: [file.create_group(f"g{index}") for index in range(60_000)],
    "empty": lambda file: file.create_dataset("none", data=h5py.Empty("f4")),
    "large attribute": lambda file: file.attrs.create("long", "x" * 40_000_000),
    "texts": _shared_text,
    "many attributes": lambda file: [file.attrs.create(f"a{index}", index) for index in range(3000)],
    "reference": lambda file: file.attrs.create("reference", file.ref, dtype=h5py.ref_dtype),
    "named type": lambda file: file.__setitem__("type", np.dtype("f8")),
    "ragged": lambda file: file.create_dataset("ragged", (3,), h5py.vlen_dtype(np.dtype("f4"))),
    "references": lambda file: file.create_dataset("references", (3,), h5py.ref_dtype),
    "unknown filter": _unknown_filter,
    "contract": lambda file: file.attrs.__setitem__("mnkit", '{"schema": 1, "labels": 3, "preprocess": []}'),
    "contract newer": lambda file: file.attrs.__setitem__("mnkit", '{"schema": 99}'),
    "no config": lambda file: file.attrs.pop("model_config", None),
    "config of numbers": lambda file: file.attrs.__setitem__("model_config", np.arange(10)),
    "names of numbers": lambda file: [group.attrs.__setitem__("layer_names", [1, 2]) for group in file.values()],
    "names lost": lambda file: [group.attrs.pop("layer_names", None) for group in file.values()],
    "names elsewhere": lambda file: [
        group.attrs.__setitem__("layer_names", [b"../..", b"/", b"conv/../dense"]) for group in file.values()
    ],
    "root is a dataset": lambda file: (
        file.__delitem__(next(iter(file))), file.create_dataset("model_weights", data=[1.0]),
        file.create_dataset("layers", data=1)
    ),
}  # fmt: skip


# --- where there is no file ---


def _places() -> Iterator[Hostile]:
    yield Hostile("place", "folder", lambda path: path.mkdir())
    yield Hostile("place", "folder.h5", lambda path: path.mkdir())
    yield Hostile("place", "pipe", os.mkfifo)
    yield Hostile("place", "zeros", lambda path: path.symlink_to("/dev/zero"))
    yield Hostile("place", "terminal", lambda path: path.symlink_to("/dev/tty"))
    yield Hostile("place", "itself", lambda path: path.symlink_to(path.name))
    yield Hostile("place", "nothing", lambda _: None)
    yield Hostile("place", "lost link", lambda path: path.symlink_to("nowhere"))
    yield Hostile("place", "socket", _socket)
    yield Hostile("place", "large", _sparse)
    yield Hostile("place", "unreadable.h5", _unreadable)
    yield Hostile("place", "saved model", lambda path: _saved_model(path, b"\x08\x01\x12"))
    yield Hostile("place", "saved model of nothing", lambda path: _saved_model(path, b""))


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{folder}/{path.name}")  # a socket's path has 108 bytes
    os.close(folder)


def _sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.write(b"\x89HDF\r\n\x1a\n")
        file.truncate(5 << 30)


def _unreadable(path: Path) -> None:
    path.write_bytes(hdf5_bytes())
    path.chmod(0)


def _saved_model(path: Path, graph: bytes) -> None:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(graph)
