"""From numbers to places on paper: linear scales, and the round numbers that stand beside them."""

import math
from dataclasses import dataclass

__all__ = ["Scale", "round_ticks"]

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """``low`` lies at ``start``, ``high`` at ``end``, both in pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def inside(self, value: float) -> float:
        """The place of ``value``, or the nearest end of the scale."""
        return self(min(max(value, self.low), self.high))


def round_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """At most ``most`` round numbers from ``low`` to ``high``, both of which they reach or lie just beyond."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / max(most - 2, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in _STEPS if power * each >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(number * step for number in range(first, last + 1))
