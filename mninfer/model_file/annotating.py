"""Attach the contract to a model that somebody already has: weights stay, answers are recorded by running it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mninfer.errors import ModelFileError, PreprocessError, UnsupportedModelError
from mninfer.model_file.archive import ArchiveEntry, read_archive
from mninfer.model_file.contract import CONTRACT_NAME, Contract
from mninfer.model_file.describe import ModelDescription
from mninfer.model_file.foreign import label_entries
from mninfer.model_file.golden.make import make_golden
from mninfer.model_file.golden.run import Run
from mninfer.model_file.labels import LABELS_NAME
from mninfer.model_file.metadata import FileMetadata
from mninfer.model_file.model_table import decode_model, encode_model
from mninfer.model_file.read import ModelFile, read_model
from mninfer.model_file.write import write_contract
from mninfer.outputs import read_outputs
from mninfer.preprocessing import PreprocessSpec
from mninfer.spec import Provenance, Task
from mninfer.version import installed_version

__all__ = ["annotate"]


def annotate(
    data: bytes,
    *,
    run: Run,
    preprocess: PreprocessSpec | None = None,
    labels: Sequence[str] | None = None,
    task: Task | None = None,
    about: ModelDescription | None = None,
    source_name: str | None = None,
    allow_unlisted_ops: bool = False,
    uses_xnnpack: bool = True,
) -> bytes:
    """The model with our contract. What is not stated is taken from the file: its contract, or its metadata.

    ``run`` is an engine's ``run`` on these bytes, ``uses_xnnpack`` what that engine says of itself. A file of ours
    keeps its provenance, and its verification unless another preprocessing is stated; doing it twice gives the same
    bytes as once.

    Raises:
        PreprocessError: neither stated nor in the file.
        ModelFileError: damaged, or the labels do not fit the classes.
        UnsupportedModelError: no single picture as input, or something that rewriting would lose.
    """
    # Lenient where all is stated: that is the remedy for a file of ours that another tool has changed.
    is_strict = preprocess is None
    file = read_model(data, where=source_name or "the model", allow_unlisted_ops=allow_unlisted_ops, strict=is_strict)
    before = file.contract
    spec = preprocess or (before.preprocess if before else file.foreign_preprocess)
    if spec is None:
        raise PreprocessError(
            "the file does not say how a picture becomes its input",
            where=source_name,
            hints=(
                "--preprocess inception ([-1, 1]), torch, caffe, raw or mean=..,std=.. as the model was trained with",
            ),
        )
    contract = Contract(
        task=_settle_task(file, task),
        preprocess=spec,
        provenance=before.provenance if before else _provenance(file, source_name),
        verification=_still_holds(before, spec),
        golden=make_golden(run, file.graph, spec, uses_xnnpack=uses_xnnpack),
    )
    return write_contract(
        _without_unreadable_archive(data),
        contract,
        labels if labels is not None else file.labels,
        about=_description(file.metadata, about),
        kept_entries=_kept_entries(file),
    )


def _settle_task(file: ModelFile, stated: Task | None) -> Task:
    """What is stated, else what the file says, else what its outputs look like."""
    recorded = file.contract.task if file.contract else None
    if stated is Task.SEGMENT and (looks := read_outputs(file.graph).task) is Task.CLASSIFY:
        raise UnsupportedModelError(f'the model is not for "{stated}": its outputs are those of a model to {looks}')
    task = read_outputs(file.graph, stated or recorded).task
    detects = read_outputs(file.graph).detection is not None
    if (stated and task is not stated) or (task is Task.DETECT and not detects):
        found = "its outputs are those of a detector" if detects else "it lacks the detector's post-processing operator"
        raise UnsupportedModelError(f'the model is not for "{stated or task}": {found}')
    return task


def _still_holds(before: Contract | None, spec: PreprocessSpec) -> Mapping[str, Any] | None:
    """The recorded verification; None under another preprocessing than it was measured with, whoever said so."""
    if before is None or before.preprocess is None or replace(before.preprocess, source=spec.source) != spec:
        return None
    return before.verification


def _provenance(file: ModelFile, source_name: str | None) -> Provenance:
    return Provenance(source_name=source_name, source_sha256=file.sha256, mnkit_version=installed_version())


def _description(metadata: FileMetadata | None, stated: ModelDescription | None) -> ModelDescription:
    """What is stated, and for the rest what the file said of itself before."""
    sources = [source for source in (stated, metadata) if source is not None]
    facts: dict[str, str] = {
        name: next((said for source in sources if (said := getattr(source, name))), "")
        for name in ModelDescription.__slots__
    }
    return ModelDescription(**facts)


def _without_unreadable_archive(data: bytes) -> bytes:
    """The bytes as they are; the flatbuffer's tables alone where nobody can say where the archive begins."""
    try:
        read_archive(data)
    except ModelFileError:
        return encode_model(decode_model(data))
    return data


def _kept_entries(file: ModelFile) -> list[ArchiveEntry]:
    """The entries that are neither labels nor the contract: another reader may want them."""
    try:
        archive = read_archive(file.data)
    except ModelFileError:
        return []  # already reported by read_model
    replaced = {LABELS_NAME, CONTRACT_NAME, *(entry.name for entry in label_entries(archive, file.metadata))}
    return [entry for entry in archive.entries if entry.name not in replaced] if archive else []
