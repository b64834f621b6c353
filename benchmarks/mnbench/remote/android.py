"""What an Android device is and how it does, as the facts and conditions of a record: out of its own commands' text."""

import re
from collections.abc import Mapping
from typing import Any

from mnbench.remote.adb_device import AdbDevice

__all__ = ["read_android_conditions", "read_android_facts"]

# The properties that are read. Others name the device's owner's unit: serial, build host, fingerprint.
_PROPERTY = re.compile(r"^\[([\w.]+)\]: \[(.*)\]$", re.MULTILINE)
_GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
_STATE = f"dumpsys battery; dumpsys thermalservice; cat {_GOVERNOR}"  # one command: each costs a process there
_THERMAL = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")  # android.os.PowerManager
_MOST_TEXT = 80
_MOST_FLAGS = 100


def read_android_facts(device: AdbDevice) -> dict[str, Any]:
    """Facts in the words of ``machine.read_facts``; None stands for what the device doesn't tell."""
    told = device.script(f"getprop; cat /proc/cpuinfo /proc/meminfo; {_STATE}").text.replace("\r", "")
    properties = dict(_PROPERTY.findall(told))
    memory = re.search(r"^MemTotal:\s+(\d{1,12}) kB", told, re.MULTILINE)
    return {
        "cpu": _cpu(properties, told),
        "product": _joined(properties, "ro.product.manufacturer", "ro.product.model"),
        "memory_bytes": int(memory[1]) << 10 if memory else None,
        "virtual_machine": "Android Emulator" if "1" in _both(properties, "ro.kernel.qemu", "ro.boot.qemu") else None,
        "is_on_battery": _battery(told)["is_on_battery"],
        "system": _joined({"name": "Android", **properties}, "name", "ro.build.version.release"),
    }


def read_android_conditions(device: AdbDevice) -> dict[str, Any]:
    """The state now, in the words of ``machine.read_conditions``, as far as Android tells it."""
    told = device.script(_STATE).text.replace("\r", "")
    status = re.search(r"^[ \t]*Thermal Status: (\d)\s*$", told, re.MULTILINE)
    level = min(int(status[1]), len(_THERMAL) - 1) if status else 0
    return {
        **_battery(told),
        "governor": _governor(told),
        "throttled_now": [f"thermal status {_THERMAL[level]}"] if level else [],
    }


def _cpu(properties: Mapping[str, str], told: str) -> dict[str, Any]:
    features = re.search(r"^(?:Features|flags)\s*:\s*(.*)$", told, re.MULTILINE)
    cores = len(re.findall(r"^processor\s*:", told, re.MULTILINE))
    return {
        "model": _joined(properties, "ro.soc.manufacturer", "ro.soc.model") or _known(properties, "ro.board.platform"),
        "architecture": _known(properties, "ro.product.cpu.abi"),
        "flags": sorted(set(features[1].split()))[:_MOST_FLAGS] if features else [],
        "cores_online": cores or None,
        "cores_usable": cores or None,
        "governor": _governor(told),
    }


def _battery(told: str) -> dict[str, Any]:
    """``dumpsys battery``: what may feed it, its level, its temperature in tenths of a degree."""
    powered = re.findall(r"^[ \t]*(?:AC|USB|Wireless|Dock) powered: (true|false)\s*$", told, re.MULTILINE)
    level = re.search(r"^[ \t]*level: (\d{1,3})\s*$", told, re.MULTILINE)
    tenths = re.search(r"^[ \t]*temperature: (-?\d{1,4})\s*$", told, re.MULTILINE)
    return {
        "is_on_battery": "true" not in powered if powered else None,
        "battery_percent": int(level[1]) if level else None,
        "battery_temperature_c": int(tenths[1]) / 10 if tenths else None,
    }


def _governor(told: str) -> str | None:
    """The last line, where the file could be read: a governor's name is one word."""
    last = told.rstrip().rpartition("\n")[2].strip()
    return last if re.fullmatch(r"[a-z_]{1,24}", last) else None


def _known(properties: Mapping[str, str], name: str) -> str | None:
    return properties.get(name, "").strip()[:_MOST_TEXT] or None


def _both(properties: Mapping[str, str], *names: str) -> list[str]:
    return [value for name in names if (value := _known(properties, name))]


def _joined(properties: Mapping[str, str], *names: str) -> str | None:
    return " ".join(_both(properties, *names)) or None
