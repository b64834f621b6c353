"""What kind of machine this is, read once before a run and once after."""

import os
import platform
import re
import sys
from typing import Any

from mnbench.machine.cpu import read_cpu
from mnbench.machine.gpu import read_gpu
from mnbench.machine.host import Host, shortened
from mnbench.machine.memory import read_memory_available, read_memory_total
from mnbench.machine.packages import environment_versions, installed_packages
from mnbench.machine.power import is_on_battery
from mnbench.machine.temperature import read_temperature_c
from mnbench.machine.virtual import (
    read_board,
    read_container,
    read_emulator,
    read_product,
    read_virtual_machine,
)

__all__ = ["read_facts"]

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def read_facts(host: Host | None = None) -> dict[str, Any]:
    """Facts as JSON; None stands for what this system doesn't tell."""
    host = host or Host()
    return {
        "cpu": read_cpu(host),
        "gpu": read_gpu(host),
        "board": read_board(host),
        "product": read_product(host),
        "memory_bytes": read_memory_total(host),
        "memory_available_bytes": read_memory_available(host),
        "page_bytes": _page_bytes(),
        "temperature_c": read_temperature_c(host),
        "is_on_battery": is_on_battery(host),
        "virtual_machine": read_virtual_machine(host),
        "container": read_container(host),
        "emulator": read_emulator(host),
        "system": _system(host),
        "distribution": _distribution(host),
        "libc": _libc(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "python_bits": 64 if sys.maxsize > 2**32 else 32,
        "packages": installed_packages(),
        "environments": environment_versions(),
    }


def _system(host: Host) -> str:
    """Without what a kernel's maker wrote behind its number: that may be anybody's name."""
    release = host.line("proc/sys/kernel/osrelease") or platform.release()
    number = re.match(r"\d+(\.\d+)*", release)
    return f"{_SYSTEMS.get(host.system, host.system)} {number[0] if number else ''}".strip()


def _distribution(host: Host) -> str | None:
    if host.system == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    for path in ("etc/os-release", "usr/lib/os-release"):
        match = re.search(r'^PRETTY_NAME="?([^"\n]*)"?\s*$', host.text(path) or "", re.MULTILINE)
        if match:
            return shortened(match[1])
    return None


def _libc() -> str | None:
    """What this Python is linked with."""
    try:
        told = os.confstr("CS_GNU_LIBC_VERSION")  # "glibc 2.36"
    except (AttributeError, OSError, ValueError):  # Windows; macOS and musl don't know the name
        told = None
    return told or shortened(" ".join(platform.libc_ver()))


def _page_bytes() -> int | None:
    """4096, and 16384 on a Raspberry Pi 5 and on Macs."""
    try:
        return os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
