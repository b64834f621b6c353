"""Engines announce their delegates, and OpenCV its backends, on stderr, past Python; here that is held back."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_chatter"]

_CHATTER = (b"INFO: ", b"I0000 ", b"[ WARN:")


@contextmanager
def without_chatter(*begins: bytes) -> Iterator[None]:
    """Hold back what native code writes to stderr meanwhile; afterwards pass on all of it but announcements.

    ``begins``: what other lines begin with that are announcements here.
    """
    if not hasattr(os, "memfd_create"):  # not Linux: let it talk
        yield
        return
    sys.stderr.flush()
    terminal, held = os.dup(2), os.memfd_create("mninfer-stderr")
    os.dup2(held, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        _pass_on(held, terminal, (*_CHATTER, *begins))
        os.close(held)
        os.close(terminal)


def _pass_on(held: int, terminal: int, chatter: tuple[bytes, ...]) -> None:
    size = os.lseek(held, 0, os.SEEK_CUR)
    lines = os.pread(held, size, 0).splitlines(keepends=True)
    if wanted := b"".join(line for line in lines if not line.startswith(chatter)):
        os.write(terminal, wanted)
