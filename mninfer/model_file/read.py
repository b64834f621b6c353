"""Read a model file: check it, then read what it says of itself, whether it is one of ours or somebody else's.

A file of ours is verified whole: its digest covers the flatbuffer, and its archive must be the only one that its
entries can give. Nothing is run here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mninfer.errors import InputError, MnError, ModelFileError
from mninfer.model_file.archive import Archive, ArchiveEntry, read_archive, write_archive
from mninfer.model_file.check import check_model
from mninfer.model_file.contract import CONTRACT_NAME, Contract, check_schema, load_json
from mninfer.model_file.digest import digests_of_parts
from mninfer.model_file.graph import Graph
from mninfer.model_file.labels import LABELS_NAME, labels_misfit, parse_labels
from mninfer.model_file.xnnpack_limits import MISREAD, misread_by_xnnpack
from mninfer.outputs import read_outputs
from mninfer.preprocessing import PreprocessSource, PreprocessSpec

if TYPE_CHECKING:
    from mninfer.model_file.metadata import FileMetadata

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
    foreign_preprocess: PreprocessSpec | None
    has_changed: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether the file carries our contract, verified; not where it ``has_changed`` since, read leniently."""
        return self.contract is not None

    @property
    def metadata(self) -> "FileMetadata | None":
        """Its TFLite metadata; None where it has none, or none that can be read.

        Read when asked for: what they say of a file of ours, its contract says as well.
        """
        try:
            return _read_metadata(self.graph)
        except ModelFileError:
            return None

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
        digest, whole_digest = digests_of_parts(self.data, start)
        contract = None
        try:
            # Before the structure is looked at: of a file of ours it is best said that it has changed.
            contract = _read_contract(self.data, archive, digest)
        except ModelFileError as error:
            self.complain(error)
        graph = check_model(self.data, allow_unlisted_ops=allow_unlisted_ops, allow_custom=allow_custom)
        if archive_error:
            self.complain(archive_error)
        labels = None
        try:
            _check_mark(graph, archive)
            labels = _own_labels(graph, archive, contract) if contract else None
        except ModelFileError as error:
            self.complain(error)
            contract = None
        foreign_preprocess = None
        if contract is None:
            labels, foreign_preprocess = self.foreign_facts(graph, archive)
        if (operator := misread_by_xnnpack(graph)) is not None:
            self.warnings.append(f"{operator}: {MISREAD}")
        return ModelFile(
            data=self.data,
            graph=graph,
            sha256=whole_digest,
            flatbuffer_size=start,
            contract=contract,
            labels=labels,
            foreign_preprocess=foreign_preprocess,
            has_changed=contract is None and (MARK_NAME in graph.metadata or _has_contract(archive)),
            warnings=tuple(self.warnings),
        )

    def complain(self, error: MnError) -> None:
        """Raise, or note where the caller asked for leniency."""
        if self.strict:
            raise error
        self.warnings.append(error.what)

    def foreign_facts(
        self, graph: Graph, archive: Archive | None
    ) -> tuple[tuple[str, ...] | None, PreprocessSpec | None]:
        """Labels and preprocessing, as far as the metadata of a file that isn't ours tell them."""
        from mninfer.model_file.foreign import assumed_preprocess, label_entries

        metadata = self.metadata(graph)
        spec, warning = assumed_preprocess(graph, metadata)
        labels = self.labels(graph, label_entries(archive, metadata))
        if warning:
            self.warnings.append(warning)
        return labels, spec

    def metadata(self, graph: Graph) -> "FileMetadata | None":
        try:
            return _read_metadata(graph)
        except ModelFileError as error:
            self.complain(ModelFileError(f"its TFLite metadata cannot be read: {error.what}", hints=error.hints))
            return None

    def labels(self, graph: Graph, entries: Sequence[ArchiveEntry]) -> tuple[str, ...] | None:
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


def _read_metadata(graph: Graph) -> "FileMetadata | None":
    from mninfer.model_file.metadata import METADATA_NAME, read_metadata

    content = graph.metadata.get(METADATA_NAME)
    return None if content is None else read_metadata(content)


def _try_archive(data: bytes) -> tuple[Archive | None, ModelFileError | None]:
    try:
        return read_archive(data), None
    except ModelFileError as error:
        return None, error


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
    has_contract = _has_contract(archive)
    if MARK_NAME in graph.metadata and not has_contract:
        raise _damaged("the archive with its contract is missing or cut off")
    if has_contract and MARK_NAME not in graph.metadata:
        raise _damaged(f'its flatbuffer lacks the entry "{MARK_NAME}"')


def _has_contract(archive: Archive | None) -> bool:
    return archive is not None and archive.find(CONTRACT_NAME) is not None


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
