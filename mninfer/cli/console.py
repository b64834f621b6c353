"""The console script: ``main`` in a process of its own, that begins quickly and ends at once."""

import atexit
import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

__all__ = ["run", "run_main_of"]

# Starting makes some 100,000 objects and no garbage; looking for it at every 700th takes 5 % of a short run.
START_UP_OBJECTS = 50_000


def run() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    run_main_of("mninfer.cli.main")


def run_main_of(module: str) -> NoReturn:
    """Import ``module``, which may take a while, call its ``main`` and end the process with its exit code."""
    gc.set_threshold(START_UP_OBJECTS)
    try:
        code = int(import_module(module).main())
    except KeyboardInterrupt:  # while importing, or telling of another: main catches the rest
        sys.stderr.write("interrupted\n")
        code = 130
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Say what is left to say and end, without taking Python, engines and decoders apart piece by piece.

    All is closed by now. Taking the rest apart would be a tenth of a short run, and a crash in it, of a native library
    or of a thread that is still sending to a viewer, would put a signal in place of the exit code.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # None, a full disk, closed: main has told what it could
            stream.flush()
    os._exit(code)
