"""Energy between two moments, from the processor's or the board's own counters.

Counters alone: a sensor of the power at a moment would have to be asked all the while, and that takes of what is timed.
"""

from mnbench.machine.host import Host

__all__ = ["EnergyMeter"]

_RAPL = "sys/class/powercap"
_HWMON = "sys/class/hwmon"


class EnergyMeter:
    """``start()``, then ``joules()``: what was used since; None where nothing counts, or only root may read it.

    RAPL's packages and their memory are summed; without RAPL the counters of a board's monitoring chips.
    """

    def __init__(self, host: Host | None = None) -> None:
        self._host = host or Host()
        counters = _rapl_counters(self._host) or _board_counters(self._host)
        self._counters = [path for path in counters if self._host.number(path) is not None]
        self._begin: list[int | None] = []

    def start(self) -> None:
        self._begin = self._read()

    def joules(self) -> float | None:
        if not self._begin:
            return None
        parts = [self._used(*each) for each in zip(self._counters, self._begin, self._read(), strict=True)]
        known = [part for part in parts if part is not None]
        return sum(known) / 1e6 if len(known) == len(parts) else None

    def _read(self) -> list[int | None]:
        return [self._host.number(path) for path in self._counters]

    def _used(self, path: str, begin: int | None, end: int | None) -> int | None:
        """Microjoules; a counter that has come to its end begins at zero again."""
        if begin is None or end is None:
            return None
        if end >= begin:
            return end - begin
        most = self._host.number(f"{path.rpartition('/')[0]}/max_energy_range_uj")
        return most - begin + end if most is not None and most >= begin else None


def _rapl_counters(host: Host) -> list[str]:
    """Each package and, within it, the memory; cores and graphics are in the package already, all in "psys".

    "intel-rapl-mmio" counts the same packages a second time. AMD's are told under Intel's name.
    """
    found = []
    for zone in host.names(_RAPL):
        name = host.line(f"{_RAPL}/{zone}/name") or ""
        if zone.startswith("intel-rapl:") and (name.startswith("package") or name == "dram"):
            found.append(f"{_RAPL}/{zone}/energy_uj")
    return found


def _board_counters(host: Host) -> list[str]:
    """The first counter of each chip: hwmon's energyN_input is in microjoules (Documentation/hwmon/sysfs-interface)."""
    return [f"{_HWMON}/{chip}/energy1_input" for chip in host.names(_HWMON)]
