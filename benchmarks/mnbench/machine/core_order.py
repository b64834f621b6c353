"""Which cores to measure on: cores of one chip may be unlike, and two of them may be threads of one.

Laptops have fast and frugal cores, phones three kinds; their numbers don't tell which is which.
"""

import re

from mnbench.machine.host import Host

__all__ = ["fastest_cores"]

_CPUS = "sys/devices/system/cpu"


def fastest_cores(host: Host | None = None) -> tuple[int, ...]:
    """The usable cores in the order in which they are to be taken.

    One of each physical core before any second thread of one; the fastest first; among equals the one with the highest
    number, since the first ones serve most interrupts.
    """
    host = host or Host()
    seconds = _second_threads(host)
    return tuple(sorted(host.usable, key=lambda core: (core in seconds, *_slowness(host, core), -core)))


def _second_threads(host: Host) -> set[int]:
    """Of each physical core all usable threads but the last."""
    found: set[int] = set()
    for core in host.usable:
        siblings = _numbers(host.line(f"{_CPUS}/cpu{core}/topology/thread_siblings_list") or "")
        if any(other > core for other in siblings & set(host.usable)):
            found.add(core)
    return found


def _slowness(host: Host, core: int) -> tuple[int, int]:
    """By what the scheduler takes the core to be capable of, where it tells, which counts work and not only cycles;
    then by the highest frequency.
    """
    capacity = host.number(f"{_CPUS}/cpu{core}/cpu_capacity") or 0
    return -capacity, -(host.number(f"{_CPUS}/cpu{core}/cpufreq/cpuinfo_max_freq") or 0)


def _numbers(text: str) -> set[int]:
    """Of a list as the kernel writes it: "0-1,4"."""
    spans = (re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", span.strip()) for span in text.split(","))
    return {number for match in spans if match for number in range(int(match[1]), int(match[2] or match[1]) + 1)}
