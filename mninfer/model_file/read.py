"""Read a model file: check it, then read what it says of itself, whether it is one of ours or somebody else's.

A file of ours is verified whole: its digest covers the flatbuffer, and its archive must be the only one that its
entries can give. Nothing is run here.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from mninfer.errors import InputError, MnError, ModelFileError
from mninfer.model_file.archive import Archive, read_archive, write_archive
from mninfer.model_file.check import check_model
from mninfer.model_file.contract import CONTRACT_NAME, Contract, check_schema, load_json
from mninfer.model_file.foreign import assumed_preprocess, label_entries
from mninfer.model_file.graph import Graph
from mninfer.model_file.labels import LABELS_NAME, labels_misfit, parse_labels
from mninfer.model_file.metadata import METADATA_NAME, FileMetadata, read_metadata
from mninfer.outputs import read_outputs
from mninfer.preprocessing import PreprocessSource, PreprocessSpec

__all__ = ["MARK_NAME", "ModelFile", "read_model"]

MARK_NAME = "mnkit"
"""The metadata entry that every flatbuffer of ours has: a file without its archive is then known to be damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A checked file. ``warnings`` are for the user's eyes: what was assumed, or does not fit, in a foreign file."""

    data: bytes = field(repr=False)
    graph: Graph = field(repr=False)
    sha256: str
    flatbuffer_size: int
    contract: Contract | None
    labels: tuple[str, ...] | None
    metadata: FileMetadata | None
    foreign_preprocess: PreprocessSpec | None
    has_changed: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether the file carries our contract, verified; not where it ``has_changed`` since, read leniently."""
        return self.contract is not None

    @property
    def preprocess(self) -> PreprocessSpec | None:
        """What the file says, and its source: *file* for ours, *assumed* for other people's; None: it says nothing."""
        if self.contract is None:
            return self.foreign_preprocess
        recorded = self.contract.preprocess
        return None if recorded is None else replace(recorded, source=PreprocessSource.FILE)


def read_model(
    data: bytes,
    *,
    where: str,
    allow_unlisted_ops: bool = False,
    allow_custom: Collection[str] = (),
    strict: bool = True,
) -> ModelFile:
    """Check the bytes of a model file and read its contract, labels and metadata.

    ``allow_custom`` names operators that a delegate will take. ``strict=False`` turns a damaged or contradictory
    contract into a warning, and leaves it aside; the checks on which the engine's safety rests stay.

    Raises:
        ModelFileError: not a usable TFLite model, or one of ours that is damaged or inconsistent.
        UnsupportedModelError: operators or features that this runtime does not run; lists all of them.
    """
    try:
        return _Reading(data, strict).read(allow_unlisted_ops, allow_custom)
    except MnError as error:
        raise error.at(where) from error.__cause__


