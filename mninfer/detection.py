"""A detector's output tensors -> objects with boxes in pixels of the original picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from mninfer.preprocessing.geometry import Geometry
from mninfer.results import label_of

__all__ = ["Box", "Detection", "Detections", "detections"]

Array = npt.NDArray[Any]


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


def detections(
    boxes: Array,
    classes: Array,
    scores: Array,
    *,
    geometry: Geometry,
    threshold: float,
    labels: Sequence[str] | None,
    label_offset: int,
) -> tuple[Detection, ...]:
    """Objects at or above ``threshold``, best first; boxes in the picture's pixels, clipped to it.

    ``boxes`` are rows of ymin, xmin, ymax, xmax relative to the input. A box without area in the picture is left out.
    """
    corners = boxes.reshape(-1, 4)[:, [1, 0, 3, 2]]
    placed = geometry.boxes_to_image(corners).tolist()
    found = []
    for edges, number, score in zip(placed, classes.ravel().tolist(), scores.ravel().tolist(), strict=True):
        box = Box(*edges)
        # written so that NaN, in the score or an edge, is left out
        if score >= threshold and box.right > box.left and box.bottom > box.top:
            index = int(number) + label_offset
            found.append(Detection(label_of(labels, index), index, score, box))
    return tuple(sorted(found, key=lambda detection: -detection.score))
