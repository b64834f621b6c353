"""The memory of this process: what it holds now, and the most that it ever held."""

import sys
from pathlib import Path

__all__ = ["read_memory"]

_STATUS = Path("/proc/self/status")
_FIELDS = {"VmRSS": "resident_bytes", "VmHWM": "peak_bytes"}


def read_memory(status: Path = _STATUS) -> dict[str, int | None]:
    """``resident_bytes`` and ``peak_bytes``; None where the system does not tell.

    Linux' own figures come first: what getrusage tells as the peak begins with the memory of whoever started us.
    """
    try:
        lines = status.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {"resident_bytes": None, "peak_bytes": _peak_by_getrusage()}
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return {name: _kib(values.get(field)) for field, name in _FIELDS.items()}


def _kib(text: str | None) -> int | None:
    number = (text or "").split()
    return int(number[0]) * 1024 if number and number[0].isdigit() else None


def _peak_by_getrusage() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
