"""Many items through a few workers: order kept, the source read lazily, look-ahead bounded, nothing left running."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeVar

__all__ = ["in_order"]

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

# Finished results that may wait for a slow one at the front, per worker.
LOOK_AHEAD = 3


def in_order(items: Iterable[Item], workers: Sequence[Callable[[Item], Outcome]]) -> Iterator[Outcome]:
    """Yield each item's outcome in the items' order; every worker has a thread of its own, and handles one at a time.

    ``items`` is consumed as results are taken, a few items ahead. Closing the iterator, an error or Ctrl-C waits for
    the items in hand only.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    idle: SimpleQueue[Callable[[Item], Outcome]] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def handle(item: Item) -> Outcome:
        worker = idle.get()
        try:
            return worker(item)
        finally:
            idle.put(worker)

    pending: deque[Future[Outcome]] = deque()
    pool = ThreadPoolExecutor(len(workers), "mninfer")
    try:
        for item in items:
            pending.append(pool.submit(handle, item))
            if len(pending) > LOOK_AHEAD * len(workers):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
