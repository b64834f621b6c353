"""Facts about a model: its task, how a picture becomes its input, where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mninfer.preprocessing import PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["LabelsSource", "ModelSpec", "Provenance", "Task"]


class Task(StrEnum):
    """What a model is for."""

    CLASSIFY = "classify"
    DETECT = "detect"
    SEGMENT = "segment"
    EMBED = "embed"


class LabelsSource(StrEnum):
    """Who said what the classes are called: the model file, or the user."""

    FILE = "file"
    STATED = "stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a model came from. No times, no absolute paths: the same conversion gives the same bytes."""

    source_name: str | None = None
    source_sha256: str | None = None
    keras_version: str | None = None
    mnkit_version: str | None = None
    recipe: str | None = None
    calibration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """All that is known of a model without running it. ``preprocess`` is None where nothing says how."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    task: Task
    preprocess: PreprocessSpec | None
    labels: tuple[str, ...] | None
    labels_source: LabelsSource | None
    provenance: Provenance | None
    oldest_runtime: str | None
    sha256: str
    size_bytes: int
    num_operators: int
    macs: int
    is_ours: bool
