"""What ends a command from outside ends it as Control-C does: what was measured is kept, what was started is ended.

Workers have sessions of their own, so that nobody but the process that started them tells them to stop.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["stopped_like_control_c"]

# ``timeout`` and a cancelled CI job send the first, a terminal that is closed the second; Windows has no second.
_NAMES = ("SIGTERM", "SIGHUP")


@contextmanager
def stopped_like_control_c() -> Iterator[None]:
    """Turn the signals that end a program into KeyboardInterrupt; one that is ignored (``nohup``) stays so.

    As a decorator, it holds while the function runs.
    """
    before = {}
    for number in (getattr(signal, name, None) for name in _NAMES):
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            try:
                before[number] = signal.signal(number, signal.default_int_handler)
            except ValueError:  # not in the main thread: nobody sends signals here
                break
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
