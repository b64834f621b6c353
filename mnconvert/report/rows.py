"""One line to a variant: what was measured of it, or why there is none. The table and the page are drawn from these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mnconvert.conversion import Conversion, Failed
from mnconvert.report.names import variant_name
from mninfer.errors import MnError

__all__ = ["Outcome", "Standing", "VariantRow", "variant_rows"]

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
