"""What a model under evaluation offers, whatever runs it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from mninfer.errors import InputError
from mninfer.images import ImageSource
from mninfer.preprocessing import PreprocessSpec
from mninfer.results import Prediction

__all__ = ["LocatedSource", "Predictor", "relocated"]

LocatedSource = tuple[str, ImageSource]


class Predictor(Protocol):
    """A classifier with its preprocessing settled."""

    @property
    def num_classes(self) -> int: ...
    @property
    def labels(self) -> tuple[str, ...] | None: ...
    @property
    def preprocess(self) -> PreprocessSpec: ...

    def facts(self) -> Mapping[str, Any]:
        """What ran, for the report: file name, SHA-256, kind, engine and versions."""

    def predict(self, pictures: Iterable[LocatedSource], top: int) -> Iterator[tuple[Prediction, ...]]:
        """The ``top`` classes of each picture, best first, equal scores by index; in the pictures' order.

        Each picture comes with what messages call it.

        Raises:
            InputError: a picture can't be used; it is named.
        """

    def close(self) -> None: ...


def relocated(error: InputError, where: str) -> InputError:
    """The same error, at the picture's own place: bytes and arrays have no name that would help."""
    return InputError(error.what, where=where, hints=error.hints)
