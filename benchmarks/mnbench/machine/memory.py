"""How much memory there is, and how much of it is free to be used."""

from mnbench.machine.host import Host

__all__ = ["read_memory_available", "read_memory_total"]


def read_memory_total(host: Host) -> int | None:
    """Bytes that are installed, less what the system keeps for itself."""
    if host.system == "darwin":
        told = (host.ask(("sysctl", "-n", "hw.memsize")) or "").strip()
        return int(told) if told.isascii() and told.isdigit() and len(told) < 20 else None
    return _field(host, "MemTotal")


def read_memory_available(host: Host) -> int | None:
    """Bytes that a program could still have before others are pushed out."""
    return _field(host, "MemAvailable")


def _field(host: Host, name: str) -> int | None:
    for line in (host.text("proc/meminfo") or "").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if key == name and words and words[0].isascii() and words[0].isdigit() and len(words[0]) < 16:
            return int(words[0]) * 1024
    return None
