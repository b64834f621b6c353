"""What a model says about a picture, as frozen values. Scores are 0..1; boxes and masks in the original's pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import EngineError, InputError

__all__ = [
    "PICTURE_ERRORS",
    "Box",
    "Classification",
    "Detection",
    "Detections",
    "Failure",
    "Prediction",
    "Segmentation",
    "label_of",
]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class and its score."""

    label: str
    index: int
    score: float

    def to_json(self) -> dict[str, Any]:
        return {"label": self.label, "index": self.index, "score": self.score}


@dataclass(frozen=True, slots=True)
class Classification:
    """The best classes, best first. Iterates and indexes like its predictions."""

    predictions: tuple[Prediction, ...]
    source: str | None = None

    @property
    def best(self) -> Prediction:
        return self.predictions[0]

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.predictions)

    def __getitem__(self, index: int) -> Prediction:
        return self.predictions[index]

    def __len__(self) -> int:
        return len(self.predictions)

    def to_json(self) -> dict[str, Any]:
        return {"image": self.source, "predictions": [prediction.to_json() for prediction in self.predictions]}


@dataclass(frozen=True, slots=True)
class Box:
    """Edges in pixels of the original picture, origin at its top left."""

    left: float
    top: float
    right: float
    bottom: float

    def to_json(self) -> list[float]:
        return [self.left, self.top, self.right, self.bottom]


@dataclass(frozen=True, slots=True)
class Detection:
    """One object: its class, score and box."""

    label: str
    index: int
    score: float
    box: Box

    def to_json(self) -> dict[str, Any]:
        return {"label": self.label, "index": self.index, "score": self.score, "box": self.box.to_json()}


@dataclass(frozen=True, slots=True)
class Detections:
    """The objects at or above the threshold, best first."""

    objects: tuple[Detection, ...]
    source: str | None = None

    def __iter__(self) -> Iterator[Detection]:
        return iter(self.objects)

    def __getitem__(self, index: int) -> Detection:
        return self.objects[index]

    def __len__(self) -> int:
        return len(self.objects)

    def to_json(self) -> dict[str, Any]:
        return {"image": self.source, "objects": [detection.to_json() for detection in self.objects]}


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """``mask[y, x]`` is a class index, in the original picture's size; ``labels`` names the indices where known."""

    mask: npt.NDArray[np.int32]
    labels: tuple[str, ...] | None = None
    source: str | None = None

    def shares(self) -> dict[int, float]:
        """The part of the picture that each class present covers, largest first."""
        indices, counts = np.unique(self.mask, return_counts=True)
        pairs = sorted(zip(indices.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1])
        return {int(index): count / self.mask.size for index, count in pairs}

    def name(self, index: int) -> str:
        """The label; the number where there is none; -1 is what a crop left out, where the model saw nothing."""
        if index < 0:
            return "unseen"
        return label_of(self.labels, index)

    def to_json(self) -> dict[str, Any]:
        height, width = self.mask.shape
        classes = [{"label": self.name(i), "index": i, "share": share} for i, share in self.shares().items()]
        return {"image": self.source, "width": width, "height": height, "classes": classes}


def label_of(labels: Sequence[str] | None, index: int) -> str:
    """The label, or the index as text where there is none."""
    return labels[index] if labels is not None and 0 <= index < len(labels) else str(index)


# What can be wrong with one picture while the next is fine. Any other error is of the model, and ends a run.
PICTURE_ERRORS = (InputError, EngineError)


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in a bulk run's results in place of a picture that could not be used."""

    error: InputError | EngineError
    source: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"image": self.source, "error": str(self.error)}
