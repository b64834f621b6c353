"""One process at a time in the folder of one bundle: two runs that begin together would write over each other."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ModuleNotFoundError:  # Windows, where the second of two is told that a file is being written
    fcntl = None  # type: ignore[assignment]

__all__ = ["alone"]


@contextmanager
def alone(folder: Path, name: str, watch: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of ``name`` in ``folder``; ``watch`` is told where somebody else has it and this one waits.

    The lock goes with the process that holds it, however that ends. A file system without locks has none.
    """
    try:
        number = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        _take(number, name, watch)
        yield
    finally:
        os.close(number)


def _take(number: int, name: str, watch: Callable[[str], None]) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        watch(f"{name}: waiting for another mnbench that makes it")
        fcntl.flock(number, fcntl.LOCK_EX)
    except OSError:
        return
