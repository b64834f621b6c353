"""What every peer is behind: opened with a request; its input is given before or with each run, as it has it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mnbench.peers.prepared import PreparedFile
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["EngineRequest", "PeerEngine", "import_peer", "precision_told", "refused"]

RawArray = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRequest:
    """``array`` is the input as the file takes it; ``threads`` None leaves them to the engine."""

    file: Path
    prepared: PreparedFile
    array: RawArray
    pictures: npt.NDArray[np.float32]
    threads: int | None


class PeerEngine(Protocol):
    """One model in one peer."""

    def run(self) -> None:
        """Compute once; the outputs are there when it returns."""

    def outputs(self) -> Sequence[RawArray]:
        """The last run's, as the engine gives them: float, or as quantized as in the flatbuffer."""

    def facts(self) -> Mapping[str, Any]:
        """``version``, the ``threads`` in effect; where the engine tells, ``operators``, how many of which kind, and
        ``precision``, which its convolutions and matrix products were computed in.
        """

    def close(self) -> None: ...


def import_peer(module: str, name: str) -> Any:
    """The peer's module. Raise MissingDependencyError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} can't be imported: {error}", hints=f"mnbench peers install {name}"
        ) from error


def precision_told(products: Iterable[tuple[str, int]]) -> dict[str, str]:
    """The fact ``precision`` of how many products were computed in what; none where no product tells.

    >>> precision_told([("float32", 1), ("int8", 26), ("int8", 1)])
    {'precision': 'int8 × 27, float32 × 1'}
    """
    counts: Counter[str] = Counter()
    for word, count in products:
        counts[word] += count
    if not counts:
        return {}
    words = [f"{word} × {count}" for word, count in counts.most_common()]
    return {"precision": ", ".join(words if len(counts) > 1 else counts)}


def refused(name: str, error: Exception, file: Path) -> EngineError:
    """What a peer said against a model or a run, as an error of ours."""
    words = " ".join(str(error).split())
    return EngineError(f"{name} refused the model: {words or type(error).__name__}", where=str(file))
