"""Pictures in TFRecords as ImageNet's are commonly kept: encoded pictures, with a class number or a wnid.

Two sets of names are known: ``image/encoded`` with ``image/class/synset``, ``image/class/text`` or
``image/class/label`` (TensorFlow's models; labels count from 1, 0 is the background), and ``image`` with ``label``
(TensorFlow Datasets; labels count from 0). Pictures are read when they are wanted, their checksums compared then.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError
from mninfer.preprocessing import PreprocessSpec
from mnmodels.data.class_folders import PARTS
from mnmodels.data.fitting import fit_pictures
from mnmodels.data.pictures import STRETCH, Classes, Pixels, SkippedPicture
from mnmodels.data.tf_example import Value, read_example
from mnmodels.data.tf_records import Record, iterate_records, place_of, read_record

__all__ = ["RecordPictures", "read_record_files"]

IMAGE_KEYS = ("image/encoded", "image")
NAME_KEYS = ("image/class/synset", "image/class/text")
NUMBER_KEYS = {"image/class/label": 1, "label": 0}  # with the number of the first class


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordPictures:
    """``records`` say where each picture's record lies."""

    records: Sequence[Record]
    classes: Classes
    labels: tuple[str, ...]
    names: Sequence[str]
    where: str
    skipped: tuple[SkippedPicture, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def source(self, index: int) -> bytes:
        """The picture file in a record. Raise InputError where the record does not have its checksum."""
        record = self.records[index]
        return bytes(_image(read_example(memoryview(read_record(record))), record))

    def located(self, index: int) -> tuple[str, bytes]:
        return place_of(self.records[index]), self.source(index)

    def load(
        self,
        indices: Sequence[int] | npt.NDArray[np.integer],
        size: tuple[int, int],
        *,
        fit: PreprocessSpec = STRETCH,
        workers: int | None = None,
    ) -> Pixels:
        located = [self.located(index) for index in np.asarray(indices, np.intp).tolist()]
        return fit_pictures(located, size, fit=fit, workers=workers)

    def take(self, indices: Sequence[int] | npt.NDArray[np.integer]) -> "RecordPictures":
        chosen = np.asarray(indices, np.intp)
        return replace(
            self,
            records=[self.records[index] for index in chosen.tolist()],
            classes=self.classes[chosen],
            names=[self.names[index] for index in chosen.tolist()],
        )

    def digest(self, index: int) -> bytes:
        """SHA-256 of one picture's file."""
        return hashlib.sha256(self.source(index)).digest()


def read_record_files(paths: Sequence[str], part: str, where: str) -> RecordPictures:
    """The pictures of the files of one part: those with its name in theirs; all, where no file names a part.

    Raises:
        InputError: a file is damaged, or a record holds no picture or no class.
    """
    rows = [row for path in _of_part(paths, part, where) for row in _rows(path)]
    if not rows:
        raise InputError("no records", where=where)
    labels = tuple(sorted({label for _, label, _ in rows}))
    number = {label: index for index, label in enumerate(labels)}
    return RecordPictures(
        records=[record for record, _, _ in rows],
        classes=np.array([number[label] for _, label, _ in rows], np.int64),
        labels=labels,
        names=[name for _, _, name in rows],
        where=where,
    )


def _of_part(paths: Sequence[str], part: str, where: str) -> Sequence[str]:
    parts = {path: _part_in(os.path.basename(path)) for path in paths}
    if not any(parts.values()):
        return paths
    chosen = [path for path in paths if parts[path] == part]
    if not chosen:
        present = ", ".join(sorted({name for name in parts.values() if name}))
        raise InputError(f"there is no {part} part: only {present}", where=where)
    return chosen


def _part_in(name: str) -> str | None:
    words = set(re.split(r"[^a-z]+", name.lower()))
    return next((part for part, names in PARTS.items() if words & set(names)), None)


def _rows(path: str) -> Iterator[tuple[Record, str, str]]:
    """(record, label, name) of each record of a file."""
    for number, (record, data) in enumerate(iterate_records(path)):
        try:
            example = read_example(memoryview(data))
            _image(example, record)
        except InputError as error:
            raise error.at(place_of(record)) from error.__cause__
        yield record, _label(example, record), f"{os.path.basename(path)}/{number:06}"


def _image(example: Mapping[str, Value], record: Record) -> memoryview:
    for key in IMAGE_KEYS:
        if isinstance(value := example.get(key), memoryview):
            return value
    raise _lacking("encoded picture", IMAGE_KEYS, example, record)


def _label(example: Mapping[str, Value], record: Record) -> str:
    """A wnid or a text; else the number, from 0, in four digits."""
    for key in NAME_KEYS:
        if isinstance(value := example.get(key), memoryview) and len(value):
            return bytes(value).decode("utf-8", "replace")
    for key, first in NUMBER_KEYS.items():
        if isinstance(number := example.get(key), int) and number >= first:
            return f"{number - first:04}"
    raise _lacking("class", (*NAME_KEYS, *NUMBER_KEYS), example, record)


def _lacking(what: str, keys: Sequence[str], example: Mapping[str, Value], record: Record) -> InputError:
    return InputError(
        f"a record without {what}: none of {', '.join(keys)}",
        where=place_of(record),
        hints=f"it has {', '.join(sorted(example)[:12]) or 'no features'}",
    )
