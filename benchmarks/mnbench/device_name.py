"""What tables call a device that nobody named: its board, or its processor and the cores of that which may be used."""

from collections.abc import Mapping
from typing import Any

__all__ = ["device_name"]


def device_name(facts: Mapping[str, Any]) -> str:
    """A name out of ``machine.read_facts``.

    >>> device_name({"board": None, "cpu": {"model": "Xeon E3-1231 v3", "cores_usable": 4}})
    'Xeon E3-1231 v3, 4 cores'
    >>> device_name({"board": "Raspberry Pi 5 Model B", "cpu": {"cores_usable": 4}})
    'Raspberry Pi 5 Model B'
    """
    cpu = facts.get("cpu") or {}
    emulated = f" (emulated by {facts['emulator']})" if facts.get("emulator") else ""
    if facts.get("board"):
        return f"{facts['board']}{emulated}"
    model = " ".join(str(cpu.get("model") or cpu.get("architecture") or "unknown CPU").split())
    cores = cpu.get("cores_usable")
    return f"{model}{_counted(cores)}{emulated}"


def _counted(cores: Any) -> str:
    if not isinstance(cores, int) or cores < 1:
        return ""
    return f", {cores} core{'s' if cores > 1 else ''}"
