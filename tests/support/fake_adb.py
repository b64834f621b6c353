"""A scripted ``adb``: its own words and exit codes, and behind it a folder that is the device and a shell to run there.

What the device has of Android (getprop, dumpsys) are scripts; what is pushed there is executed as it stands.
"""

import os
import shlex
import stat
import sys
from pathlib import Path

__all__ = ["FakeAdb"]

_ADB = """#!/bin/sh
home={home}
echo "$*" >> "$home/calls"
fail() {{ echo "$1" >&2; exit 1; }}
there() {{ printf %s "$1" | sed "s|/data/local/tmp|$home/device|g; s|/sys/devices|$home/sys|g"; }}
if [ "$1" = -s ]; then
    [ "$2" = FAKE-1 ] || fail "adb: device '$2' not found"
    shift 2
fi
[ ! -e "$home/trouble" ] || fail "$(cat "$home/trouble")"
case "$1" in
push)
    [ ! -e "$home/stalled" ] || exec sleep 60
    [ ! -e "$home/full" ] || fail "adb: error: failed to copy to '$3': remote write failed: No space left on device"
    cp "$2" "$(there "$3")" && echo "$2: 1 file pushed" ;;
shell)
    shift
    PATH="$home/bin:$PATH" sh -c "$(there "$*")"
    exit 0 ;;  # an older adb: whatever ran, it ended with 0
esac
"""

_GETPROP = r"""#!/bin/sh
cat <<'END'
[ro.product.manufacturer]: [Example]
[ro.product.model]: [Phone 3]
[ro.soc.manufacturer]: [Maker]
[ro.soc.model]: [SM0001]
[ro.build.version.release]: [14]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.serialno]: [SECRET-SERIAL]
END
"""

_DUMPSYS = """#!/bin/sh
case "$1" in
battery) printf '  AC powered: false\\n  USB powered: %s\\n  level: 80\\n  temperature: 301\\n' "$(cat {home}/usb)" ;;
thermalservice) printf 'Thermal Status: %s\\n' "$(cat {home}/thermal)" ;;
esac
"""


class FakeAdb:
    """One device with the serial FAKE-1, reached by the ``adb`` in ``programs``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.device = home / "device"
        self.programs = home / "programs"
        for folder in (self.device, self.programs, home / "bin"):
            folder.mkdir(parents=True)
        self._write(self.programs / "adb", _ADB.format(home=shlex.quote(str(home))))
        self._write(home / "bin" / "getprop", _GETPROP)
        self._write(home / "bin" / "dumpsys", _DUMPSYS.format(home=shlex.quote(str(home))))
        self.set(usb="true", thermal="0")
        self.governor.parent.mkdir(parents=True)
        self.governor.write_text("schedutil\n")

    @property
    def governor(self) -> Path:
        return self.home / "sys" / "system" / "cpu" / "cpu0" / "cpufreq" / "scaling_governor"

    def set(self, **state: str) -> None:
        """``trouble``: what adb ends with; ``full``: no room; ``stalled``: it takes no file, and says nothing; ``usb``:
        whether it feeds the device; ``thermal``.
        """
        for name, value in state.items():
            (self.home / name).write_text(value)

    def program(self, source: str) -> Path:
        """A benchmark_model: a Python script. It stands on this machine, to be sent."""
        path = self.home / "benchmark_model"
        self._write(path, f"#!{sys.executable} -IS\nimport sys\n{source}\n")
        return path

    @property
    def calls(self) -> str:
        """Every command line that adb has had."""
        return (self.home / "calls").read_text()

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        os.chmod(path, path.stat().st_mode | stat.S_IXUSR)
