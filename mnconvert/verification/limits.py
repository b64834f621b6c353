"""Where a file stops being the model it was made from. docs/decisions/0006 has the measurements behind the numbers."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mnconvert.config import Variant
from mnconvert.verification.dtype_census import Numbers

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The least that passes: ``agreement`` and ``share`` from 0 to 1; None: not looked at.

    ``share`` is that of the multiply-adds in ``numbers``, those not counted that were asked to stay float.
    """

    agreement: float | None = 0.65
    sqnr_db: float | None = 13.0
    numbers: Numbers | None = Numbers.INT8
    share: float | None = 0.95

    def __post_init__(self) -> None:
        for name in ("agreement", "share"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"the least {name} is from 0 to 1, not {value}")

    @classmethod
    def of(cls, variant: Variant) -> "Limits":
        """The defaults of a variant."""
        return _DEFAULTS[variant]

    def to_json(self) -> dict[str, Any]:
        return {
            "agreement": self.agreement,
            "sqnr_db": self.sqnr_db,
            "numbers": None if self.numbers is None else str(self.numbers),
            "share": self.share,
        }


_DEFAULTS = MappingProxyType(
    {
        Variant.NONE: Limits(agreement=0.98, sqnr_db=80.0, numbers=Numbers.FLOAT, share=1.0),
        Variant.FP16: Limits(agreement=0.90, sqnr_db=30.0, numbers=Numbers.FLOAT16, share=0.95),
        # The converter leaves constants of under 1,024 numbers float, which is most of a small network.
        Variant.DYNAMIC: Limits(numbers=Numbers.DYNAMIC, share=None),
        Variant.INT8: Limits(),
        Variant.INT16X8: Limits(numbers=Numbers.INT16X8),
    }
)
