"""What ends a command from outside ends it as Control-C does: what was measured is kept, what was started is ended.

Workers have sessions of their own, so that nobody but the process that started them tells them to stop.
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

__all__ = ["stopped_later", "stopped_like_control_c"]

# ``timeout`` and a cancelled CI job send the first, a terminal that is closed the second; Windows has no second.
_NAMES = ("SIGTERM", "SIGHUP")


@contextmanager
def stopped_like_control_c() -> Iterator[None]:
    """Turn the signals that end a program into KeyboardInterrupt; one that is ignored (``nohup``) stays so.

    As a decorator, it holds while the function runs.
    """
    with _handled(_NAMES, signal.SIG_DFL, signal.default_int_handler):
        yield


@contextmanager
def stopped_later() -> Iterator[None]:
    """Put a KeyboardInterrupt off until the block is done: for what has to become whole, and doesn't take long."""
    came: list[int] = []
    with _handled(("SIGINT", *_NAMES), signal.default_int_handler, lambda number, _: came.append(number)):
        yield
    if came:
        raise KeyboardInterrupt


@contextmanager
def _handled(names: Sequence[str], usual: object, handler: Callable[..., object]) -> Iterator[None]:
    """``handler`` for each signal that has its ``usual`` one."""
    before = {}
    for number in (getattr(signal, name, None) for name in names):
        if number is not None and signal.getsignal(number) is usual:
            try:
                before[number] = signal.signal(number, handler)
            except ValueError:  # not in the main thread: nobody sends signals here
                break
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
