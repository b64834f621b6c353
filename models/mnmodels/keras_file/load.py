"""A Keras file of any era to a Keras 3 model: read within bounds, translated by our own lists, never executed."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from mninfer.errors import KerasFileError, MnError
from mninfer.model_file import SourceContract
from mnmodels.backend import start_keras
from mnmodels.keras_file.file_bytes import read_file_bytes, refuse_other_formats
from mnmodels.keras_file.hdf5 import HDF5_MAGIC, Hdf5, read_hdf5
from mnmodels.keras_file.plain_values import parse_json
from mnmodels.keras_file.source_contract import MAX_CONTRACT_BYTES, MEMBER, contract_of
from mnmodels.keras_file.zip_members import ZIP_MAGICS, ZipMembers

__all__ = ["FileKind", "KerasFile", "load_keras"]

MAX_CONFIG_BYTES = 8 << 20


class FileKind(StrEnum):
    """What a file turned out to be."""

    HDF5 = "hdf5"
    KERAS_ZIP = "keras-zip"
    WEIGHTS_ONLY = "weights-only"
    SAVED_MODEL = "saved-model"


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasFile:
    """A model, and what is known of the file that it came from.

    ``changes`` has a sentence for each thing that was dropped, mapped or replaced; ``contract`` has labels and
    preprocessing.
    """

    model: Any = field(repr=False)
    name: str
    sha256: str
    kind: FileKind
    keras_version: str | None
    changes: tuple[str, ...]
    contract: SourceContract | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What the user says of a file."""

    arch: Mapping[str, Any] | None
    lambdas: Mapping[str, str]
    custom: Sequence[str]

    def refuse_code(self, why: str) -> None:
        """Raise MnError where a function or a class is stated, of which ``why`` says that it is of no use."""
        if self.lambdas or self.custom:
            raise MnError(why, hints="leave out --lambda and --custom")


def load_keras(
    path: str | os.PathLike[str],
    *,
    arch: Mapping[str, Any] | None = None,
    lambdas: Mapping[str, str] | None = None,
    custom: Sequence[str] = (),
    trust: bool = False,
) -> KerasFile:
    """Load a Keras file of any era, told by its content.

    ``arch`` describes the network of a file of weights alone, as ``{"name": "mobilenet_v1", "alpha": 0.25}``;
    ``lambdas`` states what a Lambda computes, as ``{"lambda": "x/127.5-1"}``; ``custom`` names classes of yours, as
    ``"my_layers:MyLayer"``; ``trust`` lets a SavedModel run, which is a program.

    Raises:
        KerasFileError: no Keras file, damaged, or weights without ``arch``.
        UnsupportedModelError: it has layers that are code; lists all of them, and how to go on.
    """
    where = os.fspath(path)
    request = _Request(arch=arch, lambdas=dict(lambdas or {}), custom=tuple(custom))
    if (Path(where) / "saved_model.pb").is_file():
        from mnmodels.keras_file.saved_model import load_saved_model

        if arch is not None:
            raise MnError("a SavedModel says itself what it is", where=where, hints="leave out --arch")
        request.refuse_code("a SavedModel runs as one program, with its own code")
        return load_saved_model(Path(where), trust=trust)
    data = read_file_bytes(where)
    try:
        found = _load(data, request)
    except MnError as error:
        raise error.at(where) from error.__cause__
    return KerasFile(name=Path(where).name, sha256=hashlib.sha256(data).hexdigest(), **found)


def _load(data: bytes, request: _Request) -> dict[str, Any]:
    """The fields of a KerasFile, but for those that its path gives."""
    ignored: tuple[str, ...] = ()
    if data.startswith(HDF5_MAGIC):
        file = read_hdf5(data)
        version, backend = (_stated(file, name) for name in ("keras_version", "backend"))
        config = file.text("", "model_config")
        contract = contract_of(file.text("", MEMBER))
        kind = FileKind.HDF5
    elif data.startswith(ZIP_MAGICS):
        members = ZipMembers.of(data)
        file, config, version, ignored = _read_zip(members)
        backend = None
        text = members.read(MEMBER, MAX_CONTRACT_BYTES)
        contract, kind = contract_of(text), FileKind.KERAS_ZIP
    else:
        refuse_other_formats(data)
    start_keras()
    if config is None or request.arch is not None:
        request.refuse_code("the weights go into a network of the registry, which has no code of the file's")
        from mnmodels.keras_file.weights_only import model_with_weights

        model, changes = model_with_weights(file, request.arch, is_described=config is not None)
        kind = FileKind.WEIGHTS_ONLY if config is None else kind
    else:
        from mnmodels.keras_file.from_config import model_from_config

        parsed = parse_json(config, "the model's configuration")
        model, changes = model_from_config(
            parsed, file, version=version, backend=backend, lambdas=request.lambdas, custom=request.custom
        )
        if file.text("", "training_config") or parsed.get("compile_config"):
            changes += ("the optimizer, the losses and the metrics are not loaded",)
    return {
        "model": model, "kind": kind, "keras_version": version, "changes": changes + ignored, "contract": contract,
    }  # fmt: skip


def _stated(file: Hdf5, name: str) -> str | None:
    """An attribute of the file, or of its weights, where some versions have it alone."""
    return file.text("", name) or file.text("model_weights", name)


def _read_zip(members: ZipMembers) -> tuple[Hdf5, str, str | None, tuple[str, ...]]:
    """The weights, the configuration, the version and what is not read of a zip that Keras 3 wrote."""
    config = members.read("config.json", MAX_CONFIG_BYTES)
    if config is None:
        inside = [name for name in members.infos if name.endswith((".h5", ".keras", ".hdf5"))][:3]
        hint = f"unpack it and give {', '.join(inside)}" if inside else "give the .h5 or .keras file"
        raise KerasFileError("the Keras file is a zip archive that is no .keras file", hints=hint)
    weights = members.read("model.weights.h5")
    if weights is None:
        raise KerasFileError("the .keras file has no model.weights.h5", hints="save the model as one file again")
    metadata = parse_json(members.read("metadata.json", 1 << 20) or b"{}", "metadata.json")
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    known = {"config.json", "model.weights.h5", "metadata.json", MEMBER}
    others = sorted(name for name in members.infos if name not in known and not name.endswith("/"))
    ignored = (f"{len(others)} other members are not read, such as {others[0]}",) if others else ()
    text = config.decode("utf-8", "replace")
    return read_hdf5(weights), text, version if isinstance(version, str) else None, ignored
