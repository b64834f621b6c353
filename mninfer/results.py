"""What a model says about a picture as a whole, as frozen values; or why it could not. Scores are 0..1."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mninfer.errors import EngineError, InputError

__all__ = ["PICTURE_ERRORS", "Classification", "Failure", "Prediction", "label_of"]


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
