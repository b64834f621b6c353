"""Machines as Linux shows them in /proc and /sys, written below a folder: a Pi 5, a laptop, a server's virtual machine.

Serial numbers, host names and users are in them, as they are on real ones: none may come out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mnbench.machine import Host

__all__ = ["LAPTOP", "PI5", "PRIVATE", "VIRTUAL", "answering", "host_of", "write_tree"]

PRIVATE = ("10000000deadbeef", "PF2SECRET", "anns-laptop", "ann@", "/home/ann")
CPU = "sys/devices/system/cpu"

PI5 = {
    "proc/cpuinfo": "\n\n".join(
        f"processor\t: {core}\nBogoMIPS\t: 108.00\n"
        "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid lrcpc dcpop asimddp\n"
        "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x4\nCPU part\t: 0xd0b\nCPU revision\t: 1"
        for core in range(4)
    )
    + "\n\nRevision\t: d04170\nSerial\t\t: 10000000deadbeef\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n",
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\x00",
    "proc/device-tree/serial-number": "10000000deadbeef\x00",
    "proc/meminfo": "MemTotal:        8245200 kB\nMemFree:         5000000 kB\nMemAvailable:    7213392 kB\n",
    "proc/loadavg": "0.42 0.30 0.18 1/183 2211\n",
    "proc/stat": "cpu  400 0 200 9400 0 0 0 0 0 0\n"
    + "".join(f"cpu{core} 100 0 50 2350 0 0 0 0 0 0\n" for core in range(4))
    + "intr 1 2 3\n",
    "proc/sys/kernel/osrelease": "6.12.25+rpt-rpi-2712\n",
    "proc/sys/kernel/hostname": "anns-laptop\n",
    "etc/os-release": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    f"{CPU}/online": "0-3\n",
    f"{CPU}/modalias": "cpu:type:aarch64:feature:,0000,0001\n",
    **{f"{CPU}/cpu{core}/cpufreq/scaling_governor": "ondemand\n" for core in range(4)},
    **{f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq": "2400000\n" for core in range(4)},
    **{f"{CPU}/cpu{core}/cpufreq/cpuinfo_max_freq": "2400000\n" for core in range(4)},
    **{f"{CPU}/cpu{core}/cpufreq/cpuinfo_min_freq": "1500000\n" for core in range(4)},
    **{f"{CPU}/cpu{core}/topology/core_id": f"{core}\n" for core in range(4)},
    **{f"{CPU}/cpu{core}/topology/physical_package_id": "0\n" for core in range(4)},
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "61700\n",
    "sys/class/power_supply/.keep": "",
    "dev/vcio": "",
}

LAPTOP = {
    "proc/cpuinfo": "\n\n".join(
        f"processor\t: {core}\nvendor_id\t: GenuineIntel\ncpu MHz\t\t: 1800.{core}00\n"
        "model name\t: 11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz\n"
        "flags\t\t: fpu sse4_1 sse4_2 avx f16c fma avx2 avx512f avx512dq avx512bw avx512vl avx512_vnni vmx"
        for core in range(8)
    ),
    "proc/meminfo": "MemTotal:       16246284 kB\nMemAvailable:    9213392 kB\n",
    "proc/loadavg": "1.75 1.20 0.80 3/1200 40000\n",
    "proc/stat": "".join(f"cpu{core} 1000 10 500 8000 100 20 30 0 0 0\n" for core in range(8)),
    "proc/sys/kernel/osrelease": "6.8.0-45-ann@home\n",
    "etc/hostname": "anns-laptop\n",
    "usr/lib/os-release": "PRETTY_NAME=Ubuntu 24.04.1 LTS\n",
    "sys/class/dmi/id/sys_vendor": "LENOVO\n",
    "sys/class/dmi/id/product_name": "20XW0026GE\n",
    "sys/class/dmi/id/product_serial": "PF2SECRET\n",
    f"{CPU}/online": "0-7\n",
    f"{CPU}/modalias": "cpu:type:x86,ven0000fam0006mod008C:feature:,0000\n",
    **{f"{CPU}/cpu{core}/cpufreq/scaling_governor": "powersave\n" for core in range(8)},
    **{f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq": f"{1_800_000 + 100_000 * core}\n" for core in range(8)},
    **{f"{CPU}/cpu{core}/thermal_throttle/core_throttle_count": f"{core}\n" for core in range(8)},
    **{f"{CPU}/cpu{core}/thermal_throttle/package_throttle_count": "5\n" for core in range(8)},
    **{f"{CPU}/cpu{core}/topology/core_id": f"{core % 4}\n" for core in range(8)},
    **{f"{CPU}/cpu{core}/topology/physical_package_id": "0\n" for core in range(8)},
    f"{CPU}/cpu7/cache/index0/level": "1\n",
    f"{CPU}/cpu7/cache/index0/type": "Data\n",
    f"{CPU}/cpu7/cache/index0/size": "48K\n",
    f"{CPU}/cpu7/cache/index3/level": "3\n",
    f"{CPU}/cpu7/cache/index3/type": "Unified\n",
    f"{CPU}/cpu7/cache/index3/size": "12288K\n",
    "sys/class/hwmon/hwmon4/name": "coretemp\n",
    "sys/class/hwmon/hwmon4/temp1_input": "71000\n",
    "sys/class/hwmon/hwmon4/temp2_input": "74000\n",
    "sys/class/hwmon/hwmon4/temp1_max": "100000\n",
    "sys/class/hwmon/hwmon1/name": "nvme\n",
    "sys/class/hwmon/hwmon1/temp1_input": "90000\n",
    "sys/class/power_supply/AC/type": "Mains\n",
    "sys/class/power_supply/AC/online": "0\n",
    "sys/class/power_supply/BAT0/type": "Battery\n",
    "sys/class/power_supply/BAT0/status": "Discharging\n",
    "sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl:0/energy_uj": "1000000\n",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "9000000\n",
    "sys/class/powercap/intel-rapl:0:0/name": "core\n",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": "700000\n",
    "sys/class/powercap/intel-rapl:0:2/name": "dram\n",
    "sys/class/powercap/intel-rapl:0:2/energy_uj": "50000\n",
    "sys/class/powercap/intel-rapl:1/name": "psys\n",
    "sys/class/powercap/intel-rapl:1/energy_uj": "5000000\n",
    "sys/class/powercap/intel-rapl-mmio:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl-mmio:0/energy_uj": "1000000\n",
}

VIRTUAL = {
    "proc/cpuinfo": "\n\n".join(
        f"processor\t: {core}\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9R14\ncpu MHz\t\t: 2600.000\n"
        "flags\t\t: fpu sse4_1 avx2 avx512f hypervisor"
        for core in range(2)
    ),
    "proc/stat": "cpu0 100 0 50 2350 0 0 0 500 0 0\ncpu1 100 0 50 2350 0 0 0 500 0 0\n",
    "proc/1/cgroup": "0::/kubepods.slice/pod1234\n",
    "sys/class/dmi/id/sys_vendor": "Amazon EC2\n",
    "sys/class/dmi/id/product_name": "m7a.large\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 1\nnr_periods 90\nnr_throttled 12\nthrottled_usec 3\n",
    "dev/nvidiactl": "",
}


def write_tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """``files`` by their paths from ``root``."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def answering(**answers: str) -> "Ask":
    """Programs by name, and what they print; others aren't there."""
    return Ask({name.replace("_", "-"): text for name, text in answers.items()})


class Ask:
    """A stand-in for ``ask_program`` that remembers what it was asked."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = answers
        self.asked: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> str | None:
        self.asked.append(command)
        return self.answers.get(command[0])


def host_of(
    root: Path,
    files: Mapping[str, str | bytes],
    *,
    architecture: str = "x86_64",
    usable: Sequence[int] = (0, 1),
    ask: Ask | None = None,
    system: str = "linux",
    own_cpu_s: float = 1.0,
) -> Host:
    """The machine of ``files``, written below ``root``; it has no programs unless ``ask`` has."""
    return Host(
        root=write_tree(root, files),
        ask=ask or answering(),
        system=system,
        architecture=architecture,
        usable=tuple(usable),
        own_cpu_s=lambda: own_cpu_s,
    )
