"""As many digits as an interval bears."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.showing.figures import spell_bytes, spell_interval, spell_ms, spell_ratio
from mnbench.statistics import Interval

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(14.6239, 14.49, 14.75), "14.62 ± 0.13"),
        (Interval(14.6239, 14.3, 14.9), "14.6 ± 0.3"),
        (Interval(503.21, 496.0, 511.4), "503 ± 8"),
        (Interval(503.21, 490.0, 517.4), "503 ± 14"),
        (Interval(0.34921, 0.3481, 0.3503), "0.3492 ± 0.0011"),
        (Interval(3.29, 3.25, 3.35), "3.29 ± 0.06"),  # the farther end
        (Interval(3.29, 0.0, math.inf), "3.29 ± ?"),
        (Interval(4.0, 4.0, 4.0), "4.00 ± 0.00"),
        (Interval(120.0, 2.0, 700.0), "120 ± 580"),
    ],
)
def test_intervals(interval: Interval, text: str) -> None:
    assert spell_interval(interval) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(0.2134, "0.213"), (4.0712, "4.07"), (34.72, "34.7"), (503.2, "503"), (0.0, "0")]
)
def test_milliseconds(ms: float, text: str) -> None:
    assert spell_ms(ms) == text


def test_ratios_and_sizes() -> None:
    assert spell_ratio(Interval(1.124, 1.1, 1.15)) == "1.12 ± 0.03 ×"
    assert spell_bytes(16_900_000) == "16.9 MB"
    assert spell_bytes(99_949) == "99.9 kB"


@given(st.floats(1e-3, 1e5), st.floats(1.0001, 1.5))
def test_what_is_spelled_is_the_interval(middle: float, factor: float) -> None:
    """The figure is off by no more than half of a tenth of the error, which has one or two digits itself."""
    interval = Interval(middle, middle / factor, middle * factor)
    error = interval.high - interval.middle
    shown, _, width = spell_interval(interval).partition(" ± ")
    step = 10.0 ** -len(shown.partition(".")[2])
    assert float(shown) == pytest.approx(middle, abs=0.5001 * step)
    assert float(width) == pytest.approx(error, abs=0.5001 * step)
    assert step <= error or step == 1 or step == pytest.approx(1e-4)
