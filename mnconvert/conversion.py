"""What a conversion comes to: the file's bytes, and a report that says what was done, measured and noticed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mnconvert.config import ConvertConfig, Scores, Variant
from mnconvert.quantize.plan import QuantPlan
from mninfer.preprocessing import PreprocessSpec
from mninfer.spec import ModelSpec

if TYPE_CHECKING:
    from mnconvert.accuracy import AccuracyReport, DropReport
    from mnconvert.verification import Verification

__all__ = ["SCHEMA", "Conversion", "Failed", "Report", "SourceFacts"]

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What was converted: no path, so that the same source says the same everywhere."""

    name: str
    sha256: str | None
    keras_version: str | None
    num_parameters: int
    changes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sha256": self.sha256,
            "keras_version": self.keras_version,
            "num_parameters": self.num_parameters,
            "changes": list(self.changes),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One conversion in data. ``calibration`` says which pictures the ranges come from; None: no pictures.

    ``scores`` is what a classifier's first output is, asked for or not; None of another model.
    ``kept_float`` names the layers that compute in float within an integer file.
    """

    source: SourceFacts
    config: ConvertConfig
    preprocess: PreprocessSpec
    size_bytes: int
    oldest_runtime: str | None
    verification: "Verification"
    num_labels: int | None = None
    scores: Scores | None = None
    calibration: Mapping[str, Any] | None = None
    kept_float: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    accuracy: "AccuracyReport | None" = None
    drop: "DropReport | None" = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The value of ``--json``; what the file itself holds is smaller, and without times."""
        return {
            "schema": SCHEMA,
            "source": self.source.to_json(),
            "config": dict(self.config.to_json()),
            "preprocess": self.preprocess.to_json(),
            "num_labels": self.num_labels,
            "scores": None if self.scores is None else str(self.scores),
            "calibration": None if self.calibration is None else dict(self.calibration),
            "kept_float": list(self.kept_float),
            "size_bytes": self.size_bytes,
            "oldest_runtime": self.oldest_runtime,
            "verification": self.verification.to_json(),
            "accuracy": None if self.accuracy is None else self.accuracy.to_json(),
            "drop": None if self.drop is None else self.drop.to_json(),
            "warnings": list(self.warnings),
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A file that can be written, with all that is known of it. ``float_flatbuffer`` is what it was made from."""

    data: bytes = field(repr=False)
    variant: Variant
    spec: ModelSpec
    report: Report
    plan: QuantPlan | None = None
    float_flatbuffer: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A variant of several that could not be made, or did not hold; ``conversion`` is there in the second case."""

    config: ConvertConfig
    error: Exception
    conversion: Conversion | None = None
