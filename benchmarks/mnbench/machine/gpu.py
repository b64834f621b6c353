"""An NVIDIA GPU, as nvidia-smi tells of it."""

import re
from collections.abc import Sequence
from typing import Any

from mnbench.machine.host import Host, shortened

__all__ = ["read_gpu", "read_gpu_state"]

_FACTS = ("name", "driver_version", "memory.total", "clocks.max.sm", "power.limit")
_STATE = ("temperature.gpu", "clocks.sm", "utilization.gpu", "power.draw")
# The one field under its new name and, for drivers before 535, its old one: an unknown field fails the whole query.
_REASONS_FIELDS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")
# nvml.h, nvmlClocksThrottleReason*: those that take speed away; idle, chosen clocks and a partner's clocks don't.
_REASONS = {
    0x4: "software power cap",
    0x8: "hardware slowdown",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
}


def read_gpu(host: Host) -> dict[str, Any] | None:
    """The first GPU's kind, and how many there are; None without one."""
    rows = _query(host, _FACTS)
    if not rows:
        return None
    name, driver, memory, clock, power = rows[0]
    mebibytes = _number(memory)
    return {
        "name": shortened(name),
        "driver": shortened(driver),
        "memory_bytes": None if mebibytes is None else round(mebibytes) << 20,
        "max_mhz": _number(clock),
        "power_limit_w": _number(power),
        "count": len(rows),
    }


def read_gpu_state(host: Host) -> dict[str, Any] | None:
    """The first GPU's state now; ``throttled`` names what takes speed away."""
    rows: list[list[str]] = []
    for field in _REASONS_FIELDS:
        rows = rows or _query(host, (*_STATE, field))
    if not rows:
        return None
    temperature, clock, utilization, power, reasons = rows[0]
    bits = int(reasons, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,16}", reasons) else None
    return {
        "temperature_c": _number(temperature),
        "frequency_mhz": _number(clock),
        "utilization_percent": _number(utilization),
        "power_w": _number(power),
        "throttled": None if bits is None else [word for bit, word in _REASONS.items() if bits & bit],
    }


def _query(host: Host, fields: Sequence[str]) -> list[list[str]]:
    if not (host.has("dev/nvidiactl") or host.has("proc/driver/nvidia") or host.system == "win32"):
        return []
    told = host.ask(("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"))
    rows = [[word.strip() for word in line.split(",")] for line in (told or "").splitlines()]
    return [row for row in rows if len(row) == len(fields)]


def _number(text: str) -> float | None:
    """None for "[N/A]"."""
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text) else None
