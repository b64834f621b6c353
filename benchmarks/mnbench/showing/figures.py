"""How figures are spelled: as many digits as their interval bears, and never one more."""

import math

from mnbench.statistics import Interval

__all__ = ["FIGURE", "spell_bytes", "spell_interval", "spell_ms", "spell_ratio"]

# What every figure with an interval is, for the sentence above a table: no median, which it would be taken for.
FIGURE = "the geometric mean of fresh processes' medians, with its 95 % interval"
_MOST_DECIMALS = 4


def spell_interval(interval: Interval) -> str:
    """``14.62 ± 0.13``: the farther end of the interval; ``14.6 ± ?`` where one process alone has been measured."""
    if not interval.is_known:
        return f"{spell_ms(interval.middle)} ± ?"
    error = max(interval.high - interval.middle, interval.middle - interval.low)
    decimals = _decimals_of_error(error) if error > 0 else _decimals_of(interval.middle)
    return f"{interval.middle:.{decimals}f} ± {error:.{decimals}f}"


def spell_ms(value: float) -> str:
    """Three digits that mean something: 0.213, 4.07, 34.7, 503."""
    return f"{value:.{_decimals_of(value)}f}"


def spell_ratio(ratio: Interval) -> str:
    """``1.12 ± 0.02 ×``."""
    return f"{spell_interval(ratio)} ×"


def spell_bytes(size: float) -> str:
    """Megabytes, or kilobytes below a tenth of one; 1000s, as file managers and shops count."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _decimals_of(value: float) -> int:
    """Those of three digits that mean something."""
    return _within(2 - math.floor(math.log10(value))) if value > 0 else 0


def _decimals_of_error(error: float) -> int:
    """So many that the error has one digit, or two where the first is a 1."""
    exponent = math.floor(math.log10(error))
    return _within((1 if error < 2 * 10.0**exponent else 0) - exponent)


def _within(decimals: int) -> int:
    return min(_MOST_DECIMALS, max(0, decimals))
