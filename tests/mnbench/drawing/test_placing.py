"""Labels lie on nothing; the front is what nothing beats."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.drawing.front import pareto_front
from mnbench.drawing.placing import Area, place_labels, spread

pytestmark = pytest.mark.smoke

places = st.lists(st.floats(0, 400), min_size=1, max_size=20)
points = st.lists(st.tuples(st.floats(0, 600), st.floats(0, 400)), min_size=1, max_size=20)


@given(wanted=places)
def test_spread_keeps_the_order_and_the_gap(wanted: list[float]) -> None:
    found = spread(wanted, 15.0)
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    assert all(found[b] - found[a] >= 15.0 - 1e-6 for a, b in pairwise(order))


def test_spread_moves_nothing_that_has_room_and_centres_a_heap() -> None:
    assert spread([0.0, 100.0, 50.0], 15.0) == (0.0, 100.0, 50.0)
    assert spread([100.0, 100.0], 16.0) == (92.0, 108.0)
    assert spread([], 5.0) == ()


@given(points=points)
def test_labels_lie_inside_and_on_nothing(points: list[tuple[float, float]]) -> None:
    inside = Area(0, 0, 700, 450)
    marks = [Area(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    found = [
        area
        for area in place_labels(points, [(90.0, 14.0)] * len(points), [44.0] * len(points), inside, marks)
        if area is not None
    ]
    assert found or len(points) > 1
    for number, area in enumerate(found):
        assert inside.holds(area)
        assert not any(area.overlaps(other) for other in [*marks, *found[:number]])


def test_the_first_label_has_the_best_place_and_one_without_room_none() -> None:
    inside = Area(0, 0, 120, 30)
    first, second = place_labels([(10, 15), (10, 15)], [(90.0, 14.0)] * 2, [0.0, 0.0], inside, [])
    assert first == Area(18.0, 8.0, 108.0, 22.0)
    assert second is None


@given(points=points)
def test_nothing_beats_the_front_and_all_else_is_beaten(points: list[tuple[float, float]]) -> None:
    front = pareto_front(points)
    on_front = [points[place] for place in front]
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(on_front))
    for point in points:
        assert any(cost <= point[0] and worth >= point[1] for cost, worth in on_front)


def test_a_front() -> None:
    assert pareto_front([(3, 70), (1, 50), (2, 40), (2, 60), (4, 70)]) == (1, 3, 0)
    assert pareto_front([]) == ()
