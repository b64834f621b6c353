"""What somebody asks to be measured, told apart: a network by name, a Keras file, a .tflite, a bundle."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnbench.fields import MOST_NAME_BYTES, NOT_IN_NAMES
from mnbench.preparing.bundle import is_bundle
from mninfer.errors import InputError, KerasFileError, MissingDependencyError
from mninfer.near import near_files, near_names

__all__ = [
    "BundleRequest",
    "FlatbufferRequest",
    "KerasRequest",
    "ModelRequest",
    "NetworkRequest",
    "read_request",
    "refuse_namesakes",
]

_SPELLING = re.compile(r"(?P<family>[a-z0-9_]+?)(?:_(?P<alpha>\d+(?:\.\d+)?))?(?:_(?P<size>\d{2,4}))?")
_ALPHAS = ("0.25", "0.35", "0.5", "0.75", "1.0", "1.4")
_SIZES = (96, 128, 160, 192, 224)
_SUFFIXES = (".tflite", ".keras", ".h5", ".hdf5")
_SMALLEST, _LARGEST = 32, 1024
_START_BYTES = 4096
_DIVISOR = 32  # by so much a network shrinks the picture


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """A network of the registry with seeded random weights."""

    name: str
    architecture: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KerasRequest:
    """A Keras file of any era, with the weights that it has."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class FlatbufferRequest:
    """A .tflite, measured as it is."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class BundleRequest:
    """A folder that was prepared before."""

    name: str
    path: Path


ModelRequest = NetworkRequest | KerasRequest | FlatbufferRequest | BundleRequest


def read_request(text: str) -> ModelRequest:
    """What ``text`` asks for: what lies at that path, else a network by name, as "mobilenet_v1_1.0_224".

    Raises:
        InputError: no such file, or no such network; with near names.
    """
    path = Path(text)
    if os.path.lexists(text):
        return _read_path(path)
    if os.sep in text or text.lower().endswith(_SUFFIXES):
        near = near_files(text)
        raise InputError("there is no such model file", where=text, hints=f"did you mean {near[0]}?" if near else ())
    return _read_name(text)


def refuse_namesakes(requests: Sequence[str], names: Sequence[str]) -> None:
    """Raise InputError where two ``requests`` have one name: one folder, and rows that nobody can tell apart."""
    by_name: dict[str, str] = {}
    for text, name in zip(requests, names, strict=True):
        other = by_name.setdefault(name, text)
        if other != text:
            raise InputError(
                f'two models are called "{name}"',
                where=f"{other}, {text}",
                hints=("rename one of the files", "of two bundles, measure one after the other"),
            )


def _read_path(path: Path) -> ModelRequest:
    if path.is_dir():
        if is_bundle(path):
            return BundleRequest(path.resolve().name, path)
        raise InputError(
            "the folder is no bundle: it has no bundle.json",
            where=str(path),
            hints=("mnbench prepare -o FOLDER makes bundles, a folder to each model", "a Keras file or a .tflite"),
        )
    if not path.is_file():
        raise InputError("the model is no regular file", where=str(path))
    name = _name_of(path)
    start = _start_of(path)
    is_keras = start.startswith((b"\x89HDF", b"PK"))
    if start[4:8] == b"TFL3" or (path.suffix.lower() == ".tflite" and not is_keras):
        return FlatbufferRequest(name, path)
    if not is_keras:
        _refuse(start, path)
    return KerasRequest(name, path)


def _name_of(path: Path) -> str:
    """What the model is called after its file: a name that a folder can have on every system, and JSON can hold."""
    name = NOT_IN_NAMES.sub("_", path.stem).strip().lstrip(".")
    return name.encode()[:MOST_NAME_BYTES].decode(errors="ignore") or "model"


def _start_of(path: Path) -> bytes:
    """The first bytes, which tell what a file is whatever it is called."""
    try:
        with path.open("rb") as file:
            return file.read(_START_BYTES)
    except OSError as error:
        raise InputError(f"the model can't be read: {error.strerror}", where=str(path)) from error


def _refuse(start: bytes, path: Path) -> None:
    """Raise KerasFileError that names what this is, before anybody installs TensorFlow for it."""
    try:
        from mnmodels.keras_file.file_bytes import refuse_other_formats
    except ModuleNotFoundError:  # our packages alone: a Keras file can't be prepared there anyway, and that is told
        return
    try:
        refuse_other_formats(start)
    except KerasFileError as error:
        raise error.at(str(path)) from None


def _read_name(text: str) -> NetworkRequest:
    families = _families()
    match = _SPELLING.fullmatch(text)
    family = match["family"] if match else ""
    if match is None or family not in families:
        raise _unknown(text, families)
    alpha, size = float(match["alpha"] or 1.0), int(match["size"] or 224)
    if not 0 < alpha <= 10 or not _SMALLEST <= size <= _LARGEST or size % _DIVISOR:
        raise InputError(
            f'no network "{text}": the width is above 0 and at most 10, the picture {_SMALLEST} to {_LARGEST}, '
            f"a multiple of {_DIVISOR}",
            hints=f"{family}_{_ALPHAS[-2]}_224",
        )
    # Dropout would be another mask in each engine, and the outputs of a training step not comparable.
    options = {"alpha": alpha, "input_shape": [size, size, 3], "dropout": 0.0}
    return NetworkRequest(f"{family}_{alpha}_{size}", family, options)


def _families() -> tuple[str, ...]:
    try:
        from mnmodels.architectures.registry import ARCHITECTURES
    except ModuleNotFoundError as error:  # our packages alone, as another device or a peer's Python gets them
        raise MissingDependencyError(
            "the networks by name are not here: only the runtime and the benchmark are",
            hints=("a folder of mnbench prepare, or a .tflite", "install the whole of mnkit"),
        ) from error
    return tuple(ARCHITECTURES)


def _unknown(text: str, families: tuple[str, ...]) -> InputError:
    spelled = [f"{family}_{alpha}_{size}" for family in families for alpha in _ALPHAS for size in _SIZES]
    near = near_names(text, [*families, *spelled])
    hints = (f'did you mean "{near[0]}"?',) if near else ()
    return InputError(
        f'no network and no file is called "{text}"',
        hints=(*hints, f"FAMILY_WIDTH_SIZE, as mobilenet_v1_1.0_224; the families are {', '.join(families)}"),
    )