class _Reading:
    """One file being read; ``warnings`` gathers what leniency lets pass."""

    def __init__(self, data: bytes, strict: bool) -> None:
        self.data = data
        self.strict = strict
        self.warnings: list[str] = []

    def read(self, allow_unlisted_ops: bool, allow_custom: Collection[str]) -> ModelFile:
        archive, archive_error = _try_archive(self.data)
        start = archive.start if archive else len(self.data)
        digest, whole_digest = _digests(self.data, start)
        contract = None
        try:
            # Before the structure is looked at: of a file of ours it is best said that it has changed.
            contract = _read_contract(self.data, archive, digest)
        except ModelFileError as error:
            self.complain(error)
        graph = check_model(self.data, allow_unlisted_ops=allow_unlisted_ops, allow_custom=allow_custom)
        if archive_error:
            self.complain(archive_error)
        metadata = self.metadata(graph)
        labels = None
        try:
            _check_mark(graph, archive)
            labels = _own_labels(graph, archive, contract) if contract else None
        except ModelFileError as error:
            self.complain(error)
            contract = None
        return ModelFile(
            data=self.data,
            graph=graph,
            sha256=whole_digest,
            flatbuffer_size=start,
            contract=contract,
            labels=labels if contract else self.foreign_labels(graph, archive, metadata),
            metadata=metadata,
            foreign_preprocess=None if contract else self.foreign_preprocess(graph, metadata),
            has_changed=contract is None and MARK_NAME in graph.metadata,
            warnings=tuple(self.warnings),
        )

    def complain(self, error: MnError) -> None:
        """Raise, or note where the caller asked for leniency."""
        if self.strict:
            raise error
        self.warnings.append(error.what)

    def metadata(self, graph: Graph) -> FileMetadata | None:
        content = graph.metadata.get(METADATA_NAME)
        if content is None:
            return None
        try:
            return read_metadata(content)
        except ModelFileError as error:
            self.complain(ModelFileError(f"its TFLite metadata cannot be read: {error.what}", hints=error.hints))
            return None

    def foreign_preprocess(self, graph: Graph, metadata: FileMetadata | None) -> PreprocessSpec | None:
        spec, warning = assumed_preprocess(graph, metadata)
        if warning:
            self.warnings.append(warning)
        return spec

    def foreign_labels(
        self, graph: Graph, archive: Archive | None, metadata: FileMetadata | None
    ) -> tuple[str, ...] | None:
        entries = label_entries(archive, metadata)
        if not entries:
            return None
        try:
            labels = parse_labels(entries[0].data, entries[0].name)
        except InputError as error:
            self.warnings.append(error.what)
            return None
        if misfit := labels_misfit(labels, read_outputs(graph)):
            self.warnings.append(misfit.what)
        return labels


def _try_archive(data: bytes) -> tuple[Archive | None, ModelFileError | None]:
    try:
        return read_archive(data), None
    except ModelFileError as error:
        return None, error


def _digests(data: bytes, start: int) -> tuple[str, str]:
    """sha256 of the flatbuffer and of the whole file, in one pass."""
    from hashlib import sha256

    view = memoryview(data)
    hashed = sha256(view[:start])
    digest = hashed.hexdigest()
    hashed.update(view[start:])
    return digest, hashed.hexdigest()


def _read_contract(data: bytes, archive: Archive | None, digest: str) -> Contract | None:
    """The contract, once nothing of the file is other than it was written; None where there is none."""
    content = archive.find(CONTRACT_NAME) if archive else None
    if archive is None or content is None:
        return None
    value = load_json(content)
    if isinstance(value, dict):
        check_schema(value, CONTRACT_NAME)  # before anything that a newer mnkit may do otherwise
    if write_archive(archive.entries, archive.start) != data[archive.start :]:
        raise _damaged("its archive is not as it was written")
    contract = Contract.from_json(value)
    if contract.digest != digest:
        raise _damaged("its flatbuffer does not have the recorded digest: a weight, or something else, has changed")
    return contract


def _check_mark(graph: Graph, archive: Archive | None) -> None:
    """A flatbuffer of ours and a contract are found together or not at all."""
    has_contract = archive is not None and archive.find(CONTRACT_NAME) is not None
    if MARK_NAME in graph.metadata and not has_contract:
        raise _damaged("the archive with its contract is missing or cut off")
    if has_contract and MARK_NAME not in graph.metadata:
        raise _damaged(f'its flatbuffer lacks the entry "{MARK_NAME}"')


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(
        f"the file was written by mnkit and has changed since: {what}",
        hints=(
            "take the file from its source again",
            "if a tool changed it on purpose: mninfer annotate MODEL --preprocess … --resize … --labels … -o OUT",
        ),
    )


def _own_labels(graph: Graph, archive: Archive | None, contract: Contract) -> tuple[str, ...] | None:
    content = archive.find(LABELS_NAME) if archive else None
    if content is None:
        return None
    try:
        labels = parse_labels(content, LABELS_NAME)
    except InputError as error:
        raise ModelFileError(f"{LABELS_NAME} in its archive: {error.what}", hints=error.hints) from error
    if mismatch := labels_misfit(labels, read_outputs(graph, contract.task)):
        raise mismatch
    return labels
