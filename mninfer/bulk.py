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

    ``items`` is consumed as results are taken, a few items ahead. Where it raises, the results of what came before are
    yielded first. Closing the iterator, an error of a worker or Ctrl-C waits for the items in hand only.
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
    source = _Source(items)
    try:
        for item in source:
            pending.append(pool.submit(handle, item))
            if len(pending) > LOOK_AHEAD * len(workers):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
        if source.error is not None:
            raise source.error
    finally:
        pool.shutdown(cancel_futures=True)


class _Source(Iterator[Item]):
    """Items that end where the iterable under them raises: ``error`` is what it raised."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self.error: Exception | None = None

    def __next__(self) -> Item:
        try:
            return next(self._items)
        except StopIteration:
            raise
        except Exception as error:  # the caller's own, raised again once the results before it are out
            self.error = error
            raise StopIteration from error
