"""Keeps a process on as many cores as it has threads, so that none wanders."""

import os

from mnbench.machine import fastest_cores

__all__ = ["pin_to_fastest"]


def pin_to_fastest(threads: int | None) -> list[int] | None:
    """Keep this process on the ``threads`` cores that are to be taken first; None where it stays on all of them.

    That is without a number of threads, on a system that has no such thing, or in a sandbox that doesn't let it.
    """
    if threads is None or not hasattr(os, "sched_setaffinity"):
        return None
    chosen = sorted(fastest_cores()[:threads])
    try:
        os.sched_setaffinity(0, chosen)
    except OSError:
        return None
    return chosen
