"""The state of the machine at one moment, cheap enough to be read before and after each process.

Counters are as the system counts them, from its start on: what happened meanwhile is the difference of two readings
(``doubts.py``). "Cores" are those that this process may run on.
"""

from typing import Any

from mnbench.machine.cpu import read_frequency_mhz, read_governor
from mnbench.machine.gpu import read_gpu_state
from mnbench.machine.host import Host
from mnbench.machine.memory import read_memory_available
from mnbench.machine.power import is_on_battery
from mnbench.machine.temperature import read_temperature_c
from mnbench.machine.throttling import read_throttling

__all__ = ["read_conditions"]

_TICKS_PER_SECOND = 100  # of /proc/stat: USER_HZ, which is 100 for every program on Linux
_BUSY = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq; a guest's time is within user's (proc_stat(5))
_STOLEN = 7


def read_conditions(host: Host | None = None, *, with_gpu: bool = False) -> dict[str, Any]:
    """The state now. ``with_gpu`` asks the GPU, too, which takes nvidia-smi some 50 ms."""
    host = host or Host()
    return {
        "load_average": _load_average(host),
        **_times_of_cores(host),
        "own_cpu_s": round(host.own_cpu_s(), 3),
        "governor": read_governor(host),
        "frequency_mhz": read_frequency_mhz(host),
        "temperature_c": read_temperature_c(host),
        **read_throttling(host),
        "memory_available_bytes": read_memory_available(host),
        "is_on_battery": is_on_battery(host),
        **({"gpu": read_gpu_state(host)} if with_gpu else {}),
    }


def _load_average(host: Host) -> float | None:
    """Of the last minute."""
    word = (host.line("proc/loadavg") or "").partition(" ")[0]
    try:
        value = float(word)
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None


def _times_of_cores(host: Host) -> dict[str, float | None]:
    """Seconds that the usable cores were busy, that a hypervisor kept from them, and that went by, summed over them."""
    wanted = {f"cpu{core}" for core in host.usable}
    busy = stolen = total = 0
    for line in (host.text("proc/stat") or "").splitlines():
        name, *words = line.split()[:9] or [""]
        if name in wanted and len(words) == 8 and all(word.isascii() and word.isdigit() for word in words):
            ticks = [int(word) for word in words]
            busy += sum(ticks[i] for i in _BUSY)
            stolen += ticks[_STOLEN]
            total += sum(ticks)
    names = ("cores_busy_s", "cores_stolen_s", "cores_total_s")
    return {
        name: value / _TICKS_PER_SECOND if 0 < total < 1e15 else None
        for name, value in zip(names, (busy, stolen, total), strict=True)
    }
