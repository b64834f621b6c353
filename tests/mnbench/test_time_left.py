"""How long a run still takes, without a clock."""

import pytest

from mnbench import time_left
from mnbench.cell import Cell, Work
from mnbench.plan import Plan
from mnbench.time_left import TimeLeft

pytestmark = pytest.mark.smoke

CELLS = tuple(Cell(work=Work.FORWARD, model=name, engine="litert") for name in "ab")


def test_what_took_its_time_is_expected_to_take_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(cells=CELLS)
    left = TimeLeft(plan)
    planned_s = plan.estimated_s(CELLS[:1])
    assert left.seconds(CELLS) == pytest.approx(2 * planned_s)
    now_s = iter([0.0, 7.0, 10.0, 13.0])
    monkeypatch.setattr(time_left, "monotonic", lambda: next(now_s))
    with left.timing(CELLS[0]):
        pass
    assert left.seconds([*CELLS, CELLS[0]]) == pytest.approx(7 + planned_s + 7)
    with left.timing(CELLS[0]):
        pass
    assert left.seconds(CELLS[:1]) == pytest.approx(3)
    assert left.seconds([]) == 0
