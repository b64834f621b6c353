"""A folder with all that is measured of one model, and ``bundle.json``, which says what each file in it is.

It travels: to another device by ssh, by hand, or in an archive. So it is read as something that others may have
written: names that stay in the folder, sizes and digests that fit.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnbench.agreement import FLOAT_MODEL, is_held_against_its_own_form
from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Variant, Work
from mnbench.fields import Fields
from mnbench.record import MeasuredModel
from mninfer.errors import InputError, ModelFileError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file, write_atomically
from mninfer.model_file import dump_json, load_json

__all__ = [
    "BUNDLE_NAME",
    "KERAS",
    "Bundle",
    "StoredFile",
    "file_key",
    "is_bundle",
    "read_bundle",
    "read_manifest",
    "write_bundle",
]

BUNDLE_NAME = "bundle.json"
KERAS = "keras"  # the key of the weights that training frameworks load
SCHEMA = 1
_MOST_BYTES = 2 << 30
_MOST_MANIFEST_BYTES = 1 << 20


def file_key(variant: Variant, batch: int = 1) -> str:
    """How a flatbuffer of a bundle, and a reference, is called in it."""
    return str(variant) if batch == 1 else f"{variant}@b{batch}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a bundle: its name in the folder, and what it has to be."""

    name: str
    sha256: str
    size_bytes: int

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "sha256": self.sha256, "size_bytes": self.size_bytes}

    @classmethod
    def of(cls, name: str, data: bytes) -> "StoredFile":
        return cls(name, hashlib.sha256(data).hexdigest(), len(data))

    @classmethod
    def from_json(cls, value: object, where: str) -> "StoredFile":
        fields = Fields(value, where)
        return cls(fields.file_name("name"), fields.text("sha256"), fields.count("size_bytes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One model, prepared. ``identity`` is the digest of what it was made from, ``made_by`` the versions of what did.

    ``network`` is what a training framework builds without a file. ``stored`` holds the flatbuffers by variant and
    batch (``file_key``) and the Keras file as "keras"; ``inputs`` the input of each batch; ``references`` the outputs
    that others are held against, by ``file_key`` too, and ``reference`` whose they are. ``missing`` says of a
    flatbuffer that was wanted why it isn't there.
    """

    folder: Path
    identity: str
    model: MeasuredModel
    photo_file: StoredFile
    network: Mapping[str, Any] = field(default_factory=dict)
    stored: Mapping[str, StoredFile] = field(default_factory=dict)
    inputs: Mapping[int, StoredFile] = field(default_factory=dict)
    references: Mapping[str, StoredFile] = field(default_factory=dict)
    reference: str = FLOAT_MODEL
    missing: Mapping[str, str] = field(default_factory=dict)
    made_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Mapping[str, Path]:
        """The model's files by their keys."""
        return {key: self.folder / file.name for key, file in self.stored.items()}

    @property
    def photo(self) -> Path:
        return self.folder / self.photo_file.name

    @property
    def variants(self) -> frozenset[Variant]:
        """What there are flatbuffers of, whatever their batch."""
        return frozenset(Variant(key.partition("@")[0]) for key in self.stored if key != KERAS)

    @property
    def is_trainable(self) -> bool:
        return KERAS in self.stored

    def file_for(self, cell: Cell) -> Path | None:
        """What the cell's engine loads, or is converted from; None where there is no such file, or none is needed."""
        if cell.work is Work.IMPORT:
            return None
        is_keras = engine_entry(cell.engine).kind is EngineKind.KERAS
        return self.files.get(KERAS if is_keras else file_key(cell.variant, cell.batch))

    def input_for(self, batch: int) -> Path:
        """The input of so many pictures. Raise InputError where none was prepared."""
        if batch not in self.inputs:
            raise InputError(
                f"the bundle has no input of {batch} pictures",
                where=str(self.folder),
                hints=f"mnbench prepare --batch {batch} makes one",
            )
        return self.folder / self.inputs[batch].name

    def reference_for(self, cell: Cell) -> Path:
        """The outputs that the cell's are held against; a peer's integers against those of our own flatbuffer."""
        key = self._reference_key(cell)
        if key not in self.references:
            raise InputError(f'the bundle has no reference "{key}"', where=str(self.folder))
        return self.folder / self.references[key].name

    def reference_name(self, cell: Cell) -> str:
        """Whose outputs these are, in words."""
        if self.reference == FLOAT_MODEL and self._reference_key(cell) != file_key(Variant.FLOAT32, cell.batch):
            return f"our {cell.variant} flatbuffer"
        return self.reference

    def _reference_key(self, cell: Cell) -> str:
        own, floats = file_key(cell.variant, cell.batch), file_key(Variant.FLOAT32, cell.batch)
        return own if is_held_against_its_own_form(cell) and own in self.references else floats

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": "mnbench bundle",
            "identity": self.identity,
            "model": self.model.to_json(),
            "network": dict(self.network),
            "photo": self.photo_file.to_json(),
            "files": {key: file.to_json() for key, file in self.stored.items()},
            "inputs": {str(batch): file.to_json() for batch, file in self.inputs.items()},
            "references": {key: file.to_json() for key, file in self.references.items()},
            "reference": self.reference,
            "missing": dict(self.missing),
            "made_by": dict(self.made_by),
        }

    @classmethod
    def from_json(cls, value: object, folder: Path) -> "Bundle":
        """Raise InputError naming what is wrong; files are not looked at."""
        fields = Fields(value, "the bundle")
        _check_kind(fields)
        missing = Fields(fields.mapping("missing"), "missing")
        made_by = Fields(fields.optional("made_by", fields.mapping) or {}, "made_by")
        return cls(
            folder=folder,
            identity=fields.text("identity"),
            model=_model(fields),
            network=fields.mapping("network"),
            photo_file=StoredFile.from_json(fields.raw("photo"), "photo"),
            stored={_checked_key(key): file for key, file in _stored(fields, "files").items()},
            inputs={_batch(text): file for text, file in _stored(fields, "inputs").items()},
            references={_checked_key(key): file for key, file in _stored(fields, "references").items()},
            reference=fields.optional("reference", fields.text) or FLOAT_MODEL,
            missing={_checked_key(key): missing.text(key) for key in fields.mapping("missing")},
            made_by={name: made_by.text(name) for name in fields.optional("made_by", fields.mapping) or {}},
        )


def is_bundle(path: Path) -> bool:
    """Whether a folder looks like a bundle."""
    return (path / BUNDLE_NAME).is_file()


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle and make sure that its files are what they were when it was written.

    Raises:
        InputError: no bundle, damaged, or a file of it is missing or another one.
    """
    bundle = read_manifest(folder)
    try:
        for file in _all_files(bundle):
            _check(folder / file.name, file)
    except InputError as error:
        raise error.at(str(folder)) from error.__cause__
    return bundle


def read_manifest(folder: Path) -> Bundle:
    """The same without looking at the other files. Raise InputError."""
    where = str(folder / BUNDLE_NAME)
    try:
        return Bundle.from_json(load_json(_read(folder / BUNDLE_NAME, _MOST_MANIFEST_BYTES), "the file"), folder)
    except ModelFileError as error:
        raise InputError(error.what, where=where, hints=error.hints) from error
    except InputError as error:
        raise error.at(where) from error.__cause__


def write_bundle(bundle: Bundle) -> None:
    """Write ``bundle.json``, after which its files count as there. Raise OutputError."""
    write_atomically(bundle.folder / BUNDLE_NAME, dump_json(bundle.to_json()), force=True)


def _all_files(bundle: Bundle) -> tuple[StoredFile, ...]:
    tables = (bundle.stored, bundle.inputs, bundle.references)
    return (bundle.photo_file, *(file for table in tables for file in table.values()))


def _check(path: Path, file: StoredFile) -> None:
    data = _read(path, _MOST_BYTES)
    if len(data) != file.size_bytes or hashlib.sha256(data).hexdigest() != file.sha256:
        raise InputError(
            f'"{file.name}" is not the file that was prepared: damaged on its way, or changed since',
            hints="mnbench prepare makes the bundle anew",
        )


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        return read_regular_file(path, most_bytes)
    except (NotRegularFileError, FileTooLargeError) as error:
        raise InputError(f'"{path.name}" of the bundle can\'t be read: {error}') from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f'"{path.name}" of the bundle can\'t be read: {reason}') from error


def _check_kind(fields: Fields) -> None:
    if "kind" not in fields or fields.raw("kind") != "mnbench bundle":
        raise InputError("this is no bundle of mnbench prepare")
    schema = fields.count("schema")
    if schema != SCHEMA:
        raise InputError(
            f"the bundle has schema {schema}, this mnbench reads {SCHEMA}",
            hints="upgrade mnkit: a newer one wrote it" if schema > SCHEMA else (),
        )


def _model(fields: Fields) -> MeasuredModel:
    """The model, whose name folders get, and the facts that ``mnbench prepare`` shows."""
    model = MeasuredModel.from_json(fields.mapping("model"), "model")
    Fields(fields.mapping("model"), "model").file_name("name")
    for key, facts in model.files.items():
        told = Fields(facts, f'model: files["{key}"]')
        told.text("sha256")
        told.count("size_bytes")
    for key, facts in model.accuracy.items():
        told = Fields(facts, f'model: accuracy["{key}"]')
        told.number("top1_percent")
        told.number("standard_error")
    return model


def _stored(fields: Fields, name: str) -> dict[str, StoredFile]:
    table = fields.mapping(name)
    return {key: StoredFile.from_json(value, f'{name}["{key}"]') for key, value in table.items()}


def _batch(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 1 << 16):
        raise InputError(f'inputs: "{text}" is no number of pictures')
    return int(text)


def _checked_key(key: str) -> str:
    """A key as ``file_key`` makes it, or "keras"."""
    variant, at, batch = key.partition("@b")
    known = key == KERAS or (variant in list(Variant) and (not at or _batch(batch) > 1))
    if not known:
        raise InputError(f'"{key}" is no variant of a bundle')
    return key
