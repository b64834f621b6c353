"""How many cores' worth of time a container gives this process: Linux's control groups, versions 1 and 2.

``docker run --cpus=1`` and Kubernetes' limits leave every core in sight, and stop what takes more time than agreed: as
many threads as there are cores then wait for each other. docs.kernel.org: cgroup-v2, "cpu.max"; scheduler/sched-bwc.
"""

from collections.abc import Iterator
from contextlib import suppress

__all__ = ["quota_cores"]

# Strings and not pathlib, which takes longer to import than all of this to run.


def quota_cores(root: str = "") -> int | None:
    """The quota in whole cores, rounded up, the tightest of the groups above this process; None where there is none."""
    cores = [-(-quota // period) for folder in _groups(root) for quota, period in _limits(folder)]
    return min(cores, default=None)


def _groups(root: str) -> Iterator[str]:
    """The folders of this process's group and those above it; from inside a container, only the last may be there."""
    try:
        lines = _text(f"{root}/proc/self/cgroup").splitlines()
    except (OSError, ValueError):
        return  # not Linux, or without control groups
    for line in lines:
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = f"{root}/sys/fs/cgroup/cpu" if controllers else f"{root}/sys/fs/cgroup"  # version 1, version 2
        path = path.rstrip("/")
        while path:
            yield mount + path
            path = path.rpartition("/")[0]
        yield mount


def _limits(folder: str) -> Iterator[tuple[int, int]]:
    """A group's microseconds, of so many, as version 2 says it and as version 1 does."""
    with suppress(OSError, ValueError):  # ValueError: "max", which is no limit
        quota, period = map(int, _text(f"{folder}/cpu.max").split())
        if quota > 0 and period > 0:
            yield quota, period
    with suppress(OSError, ValueError):
        quota, period = (int(_text(f"{folder}/cpu.cfs_{name}_us")) for name in ("quota", "period"))
        if quota > 0 and period > 0:  # -1: no limit
            yield quota, period


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
