"""Import TensorFlow without what its native code tells every user about its build, on stderr and past Python's streams.

TF_CPP_MIN_LOG_LEVEL comes too late for that: these lines are written before TensorFlow reads it.
"""

import faulthandler
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from tempfile import TemporaryFile
from types import ModuleType
from typing import IO

__all__ = ["import_quietly"]

_TOLD_TO_ALL = (
    b"WARNING: All log messages before absl::InitializeLog",
    b"I0000 ",
    b"To enable the following instructions",
)


def import_quietly(*names: str) -> ModuleType:
    """Import modules and return the last; of stderr meanwhile only what is no announcement is passed on.

    An import that ends the process (TensorFlow on a processor without AVX) at least says where it was.
    """
    if sys.stderr is None or all(name in sys.modules for name in names):
        return [import_module(name) for name in names][-1]
    with _held_stderr():
        return [import_module(name) for name in names][-1]


@contextmanager
def _held_stderr() -> Iterator[None]:
    sys.stderr.flush()
    terminal = os.dup(2)
    with _file_of_its_own() as held, os.fdopen(terminal, "wb", buffering=0) as out, _told_of_a_crash(terminal):
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            held.seek(0)
            out.write(b"".join(line for line in held if not line.startswith(_TOLD_TO_ALL)))


def _file_of_its_own() -> IO[bytes]:
    """In memory where the system has such files: a container may have no folder that can be written to."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("mnmodels-stderr"), "w+b")
    return TemporaryFile()


@contextmanager
def _told_of_a_crash(terminal: int) -> Iterator[None]:
    is_asked_for = bool(os.environ.get("PYTHONFAULTHANDLER"))  # on stderr; who enabled it else knows where it writes
    if faulthandler.is_enabled() and not is_asked_for:
        yield
        return
    faulthandler.enable(terminal)
    try:
        yield
    finally:
        if is_asked_for:
            faulthandler.enable(2)
        else:
            faulthandler.disable()
