"""From numbers to places: everything is held, order is kept, ticks are round and few."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.drawing.axis import axis_for
from mnbench.drawing.frame import axis_numbers, grid_across, spell_tick, upright_axis
from mnbench.drawing.picture import Colour, Segment, Words

pytestmark = pytest.mark.smoke

times = st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=8)


@given(values=times, is_log=st.sampled_from([None, True, False]))
def test_every_value_has_its_place_in_order(values: list[float], is_log: bool | None) -> None:
    axis = axis_for(values, 100.0, 600.0, is_log=is_log)
    assert axis.low < axis.high
    assert axis.low <= min(values) * (1 + 1e-6)
    assert max(values) <= axis.high * (1 + 1e-6)
    places = [axis(value) for value in sorted(values)]
    assert places == sorted(places)
    assert places[0] >= 100.0 - 1e-6
    assert places[-1] <= 600.0 + 1e-6


@given(values=times)
def test_ticks_of_a_logarithm_are_1_2_or_5_times_a_power_of_ten(values: list[float]) -> None:
    axis = axis_for(values, 0.0, 1.0, is_log=True)
    for tick in axis.ticks:
        power = 10.0 ** math.floor(math.log10(tick) + 1e-9)
        assert min(abs(tick / power - step) for step in (1, 2, 5)) < 1e-6
        assert axis.low <= tick <= axis.high


def test_the_figures_decide_the_scale_unless_it_is_said() -> None:
    assert not axis_for([2.0, 60.0], 0, 1).is_log
    assert axis_for([1.0, 60.0], 0, 1).is_log
    assert axis_for([2.0, 60.0], 0, 1, widest_linear=10.0).is_log
    assert axis_for([2.0, 3.0], 0, 1, is_log=True).is_log
    assert not axis_for([1.0, 1e4], 0, 1, is_log=False).is_log


def test_a_linear_axis_begins_at_zero_and_a_logarithmic_one_can_not() -> None:
    linear, log = axis_for([4.0, 17.0], 10.0, 20.0), axis_for([4.0, 400.0], 10.0, 20.0)
    assert (linear.low, linear(0.0), linear.ticks[0]) == (0.0, 10.0, 0.0)
    assert (log.low, log.high) == (2.0, 500.0)
    assert log(0.0) == log(2.0) == 10.0
    assert math.isclose(log(10.0) - log(5.0), log(100.0) - log(50.0))


def test_nothing_positive_is_an_axis_still() -> None:
    assert axis_for([], 0, 1).high > 0
    assert axis_for([math.inf, 0.0], 0, 1).high > 0


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.25, "0.25"), (50.0, "50"), (12500.0, "12,500")])
def test_ticks_are_spelled(value: float, text: str) -> None:
    assert spell_tick(value) == text


def test_zero_is_a_darker_line_and_the_unit_stands_once() -> None:
    axis = axis_for([4.0, 17.0], 10.0, 20.0)
    lines = [item for item in grid_across(axis, 0, 5) if isinstance(item, Segment)]
    assert [line.colour for line in lines] == [Colour.AXIS, *[Colour.GRID] * (len(lines) - 1)]
    numbers = [item.text for item in axis_numbers(axis, 5, "ms") if isinstance(item, Words)]
    assert numbers[-1].endswith(" ms")
    assert sum("ms" in text for text in numbers) == 1
    upright = [item.text for item in upright_axis(axis, 0, 9, "%") if isinstance(item, Words)]
    assert upright.count("%") == 1
