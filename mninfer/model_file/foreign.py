"""What a file that is not ours says about pictures and labels: TFLite metadata, or a bare label file in its archive."""

from math import isfinite

from mninfer.model_file.archive import Archive, ArchiveEntry
from mninfer.model_file.graph import Graph, Tensor
from mninfer.model_file.metadata import Content, FileMetadata, LabelFile, TensorMetadata
from mninfer.preprocessing import PreprocessSource, PreprocessSpec

__all__ = ["assumed_preprocess", "label_entries"]


def assumed_preprocess(graph: Graph, metadata: FileMetadata | None) -> tuple[PreprocessSpec | None, str | None]:
    """For foreign files: the metadata's mean and std, stretched; uint8 without metadata takes pixels as they are.

    None where nothing can be assumed; then also a warning why, where the metadata is to blame.
    """
    if len(graph.inputs) != 1:
        return None, None
    tensor = graph.tensors[graph.inputs[0]]
    described = metadata.inputs[0] if metadata and metadata.inputs else TensorMetadata()
    if described.mean or described.std:
        problem = _problem(described)
        return (None, problem) if problem else (_spec(described.mean, described.std), None)
    if tensor.dtype == "uint8" and _is_picture(tensor):
        return _spec((0.0,), (1.0,)), None
    return None, None


def label_entries(archive: Archive | None, metadata: FileMetadata | None) -> list[ArchiveEntry]:
    """The entries that hold labels, best first: those the metadata names, else the only one that looks like labels."""
    if archive is None:
        return []
    files = [file for output in metadata.outputs for file in output.label_files] if metadata else []
    names = [file.name for file in sorted(files, key=_is_translation)]
    stated = [entry for name in names for entry in archive.entries if entry.name == name]
    if stated:
        return stated
    texts = [entry for entry in archive.entries if entry.name.lower().endswith(".txt")]
    candidates = [entry for entry in texts if "label" in entry.name.lower()] or texts
    return candidates if len(candidates) == 1 else []


def _is_translation(file: LabelFile) -> bool:
    return bool(file.locale) and not file.locale.startswith("en")


def _problem(described: TensorMetadata) -> str | None:
    """Why the metadata's mean and std say nothing of how a picture becomes the input."""
    mean, std = described.mean, described.std
    if len(mean) not in (1, 3) or len(std) not in (1, 3):
        return f"its metadata has {len(mean)} means and {len(std)} deviations for a picture's three channels"
    if described.content is Content.IMAGE and not described.is_rgb:
        return "its metadata does not say that the input is RGB"
    if not all(isfinite(value) for value in (*mean, *std)) or min(std) <= 0:
        return f"its metadata gives the mean {mean} and the deviation {std}, which cannot be"
    return None


def _spec(mean: tuple[float, ...], std: tuple[float, ...]) -> PreprocessSpec:
    """Stretched, as MediaPipe does it; a single value stands for all channels."""
    (m0, m1, m2), (s0, s1, s2) = (values * 3 if len(values) == 1 else values for values in (mean, std))
    return PreprocessSpec(mean=(m0, m1, m2), std=(s0, s1, s2), source=PreprocessSource.ASSUMED)


def _is_picture(tensor: Tensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[3] in (1, 3)
