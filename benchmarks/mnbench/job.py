"""What a process is told to measure and for how long: the order that ``worker.py`` gets, as a JSON file.

Standard library and our own data alone: the environments of peers read it, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnbench.cell import Cell
from mnbench.fields import Fields

__all__ = ["Budget", "Job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bounds of one process's sampling.

    It goes on until the interval of its median is within ``precision`` of it, from ``least_samples`` and
    ``least_seconds`` on, and no longer than ``seconds`` or ``most_samples``; where those come before ``least_seconds``
    are over, it goes on and keeps only so many. Before that it warms up for ``least_warm_up_seconds`` to
    ``warm_up_seconds``, runs so slow that few fit in up to four times as long; with 0 seconds it is one run.
    """

    seconds: float
    warm_up_seconds: float
    least_samples: int = 5
    most_samples: int = 400
    precision: float = 0.005
    least_seconds: float = 0.0
    least_warm_up_seconds: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.least_samples <= self.most_samples:
            raise ValueError(f"{self.least_samples} to {self.most_samples} samples are none")

    def to_json(self) -> dict[str, Any]:
        return {
            "seconds": self.seconds,
            "warm_up_seconds": self.warm_up_seconds,
            "least_samples": self.least_samples,
            "most_samples": self.most_samples,
            "precision": self.precision,
            "least_seconds": self.least_seconds,
            "least_warm_up_seconds": self.least_warm_up_seconds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Budget":
        fields = Fields(value, "budget")
        return cls(
            seconds=fields.number("seconds"),
            warm_up_seconds=fields.number("warm_up_seconds"),
            least_samples=fields.count("least_samples"),
            most_samples=fields.count("most_samples"),
            precision=fields.number("precision"),
            least_seconds=fields.number("least_seconds"),
            least_warm_up_seconds=fields.number("least_warm_up_seconds"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One process's order.

    ``file`` is what the engine loads (a flatbuffer, a peer's converted folder or file, a Keras file). ``network`` says
    of which network it is made, or how pictures for it are prepared where the file doesn't tell. ``picture`` is a photo
    for those works that begin with one. ``input`` holds the one input of all engines: float32, normalized,
    (batch, height, width, 3), as ``.npy``; ``outputs``, where given, is the ``.npz`` that the engine's own outputs for
    it are written to, in float32. ``is_profiled``: a flatbuffer's operators are timed one by one as well.
    """

    cell: Cell
    budget: Budget
    input: Path | None = None
    file: Path | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    picture: Path | None = None
    outputs: Path | None = None
    is_profiled: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "cell": self.cell.to_json(),
            "budget": self.budget.to_json(),
            "network": dict(self.network),
            "is_profiled": self.is_profiled,
            **{name: _text(getattr(self, name)) for name in _PATHS},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Job":
        fields = Fields(value, "job")
        paths = {name: fields.optional(name, fields.text) for name in _PATHS}
        return cls(
            cell=Cell.from_json(fields.mapping("cell")),
            budget=Budget.from_json(fields.mapping("budget")),
            network=fields.mapping("network"),
            is_profiled=fields.flag("is_profiled"),
            **{name: None if path is None else Path(path) for name, path in paths.items()},
        )


_PATHS = ("input", "file", "picture", "outputs")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
