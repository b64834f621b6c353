"""How figures are spelled: as many digits as their interval bears, and never one more."""

import math

from mnbench.statistics import Interval

__all__ = ["spell_bytes", "spell_error", "spell_interval", "spell_ms", "spell_ratio"]

_MOST_DECIMALS = 4


def spell_interval(interval: Interval) -> str:
    """``14.62 ± 0.13``: the farther end of the interval; ``14.6 ± ?`` where one process alone has been measured."""
    if not interval.is_known:
        return f"{spell_ms(interval.middle)} ± ?"
    error = max(interval.high - interval.middle, interval.middle - interval.low)
    decimals = _decimals(error, interval.middle)
    return f"{interval.middle:.{decimals}f} ± {error:.{decimals}f}"


def spell_error(interval: Interval) -> str:
    """The part behind ± alone."""
    return spell_interval(interval).partition(" ± ")[2]


def spell_ms(value: float) -> str:
    """Three digits that mean something: 0.213, 4.07, 34.7, 503."""
    return f"{value:.{_decimals(abs(value) / 300, value)}f}"


def spell_ratio(ratio: Interval) -> str:
    """``1.12 ± 0.02 ×``."""
    return f"{spell_interval(ratio)} ×"


def spell_bytes(size: float) -> str:
    """Megabytes, or kilobytes below a tenth of one; 1000s, as file managers and shops count."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _decimals(error: float, middle: float) -> int:
    """So many that the error has one digit, or two where the first is a 1; a figure known exactly has four digits."""
    if error <= 0:
        error = abs(middle) / 1e4
    if error <= 0:
        return 0
    exponent = math.floor(math.log10(error))
    first = math.floor(error / 10.0**exponent)
    return min(_MOST_DECIMALS, max(0, (1 if first == 1 else 0) - exponent))
