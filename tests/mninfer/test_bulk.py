"""Many at a time: order, laziness, bounded look-ahead, errors, an orderly end."""

import threading
import time
from collections.abc import Iterator

import pytest

from mninfer.bulk import LOOK_AHEAD, in_order


def test_outcomes_come_in_the_items_order() -> None:
    def work(item: int) -> int:
        time.sleep(0.002 * (item % 3))
        return item * item

    assert list(in_order(range(50), [work] * 4)) == [item * item for item in range(50)]


def test_an_endless_source_is_read_a_few_items_ahead() -> None:
    taken = []

    def source() -> Iterator[int]:
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    results = in_order(source(), [str] * 2)
    assert next(results) == "0"
    assert next(results) == "1"
    assert len(taken) <= 2 + 2 * LOOK_AHEAD + 1
    results.close()  # type: ignore[attr-defined]


def test_nothing_is_read_before_the_first_result_is_asked_for() -> None:
    def source() -> Iterator[int]:
        pytest.fail("read too early")
        yield 0

    in_order(source(), [str])


def test_a_worker_handles_one_item_at_a_time() -> None:
    def make() -> object:
        lock = threading.Lock()

        def work(item: int) -> int:
            assert lock.acquire(blocking=False)
            time.sleep(0.001)
            lock.release()
            return item

        return work

    assert list(in_order(range(40), [make() for _ in range(3)])) == list(range(40))  # type: ignore[misc]


def test_workers_work_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)
    assert list(in_order([1, 1], [lambda item: meeting.wait() is not None] * 2)) == [True, True]


def test_an_error_ends_it_and_leaves_no_thread() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise KeyError(item)
        return item

    with pytest.raises(KeyError):
        list(in_order(range(1000), [work] * 2))
    assert not workers_alive()


def test_an_error_of_the_source_ends_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise OSError("the folder is gone")

    results = in_order(source(), [str] * 2)
    assert next(results) == "1"  # what came before is not lost
    with pytest.raises(OSError, match="the folder is gone"):
        next(results)
    assert not workers_alive()


def test_closing_in_the_middle_leaves_no_thread() -> None:
    results = in_order(range(1000), [lambda item: time.sleep(0.001)] * 3)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not workers_alive()


def workers_alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mninfer")]
