"""Which line installs an engine on this machine: a function of plain facts, so that every case is a row of a test.

The rows say what wheels exist (looked up in November 2026): ai-edge-litert for CPython 3.10-3.14 on Linux with glibc
2.27 (x86-64, aarch64), macOS 12 on Apple silicon and Windows on x86-64, its 1.0.1 also for CPython up to 3.11 on Intel
Macs; tflite-runtime 2.14 for 32-bit ARM up to CPython 3.11; TensorFlow up to 2.16 for Intel Macs, CPython up to 3.12.
"""

import platform
import sys
from dataclasses import dataclass

__all__ = ["Platform", "install_hints"]

PIP = "python -m pip install"

# 32-bit ARM has no wheels of numpy and OpenCV: they come from the system, the rest from pip (README, "32-bit ARM").
APT_LINE = "sudo apt-get install python3-venv python3-numpy python3-opencv python3-click"
ARM32_LINE = (
    "python3 -m venv --system-site-packages ~/mnkit"
    " && ~/mnkit/bin/pip install --no-deps tflite-runtime==2.14.0 flatbuffers FOLDER_OR_WHEEL_OF_MNKIT"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The facts that decide which wheels fit. ``machine`` is the kernel's; Python may be 32-bit on a 64-bit kernel."""

    system: str
    machine: str
    is_64bit: bool
    python: tuple[int, int]
    is_musl: bool
    numpy_major: int
    in_virtual_env: bool = True

    @classmethod
    def current(cls) -> "Platform":
        """This process's."""
        import numpy as np

        system = platform.system()
        return cls(
            system=system,
            machine=platform.machine(),
            is_64bit=sys.maxsize > 2**32,
            python=sys.version_info[:2],
            is_musl=system == "Linux" and platform.libc_ver()[0] != "glibc",
            numpy_major=int(np.__version__.split(".")[0]),
            in_virtual_env=sys.prefix != sys.base_prefix,
        )

    @property
    def is_arm32(self) -> bool:
        """32-bit Python on ARM, whatever the kernel says."""
        return not self.is_64bit and self.machine.lower() in {"armv6l", "armv7l", "armv8l", "aarch64"}

    def __str__(self) -> str:
        bits = "64-bit" if self.is_64bit else "32-bit"
        libc = " (musl)" if self.is_musl else ""
        return f"{bits} Python {self.python[0]}.{self.python[1]} on {self.system}{libc} {self.machine}"


def install_hints(where: Platform, engine: str = "auto") -> tuple[str, ...]:
    """What to type to get ``engine`` (a name, or "auto" for the best there is), best first."""
    if engine == "tensorflow":
        return (f'{PIP} "tensorflow==2.16.2"' if _is_intel_mac(where) else f"{PIP} tensorflow",)
    if engine == "tflite-runtime":
        return _tflite_runtime_hints(where)
    return _best_hints(where)


def _best_hints(where: Platform) -> tuple[str, ...]:
    if where.is_arm32:
        return _arm32_hints(where)
    if where.is_musl:
        return (
            "no engine has wheels for musl (Alpine): use a glibc system, as the container image python:3.11-slim",
            f"there: {PIP} ai-edge-litert",
        )
    if _is_intel_mac(where):
        return _intel_mac_hints(where)
    if not where.is_64bit:
        return (f"no engine has wheels for {where}: install 64-bit Python, then {PIP} ai-edge-litert",)
    if not _litert_fits_machine(where):
        return (f"no engine has wheels for {where}: build LiteRT from its sources (ai.google.dev/edge/litert)",)
    if where.python > (3, 14):
        return (f"no engine has wheels for Python {_dotted(where.python)}: use 3.13, then {PIP} ai-edge-litert",)
    return (_pip_line(where, "ai-edge-litert"),)


def _arm32_hints(where: Platform) -> tuple[str, ...]:
    # A 64-bit kernel with 32-bit Python: what Raspberry Pi OS (32-bit) runs on a Pi 4 or 5.
    advice = "a 64-bit Raspberry Pi OS runs models about twice as fast, and there it is one pip line"
    if where.python >= (3, 12):
        return (
            f"install a 64-bit system, then {PIP} ai-edge-litert (tflite-runtime's 32-bit wheels end at Python 3.11)",
            f"or, with Python 3.11: {APT_LINE} && {ARM32_LINE}",
        )
    return (f"{APT_LINE} && {ARM32_LINE}", advice)


def _intel_mac_hints(where: Platform) -> tuple[str, ...]:
    if where.python <= (3, 11):
        return (f'{PIP} "ai-edge-litert==1.0.1"', f'{PIP} "tensorflow==2.16.2"')
    if where.python == (3, 12):
        return (f'{PIP} "tensorflow==2.16.2"', f'with Python 3.11: {PIP} "ai-edge-litert==1.0.1"')
    return (
        f'Intel Macs have no wheels for Python {_dotted(where.python)}: use 3.11, then {PIP} "ai-edge-litert==1.0.1"',
    )


def _tflite_runtime_hints(where: Platform) -> tuple[str, ...]:
    if where.is_arm32:
        return _arm32_hints(where)
    fits = where.system == "Linux" and where.is_64bit and not where.is_musl and where.python <= (3, 11)
    if not fits:
        return (f"tflite-runtime has no wheel for {where}; another engine does:", *_best_hints(where))
    packages = "tflite-runtime" if where.numpy_major < 2 else 'tflite-runtime "numpy<2"'
    return (_pip_line(where, packages), *_best_hints(where))


def _pip_line(where: Platform, packages: str) -> str:
    """Outside a virtual environment, today's Linux distributions refuse pip ("externally managed")."""
    if where.system == "Linux" and not where.in_virtual_env:
        return f"{PIP} {packages}   (in a virtual environment: python3 -m venv ~/mnkit && . ~/mnkit/bin/activate)"
    return f"{PIP} {packages}"


def _is_intel_mac(where: Platform) -> bool:
    return where.system == "Darwin" and where.machine == "x86_64"


def _litert_fits_machine(where: Platform) -> bool:
    machines = {"Linux": {"x86_64", "aarch64"}, "Darwin": {"arm64"}, "Windows": {"amd64", "x86_64"}}
    return where.machine.lower() in machines.get(where.system, set())


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
