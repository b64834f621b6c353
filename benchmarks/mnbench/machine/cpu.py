"""The processor: its name, what it can compute, how many cores, how fast, and who decides on that."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from mnbench.machine.arm_cores import arm_core_name, arm_vendor
from mnbench.machine.core_order import fastest_cores
from mnbench.machine.host import Host, shortened

__all__ = ["read_cpu", "read_cpuinfo", "read_frequency_mhz", "read_governor"]

# The instructions that a kernel for networks chooses by, as /proc/cpuinfo spells them; in the order of their age.
_FLAGS = (
    *("sse4_1", "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni"),
    *("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx10"),
    *("amx_tile", "amx_int8", "amx_bf16", "amx_fp16"),
    *("vfpv4", "neon", "asimd", "fphp", "asimdhp", "asimddp", "bf16", "i8mm", "sve", "sve2", "sme", "sme2"),
    *("v", "zvfh"),
)
_CPUS = "sys/devices/system/cpu"
_MOST_ASKED = 64  # cores whose frequency is read: a file each


def read_cpu(host: Host) -> dict[str, Any]:
    """The facts of the processor; None where they are not told."""
    cores = read_cpuinfo(host)
    return {
        "model": _model(host, cores),
        "vendor": _vendor(cores),
        "architecture": shortened(host.architecture),
        "flags": [flag for flag in _FLAGS if flag in _flags(cores)],
        "cores_online": _cores_online(host, cores),
        "cores_physical": _cores_physical(host),
        "cores_usable": len(host.usable),
        "quota_cores": _quota_cores(host),
        "governor": read_governor(host),
        "min_mhz": _mhz(host.number(f"{_policy(host)}/cpuinfo_min_freq")),
        "max_mhz": _mhz(host.number(f"{_policy(host)}/cpuinfo_max_freq")),
        "caches": _caches(host),
    }


def read_cpuinfo(host: Host) -> tuple[dict[str, str], ...]:
    """/proc/cpuinfo as a mapping to each core; what old ARM kernels tell once, below the cores, is no core."""
    blocks = re.split(r"\n\s*\n", host.text("proc/cpuinfo") or "")
    found = ({k.strip(): v.strip() for k, _, v in (line.partition(":") for line in b.splitlines())} for b in blocks)
    return tuple(block for block in found if "processor" in block or "model name" in block)


def read_governor(host: Host) -> str | None:
    """Who decides on the frequency, of the core that a worker of one thread is kept on."""
    return host.line(f"{_policy(host)}/scaling_governor")


def read_frequency_mhz(host: Host) -> float | None:
    """The mean of the usable cores now."""
    cores = host.usable[-_MOST_ASKED:]
    told = [_mhz(host.number(f"{_CPUS}/cpu{core}/cpufreq/scaling_cur_freq")) for core in cores]
    found = [mhz for mhz in told if mhz]
    if not found:  # virtual machines have no cpufreq, and x86 says what it believes here
        wanted = {str(core) for core in cores}
        stated = (core.get("cpu MHz", "") for core in read_cpuinfo(host) if core.get("processor") in wanted)
        found = [float(mhz) for mhz in stated if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", mhz)]
    return round(sum(found) / len(found), 1) if found else None


def _policy(host: Host) -> str:
    core = next(iter(fastest_cores(host)), 0)
    return f"{_CPUS}/cpu{core}/cpufreq"


def _mhz(khz: int | None) -> float | None:
    return khz / 1000 if khz is not None and 0 < khz < 10**8 else None


def _model(host: Host, cores: Collection[Mapping[str, str]]) -> str | None:
    if host.system == "darwin":
        return shortened(host.ask(("sysctl", "-n", "machdep.cpu.brand_string")) or "")
    names = dict.fromkeys(name for core in cores if (name := core.get("model name") or _name_elsewhere(core)))
    return shortened(" + ".join(names))  # little and big cores


def _name_elsewhere(core: Mapping[str, str]) -> str | None:
    arm = arm_core_name(core.get("CPU implementer", ""), core.get("CPU part", ""))
    return arm or core.get("uarch") or core.get("isa")  # RISC-V


def _vendor(cores: Collection[Mapping[str, str]]) -> str | None:
    core = next(iter(cores), {})
    return shortened(core.get("vendor_id") or arm_vendor(core.get("CPU implementer", "")))


def _flags(cores: Collection[Mapping[str, str]]) -> set[str]:
    """What every core has: a phone's cores may differ."""
    told = [set((core.get("flags") or core.get("Features") or "").split()) for core in cores]
    return set.intersection(*told) if told else set()


def _cores_online(host: Host, cores: Collection[Mapping[str, str]]) -> int | None:
    spans = (host.line(f"{_CPUS}/online") or "").split(",")
    found = [re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", span) for span in spans]
    if all(found):
        ends = [(int(match[1]), int(match[2] or match[1])) for match in found if match]
        stated = sum(max(0, last - first + 1) for first, last in ends)
    else:
        stated = 0
    return stated or len(cores) or None


def _cores_physical(host: Host) -> int | None:
    """Cores that share nothing but caches: two threads of one core count once."""
    names = [name for name in host.names(_CPUS) if re.fullmatch(r"cpu\d{1,5}", name)]
    topologies = [f"{_CPUS}/{name}/topology" for name in names]
    found = {(host.number(f"{each}/physical_package_id"), host.number(f"{each}/core_id")) for each in topologies}
    return len(found - {(None, None)}) or None


def _quota_cores(host: Host) -> float | None:
    """How much CPU time a container may use, in cores (cgroup v2, then v1); None where that isn't limited."""
    words = (host.line("sys/fs/cgroup/cpu.max") or "").split()
    if len(words) == 2 and all(re.fullmatch(r"\d{1,12}", word) for word in words):
        quota, period = (int(word) for word in words)
    else:
        quota = host.number("sys/fs/cgroup/cpu/cpu.cfs_quota_us") or 0
        period = host.number("sys/fs/cgroup/cpu/cpu.cfs_period_us") or 0
    return round(quota / period, 2) if quota > 0 and period > 0 else None


def _caches(host: Host) -> dict[str, str]:
    """Of the fastest usable core, as "L2": "1024K"."""
    home = f"{_policy(host).removesuffix('/cpufreq')}/cache"
    found = {}
    for name in host.names(home):
        level, size, kind = (host.line(f"{home}/{name}/{each}") for each in ("level", "size", "type"))
        if level and size and kind:
            found[f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '') }"] = size
    return found
