"""Write the contract into a flatbuffer: bytes in, bytes out, the same for the same arguments. No file is touched."""

from collections.abc import Sequence
from dataclasses import replace

from mninfer.model_file.archive import ArchiveEntry, read_archive, write_archive
from mninfer.model_file.contract import CONTRACT_NAME, SCHEMA, Contract, dump_json
from mninfer.model_file.describe import ModelDescription, describe_model
from mninfer.model_file.digest import digest_of
from mninfer.model_file.flatbuffer import decode, load_schema
from mninfer.model_file.graph import build_graph
from mninfer.model_file.labels import LABELS_NAME, format_labels, labels_misfit
from mninfer.model_file.metadata import METADATA_NAME, write_metadata
from mninfer.model_file.read import MARK_NAME
from mninfer.model_file.rewrite import remove_metadata, replace_metadata
from mninfer.outputs import read_outputs

__all__ = ["without_contract", "write_contract"]


def write_contract(
    model: bytes,
    contract: Contract,
    labels: Sequence[str] | None = None,
    *,
    about: ModelDescription | None = None,
    kept_entries: Sequence[ArchiveEntry] = (),
) -> bytes:
    """The model with TFLite metadata in its flatbuffer, and behind it the labels and ``mnkit.json`` with the digest.

    An archive that ``model`` has is replaced; ``kept_entries`` are put into the new one as they are. Writing the same
    contract twice gives the same bytes as once.

    Raises:
        ModelFileError: the labels do not fit the classes, or the bytes are no model.
        UnsupportedModelError: the flatbuffer holds something that rewriting would lose; lists all of it.
        InputError: a label that cannot be written on a line.
    """
    flatbuffer = _without_archive(model)
    graph = build_graph(decode(flatbuffer, load_schema("tflite")), flatbuffer)
    if labels is not None:
        misfit = labels_misfit(labels, read_outputs(graph, contract.task))
        if misfit:
            raise misfit
    metadata = describe_model(
        graph,
        task=contract.task,
        preprocess=contract.preprocess,
        has_labels=labels is not None,
        about=about or ModelDescription(),
    )
    mark = f'{{"schema":{SCHEMA}}}'.encode()
    written = replace_metadata(flatbuffer, {METADATA_NAME: write_metadata(metadata), MARK_NAME: mark})
    entries = [*_own_entries(written, contract, labels), *kept_entries]
    return written + write_archive(entries, len(written))


def without_contract(model: bytes) -> bytes:
    """The flatbuffer alone, for those who change what it computes: neither metadata nor archive would hold any more."""
    return remove_metadata(_without_archive(model), {METADATA_NAME, MARK_NAME})


def _without_archive(model: bytes) -> bytes:
    archive = read_archive(model)
    return model[: archive.start] if archive else model


def _own_entries(flatbuffer: bytes, contract: Contract, labels: Sequence[str] | None) -> list[ArchiveEntry]:
    signed = replace(contract, digest=digest_of(flatbuffer))
    entries = [] if labels is None else [ArchiveEntry(LABELS_NAME, format_labels(labels))]
    return [*entries, ArchiveEntry(CONTRACT_NAME, dump_json(signed.to_json()))]
