import os

import pytest

from mnbench import pinning
from mnbench.pinning import pin_to_fastest

pytestmark = pytest.mark.smoke


@pytest.fixture
def kept_on(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What the system was asked for; this process stays where it is."""
    asked: list[list[int]] = []
    monkeypatch.setattr(pinning, "fastest_cores", lambda: (5, 2, 7, 0))
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: asked.append(cores), raising=False)
    return asked


@pytest.mark.parametrize(("threads", "cores"), [(1, [5]), (2, [2, 5]), (3, [2, 5, 7]), (9, [0, 2, 5, 7])])
def test_as_many_cores_as_threads_the_fastest_first(kept_on: list[list[int]], threads: int, cores: list[int]) -> None:
    assert pin_to_fastest(threads) == cores
    assert kept_on == [cores]


def test_without_a_number_of_threads_it_stays_on_all(kept_on: list[list[int]]) -> None:
    assert pin_to_fastest(None) is None
    assert not kept_on


def test_a_sandbox_that_does_not_let_it(kept_on: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int, __: list[int]) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert pin_to_fastest(1) is None


def test_a_system_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert pin_to_fastest(1) is None
