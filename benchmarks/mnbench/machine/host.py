"""Where facts are read: a file tree as Linux shows it, programs that may be asked, and what Python itself knows.

Everything read is bounded and may be absent, unreadable or nonsense: then the answer is None. A test gives its own.
"""

import os
import platform
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Host", "ask_program", "shortened"]

_MOST_BYTES = 1 << 20  # /proc/cpuinfo of 256 cores takes 400 KB
_MOST_LINE = 120
_MOST_LINE_BYTES = 4096  # of which as much may not be printable
_MOST_NAMES = 4096
_PATIENCE_S = 5.0  # nvidia-smi without its daemon takes two
_NUMBER = re.compile(r"-?\d{1,20}")


def ask_program(command: Sequence[str]) -> str | None:
    """What a program prints; None where it isn't there, fails, or takes too long."""
    try:
        done = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout[:_MOST_BYTES].decode("utf-8", errors="replace") if done.returncode == 0 else None


def _usable_cores() -> tuple[int, ...]:
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def _own_cpu_s() -> float:
    """CPU time of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One machine as seen by one process; ``usable`` are the cores that it may run on."""

    root: Path = Path("/")
    ask: Callable[[Sequence[str]], str | None] = ask_program
    system: str = sys.platform
    architecture: str = field(default_factory=platform.machine)
    usable: tuple[int, ...] = field(default_factory=_usable_cores)
    own_cpu_s: Callable[[], float] = _own_cpu_s

    def text(self, path: str, *, most_bytes: int = _MOST_BYTES) -> str | None:
        """The file at ``path`` (from the root, without a leading slash), up to a megabyte."""
        try:
            descriptor = os.open(self.root / path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except (OSError, ValueError):
            return None
        try:
            return _read(descriptor, most_bytes)
        except OSError:  # a sensor that is there and doesn't answer
            return None
        finally:
            os.close(descriptor)

    def line(self, path: str) -> str | None:
        """The first line, printable and short, as it may stand in a record; None where it is empty."""
        return shortened((self.text(path, most_bytes=_MOST_LINE_BYTES) or "").partition("\n")[0])

    def number(self, path: str) -> int | None:
        line = self.line(path)
        return int(line) if line and _NUMBER.fullmatch(line) else None

    def names(self, path: str) -> tuple[str, ...]:
        """What is in a folder, numbers in their order; empty where there is none."""
        try:
            found = os.listdir(self.root / path)
        except (OSError, ValueError):
            return ()
        return tuple(sorted(found, key=_in_order)[:_MOST_NAMES])

    def has(self, path: str) -> bool:
        try:
            return (self.root / path).exists()
        except (OSError, ValueError):
            return False


def shortened(text: str) -> str | None:
    """``text`` without what can't be printed (a device tree's texts end in a zero), and not longer than a line."""
    kept = "".join(char for char in text if char.isprintable() and char != "\ufffd")
    return " ".join(kept.split())[:_MOST_LINE] or None


def _read(descriptor: int, most_bytes: int) -> str | None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        return None
    parts, left = [], most_bytes
    while left > 0 and (part := os.read(descriptor, left)):  # /proc hands out a page at a time
        parts.append(part)
        left -= len(part)
    return b"".join(parts).decode("utf-8", errors="replace")


def _in_order(name: str) -> tuple[list[tuple[int, str]], str]:
    parts = [part for part in re.split(r"(\d{1,18})", name) if part]
    return [(int(part), "") if part.isascii() and part.isdigit() else (-1, part) for part in parts], name
