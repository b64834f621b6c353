"""Ends this process with the one that started it: a worker that nobody waits for any more would go on taking the cores.

Standard library alone; the environments of peers use it, too.
"""

import signal
import sys

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent() -> None:
    """Be killed when the parent ends, however that is (SIGKILL, for want of memory). Linux alone can; else nothing."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):
        return  # a Python without ctypes, a libc without prctl
