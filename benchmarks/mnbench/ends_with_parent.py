"""Ends this process with the one that started it: a worker that nobody waits for any more would go on taking the cores.

Standard library alone; the environments of peers use it, too.
"""

import os
import signal
import sys
from pathlib import Path

__all__ = ["end_with_parent", "variable_for_children"]

_VARIABLE = "MNBENCH_PARENT"
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_ENDED = "ZX"  # proc_pid_stat(5): a zombie, or dead


def variable_for_children() -> dict[str, str]:
    """What a child's environment needs to know who its parent was, if that ends while the child still starts."""
    return {_VARIABLE: str(os.getpid())}


def end_with_parent() -> None:
    """Be killed when the parent ends, however that is (SIGKILL, for want of memory). Linux alone can; else nothing."""
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (ImportError, OSError, AttributeError):
        return  # a Python without ctypes, a libc without prctl
    parent = os.environ.get(_VARIABLE, "")
    if parent.isdecimal() and _has_ended(Path("/proc", parent, "stat")):
        os._exit(1)  # before anybody could be asked to tell us


def _has_ended(status: Path) -> bool:
    try:
        return status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] in _ENDED
    except FileNotFoundError:
        return status.parent.parent.joinpath("self").exists()  # else there is no /proc to tell
    except (OSError, IndexError):
        return False
