"""What happened to the machine between two readings of its state: of one process or, summed, of several.

A reading is what ``read_conditions`` returned, or what a file says of it: what isn't there, or is no number, tells
nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Meanwhile"]

_MOST = 1e15  # no counter of a machine that was ever started is beyond
_LEAST_CORE_SECONDS = 1.0  # the system counts in ticks of 10 ms, ours and everybody's apart: less tells nothing


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Readings ``before`` and ``after`` of one process."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @classmethod
    def of(cls, conditions: Mapping[str, Any]) -> "Meanwhile":
        """Of a process's conditions (record.py)."""
        return cls(_mapping(conditions, "before"), _mapping(conditions, "after"))

    @property
    def is_on_battery(self) -> bool:
        return self.before.get("is_on_battery") is True or self.after.get("is_on_battery") is True

    @property
    def frequency_mhz(self) -> float | None:
        """Right after the work: before it, a core that has nothing to do may be slow and say so."""
        return _number(self.after, "frequency_mhz")

    def rise(self, name: str) -> float | None:
        """How far a counter has risen; None where it isn't told, or was set back."""
        begin, end = _number(self.before, name), _number(self.after, name)
        return end - begin if begin is not None and end is not None and end >= begin else None

    def throttled_words(self) -> frozenset[str]:
        """What a Raspberry Pi says of what held it back: at either moment, or for the first time in between."""
        now = _texts(self.before, "throttled_now") | _texts(self.after, "throttled_now")
        return now | (_texts(self.after, "throttled_since_start") - _texts(self.before, "throttled_since_start"))

    def gpu_words(self) -> frozenset[str]:
        """What took speed from the GPU right after the work."""
        return _texts(_mapping(self.after, "gpu"), "throttled")

    @property
    def gpu_mhz(self) -> float | None:
        """Of its cores, right after the work, too."""
        return _number(_mapping(self.after, "gpu"), "frequency_mhz")

    @property
    def gpu_used_before(self) -> float | None:
        """The part of its time that the GPU was at work just before ours began."""
        percent = _number(_mapping(self.before, "gpu"), "utilization_percent")
        return None if percent is None else percent / 100

    @staticmethod
    def share_of_others(readings: Iterable["Meanwhile"]) -> float | None:
        """The part of the usable cores' time that neither was idle nor ours, over all ``readings``."""
        sums = _sums(readings, ("cores_busy_s", "own_cpu_s", "cores_total_s"))
        return None if sums is None else max(0.0, sums[0] - sums[1]) / sums[2]

    @staticmethod
    def share_stolen(readings: Iterable["Meanwhile"]) -> float | None:
        """The part of the usable cores' time that a hypervisor gave to others, over all ``readings``."""
        sums = _sums(readings, ("cores_stolen_s", "cores_total_s"))
        return None if sums is None else sums[0] / sums[1]


def _sums(readings: Iterable[Meanwhile], names: Sequence[str]) -> list[float] | None:
    """Each counter's rise, summed over those readings that tell all; None where the last of them is too little."""
    rises = [[reading.rise(name) for name in names] for reading in readings]
    known = [[part or 0.0 for part in parts] for parts in rises if None not in parts]
    sums = [sum(parts) for parts in zip(*known, strict=True)]
    return sums if sums and sums[-1] >= _LEAST_CORE_SECONDS else None


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(value: Mapping[str, Any], name: str) -> float | None:
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if abs(found) < _MOST else None  # neither NaN nor an infinity is


def _texts(value: Mapping[str, Any], name: str) -> frozenset[str]:
    found = value.get(name)
    return (
        frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list | tuple) else frozenset()
    )
