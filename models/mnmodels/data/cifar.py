"""CIFAR-10 and CIFAR-100 as their authors publish them: the python batches (pickles) and the binary ones.

https://www.cs.toronto.edu/~kriz/cifar.html. A picture is 3072 bytes: 1024 red ones, row by row, then green and blue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mninfer.errors import InputError
from mninfer.model_file.labels import parse_labels
from mnmodels.data.array_pictures import ArrayPictures
from mnmodels.data.contents import Contents, Member
from mnmodels.data.pictures import Classes, Pixels
from mnmodels.weights.restricted_pickle import load_pickle

__all__ = ["CIFAR_FOLDERS", "CIFAR_NAMES", "Cifar", "find_cifar", "read_cifar"]

SIDE = 32
PICTURE_BYTES = 3 * SIDE * SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """One of the four forms. ``label_bytes`` stand before each picture of a binary one; the last is the fine class."""

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    meta: str
    names_key: str = ""
    labels_key: str = ""
    label_bytes: int = 0


_LAYOUTS = (
    _Layout(
        folder="cifar-10-batches-py",
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test=("test_batch",),
        meta="batches.meta",
        names_key="label_names",
        labels_key="labels",
    ),
    _Layout(
        folder="cifar-100-python",
        train=("train",),
        test=("test",),
        meta="meta",
        names_key="fine_label_names",
        labels_key="fine_labels",
    ),
    _Layout(
        folder="cifar-10-batches-bin",
        train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        test=("test_batch.bin",),
        meta="batches.meta.txt",
        label_bytes=1,
    ),
    _Layout(
        folder="cifar-100-binary",
        train=("train.bin",),
        test=("test.bin",),
        meta="fine_label_names.txt",
        label_bytes=2,
    ),
)
CIFAR_NAMES = frozenset(name for layout in _LAYOUTS for name in (*layout.train, *layout.test, layout.meta))
CIFAR_FOLDERS = frozenset(layout.folder for layout in _LAYOUTS)


@dataclass(frozen=True, slots=True)
class Cifar:
    """The files of one form, by their base name."""

    layout: _Layout
    files: Mapping[str, Member]


def find_cifar(contents: Contents) -> Cifar | None:
    """Which form is there: its file of class names and one of its batches, in one folder."""
    folders: dict[str, dict[str, Member]] = {}
    for member in contents.others:
        folder, _, base = member.name.rpartition("/")
        folders.setdefault(folder, {})[base] = member
    for files in folders.values():
        for layout in _LAYOUTS:
            if layout.meta in files and any(name in files for name in (*layout.train, *layout.test)):
                return Cifar(layout, files)
    return None


def read_cifar(cifar: Cifar, part: str, where: str) -> ArrayPictures:
    """The pictures of one part, labels in sorted order (as the authors' lists are).

    Raises:
        InputError: a batch is missing, or isn't what it should be.
    """
    layout = cifar.layout
    wanted = layout.train if part == "train" else layout.test
    for name in wanted:
        if name not in cifar.files:
            raise InputError(f'"{name}" is missing from {layout.folder}', where=where)
    published = _label_names(cifar, where)
    read = _binary_batch if layout.label_bytes else _pickled_batch
    batches = [read(cifar.files[name], layout, where) for name in wanted]
    classes = np.concatenate([classes for _, classes in batches])
    if classes.size and not 0 <= classes.min() <= classes.max() < len(published):
        raise InputError(f"a class {int(classes.max())} of {len(published)}", where=where)
    labels = tuple(sorted(published))
    place = np.array([labels.index(label) for label in published], np.int64)
    names = [f"{name}/{i:05}" for name, (_, c) in zip(wanted, batches, strict=True) for i in range(len(c))]
    images = np.concatenate([images for images, _ in batches])
    return ArrayPictures(images=images, classes=place[classes], labels=labels, names=names, where=where)


def _label_names(cifar: Cifar, where: str) -> Sequence[str]:
    member = cifar.files[cifar.layout.meta]
    if cifar.layout.label_bytes:
        names = list(parse_labels(member.read(), where))
    else:
        names = [_as_text(name) for name in _field(_unpickled(member, where), cifar.layout.names_key, list, where)]
    if len(set(names)) != len(names):
        raise InputError(f'"{member.name}" has one class name twice', where=where)
    return names


def _pickled_batch(member: Member, layout: _Layout, where: str) -> tuple[Pixels, Classes]:
    batch = _unpickled(member, where)
    rows = _field(batch, "data", np.ndarray, where)
    classes = _field(batch, layout.labels_key, list, where)
    if rows.dtype != np.uint8 or rows.shape != (len(classes), PICTURE_BYTES):
        raise InputError(f'"{member.name}" holds {rows.dtype} {rows.shape} for {len(classes)} classes', where=where)
    if not all(type(number) is int and 0 <= number < 1000 for number in classes):
        raise InputError(f'"{member.name}" has a class that is no number', where=where)
    return _as_pictures(rows), np.array(classes, np.int64)


def _binary_batch(member: Member, layout: _Layout, where: str) -> tuple[Pixels, Classes]:
    data = member.read()
    row = layout.label_bytes + PICTURE_BYTES
    if not data or len(data) % row:
        raise InputError(f'"{member.name}" has {len(data):,} bytes, no multiple of {row:,}: cut off?', where=where)
    rows = np.frombuffer(data, np.uint8).reshape(-1, row)
    return _as_pictures(rows[:, layout.label_bytes :]), rows[:, layout.label_bytes - 1].astype(np.int64)


def _as_pictures(rows: Pixels) -> Pixels:
    return np.ascontiguousarray(rows.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def _unpickled(member: Member, where: str) -> Mapping[Any, Any]:
    value = load_pickle(member.read(), where=f"{where}: {member.name}")
    if not isinstance(value, dict):
        raise InputError(f'"{member.name}" is a pickled {type(value).__name__}, not a dictionary', where=where)
    return value


def _field(batch: Mapping[Any, Any], key: str, kind: type, where: str) -> Any:
    """What Python 2 pickled as text comes back as bytes or as text, by who reads it."""
    value = batch.get(key, batch.get(key.encode()))
    if not isinstance(value, kind):
        raise InputError(f'a batch has no {kind.__name__} "{key}"', where=where)
    return value


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
