"""What is seen inside one integer file: the error of every activation, and the numbers of the worst layers."""

from dataclasses import dataclass

__all__ = ["Detail", "Histogram", "LayerPoint", "OperatorRow", "WorstLayer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPoint:
    """One activation: the operator that writes it, and its signal-to-error ratio. ``rank`` is 1 for the worst shown."""

    index: int
    operator: str
    name: str
    sqnr_db: float
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts in equal bins from ``low`` to ``high``; ``limits`` is the range that the file can say."""

    title: str
    low: float
    high: float
    float_counts: tuple[int, ...]
    file_counts: tuple[int, ...]
    limits: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstLayer:
    """A layer that the page looks into; one without constants has no ``weights``."""

    point: LayerPoint
    activations: Histogram
    weights: Histogram | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """An operator of the file as a line of a list. ``runtime`` None: newer than any release that is known."""

    index: int
    name: str
    version: int
    input_shape: tuple[int, ...] | None
    output_shape: tuple[int, ...] | None
    dtype: str | None
    macs: int
    runtime: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The inside of the variant ``name``; ``pictures`` says on what it was seen, as "8 pictures of flat shapes"."""

    name: str
    pictures: str
    points: tuple[LayerPoint, ...]
    worst: tuple[WorstLayer, ...]
