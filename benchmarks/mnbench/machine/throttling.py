"""Whether something held the processor back: heat, a weak power supply, or a container's share of CPU time."""

import re
from typing import Any

from mnbench.machine.host import Host

__all__ = ["read_throttling"]

_CPUS = "sys/devices/system/cpu"
# Bits of the Raspberry Pi firmware's answer; 16 higher is the same "has occurred since the start"
# (raspberrypi.com/documentation/computers/os.html, get_throttled).
_PI_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
_PI_SINCE_START = 16
_MOST_ASKED = 64  # cores whose counter is read


def read_throttling(host: Host) -> dict[str, Any]:
    """``throttle_count`` is x86's counter of heat, ``quota_throttled_count`` a container's; ``throttled_now`` and
    ``throttled_since_start`` are a Raspberry Pi's words. None where nothing is told.
    """
    bits = _pi_bits(host)
    return {
        "throttle_count": _heat_count(host),
        "quota_throttled_count": _quota_count(host),
        "throttled_now": None if bits is None else _words(bits),
        "throttled_since_start": None if bits is None else _words(bits >> _PI_SINCE_START),
    }


def _heat_count(host: Host) -> int | None:
    """Every core counts its own times, and all cores of a package the package's: those count once."""
    cores = host.usable[-_MOST_ASKED:]
    own = [host.number(f"{_CPUS}/cpu{core}/thermal_throttle/core_throttle_count") for core in cores]
    shared: dict[int | None, int] = {}
    for core in cores:
        count = host.number(f"{_CPUS}/cpu{core}/thermal_throttle/package_throttle_count")
        if count is not None:
            package = host.number(f"{_CPUS}/cpu{core}/topology/physical_package_id")
            shared[package] = max(count, shared.get(package, 0))
    found = [count for count in (*own, *shared.values()) if count is not None]
    return sum(found) if found else None


def _quota_count(host: Host) -> int | None:
    """How often a container had used up its share (cgroup v2, then v1)."""
    for path in ("sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat"):
        match = re.search(r"^nr_throttled (\d{1,18})$", host.text(path) or "", re.MULTILINE)
        if match:
            return int(match[1])
    return None


def _pi_bits(host: Host) -> int | None:
    """What the firmware says: by the kernel's file, else by the program that asks through /dev/vcio."""
    home = "sys/devices/platform"
    for soc in host.names(home):
        for device in host.names(f"{home}/{soc}") if soc.startswith("soc") else ():
            text = host.line(f"{home}/{soc}/{device}/get_throttled") if device.endswith("firmware") else None
            if text is not None:
                return _hexadecimal(text)
    if not host.has("dev/vcio"):
        return None
    return _hexadecimal((host.ask(("vcgencmd", "get_throttled")) or "").strip().removeprefix("throttled="))


def _hexadecimal(text: str) -> int | None:
    digits = text.removeprefix("0x")
    return int(digits, 16) if re.fullmatch(r"[0-9a-fA-F]{1,8}", digits) else None


def _words(bits: int) -> list[str]:
    return [word for bit, word in _PI_BITS.items() if bits >> bit & 1]
