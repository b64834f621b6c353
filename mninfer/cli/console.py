"""The console script: ``main`` in a process of its own, whose garbage collector is told that it won't live long."""

import gc
import sys
from importlib import import_module

__all__ = ["run", "run_main_of"]

# Starting makes some 100,000 objects and no garbage; looking for it at every 700th takes 5 % of a short run.
START_UP_OBJECTS = 50_000


def run() -> int:
    """Run the command line and return the exit code."""
    return run_main_of("mninfer.cli.main")


def run_main_of(module: str) -> int:
    """Import ``module``, which may take a while, call its ``main`` and return the exit code."""
    gc.set_threshold(START_UP_OBJECTS)
    try:
        return int(import_module(module).main())
    except KeyboardInterrupt:  # while importing, or telling of another: main catches the rest
        sys.stderr.write("interrupted\n")
        return 130
    finally:
        gc.freeze()  # or Python searches all of numpy and OpenCV for garbage once more on its way out, another 10 %
