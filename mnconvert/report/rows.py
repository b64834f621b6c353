"""One line to a variant: what was measured of it, or why there is none. Table and page are drawn from these."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mnconvert.accuracy import PairedDifference
from mnconvert.conversion import Conversion, Failed
from mnconvert.report.names import variant_name
from mninfer.errors import MnError

__all__ = ["Outcome", "Standing", "VariantRow", "in_points", "variant_row"]

Outcome = Conversion | Failed


class Standing(StrEnum):
    """What became of a variant."""

    OK = "ok"
    FAILED = "failed"  # made, but it does not do what the float network does
    MISSING = "not made"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRow:
    """None: not measured. ``change`` is top-1 against the float network, with its paired standard error, in points."""

    name: str
    file: str | None
    standing: Standing
    is_integer: bool
    reason: str | None = None
    size_bytes: int | None = None
    agreement_percent: float | None = None
    cosine: float | None = None
    sqnr_db: float | None = None
    top1_percent: float | None = None
    change: tuple[float, float] | None = None
    latency_ms: float | None = None
    oldest_runtime: str | None = None

    def to_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return fields | {"standing": str(self.standing), "change": None if self.change is None else list(self.change)}


def variant_row(outcome: Outcome, *, file: str | None, latency_ms: float | None = None) -> VariantRow:
    """The row of one outcome; ``file`` is the name it was written by, if it was."""
    made = outcome.conversion if isinstance(outcome, Failed) else outcome
    config = outcome.config if isinstance(outcome, Failed) else outcome.report.config
    reason = _reason(outcome.error) if isinstance(outcome, Failed) else None
    name, is_integer = variant_name(config), config.variant.is_static
    if made is None:
        return VariantRow(name=name, file=None, standing=Standing.MISSING, is_integer=is_integer, reason=reason)
    report = made.report
    found, accuracy = report.verification, report.accuracy
    return VariantRow(
        name=name,
        file=file,
        standing=Standing.FAILED if isinstance(outcome, Failed) else Standing.OK,
        is_integer=is_integer,
        reason=reason,
        size_bytes=report.size_bytes,
        agreement_percent=None if found.agreement is None else 100 * found.agreement,
        cosine=found.cosine,
        sqnr_db=found.sqnr_db,
        top1_percent=None if accuracy is None else 100 * accuracy.top1.rate,
        change=None if accuracy is None else in_points(accuracy.top1_difference),
        latency_ms=latency_ms,
        oldest_runtime=report.oldest_runtime,
    )


def in_points(difference: PairedDifference) -> tuple[float, float]:
    """A difference of two shares and its standard error, in points."""
    return 100 * difference.rate, 100 * difference.standard_error


def _reason(error: Exception) -> str:
    return f"{error.what}. Try: {error.hints[0]}" if isinstance(error, MnError) and error.hints else str(error)
