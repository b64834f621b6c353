"""What stands between a program and its processor: an emulator, a hypervisor, a container; and the board beneath."""

import re

from mnbench.machine.cpu import read_cpuinfo
from mnbench.machine.host import Host, shortened

__all__ = ["read_board", "read_container", "read_emulator", "read_product", "read_virtual_machine"]

_DMI = "sys/class/dmi/id"
_TREE = "proc/device-tree"
# What kernels and qemu-user call the same processors.
_FAMILIES = {
    "x86": "x86",
    "x86_64": "x86",
    "amd64": "x86",
    "i386": "x86",
    "i686": "x86",
    "aarch64": "arm",
    "arm64": "arm",
    "arm": "arm",
    "armv6l": "arm",
    "armv7l": "arm",
    "armv8l": "arm",
    "riscv": "riscv",
    "riscv64": "riscv",
    "riscv32": "riscv",
}
# Makers of machines that are none (systemd-detect-virt has the same list, DMI table).
_VIRTUAL = {
    "qemu": "QEMU",
    "kvm": "KVM",
    "vmware": "VMware",
    "virtualbox": "VirtualBox",
    "innotek": "VirtualBox",
    "xen": "Xen",
    "bochs": "Bochs",
    "parallels": "Parallels",
    "bhyve": "bhyve",
    "virtual machine": "Hyper-V",
    "amazon ec2": "Amazon EC2",
    "google compute engine": "Google Compute Engine",
    "openstack": "OpenStack",
    "apple virtualization": "Apple Virtualization",
}
_PLACEHOLDERS = ("to be filled", "default string", "system product name", "system manufacturer", "o.e.m")
_CONTAINERS = {"docker": "docker", "kubepods": "Kubernetes", "libpod": "podman", "lxc": "LXC"}


def read_emulator(host: Host) -> str | None:
    """The program that stands in for the processor, so that no time means anything; None where there is none.

    qemu-user shows the kernel that is really there: its processor is of another family than this program's.
    """
    if host.system == "darwin":
        return "Rosetta" if host.ask(("sysctl", "-n", "sysctl.proc_translated")) == "1\n" else None
    own = _FAMILIES.get(host.architecture.lower())
    if own is None:
        return None
    if any("TCG" in core.get("model name", "") for core in read_cpuinfo(host)):
        return "QEMU"  # the whole machine is emulated, and says so
    told = re.match(r"cpu:type:([a-z0-9]+)", host.line("sys/devices/system/cpu/modalias") or "")
    kernel = _FAMILIES.get(told[1]) if told else _family_of_cpuinfo(host)
    return "qemu-user" if (kernel and kernel != own) or _is_registered(host) else None


def _family_of_cpuinfo(host: Host) -> str | None:
    core = next(iter(read_cpuinfo(host)), {})
    if "CPU implementer" in core or "Features" in core:
        return "arm"
    return "x86" if "vendor_id" in core and "flags" in core else None


def _is_registered(host: Host) -> bool:
    """Whether the kernel hands programs of this very processor to qemu-user: no kernel that runs them itself does."""
    names = {"arm64": "aarch64", "amd64": "x86_64"}
    own = "arm" if host.architecture.startswith("armv") else names.get(host.architecture, host.architecture)
    entry = host.text(f"proc/sys/fs/binfmt_misc/qemu-{own}") or ""
    return entry.startswith("enabled")


def read_virtual_machine(host: Host) -> str | None:
    """The hypervisor's name, or "unknown" where one is there and doesn't say; None where there is none to be seen."""
    known = host.line("sys/hypervisor/type")
    maker = " ".join(host.line(f"{_DMI}/{name}") or "" for name in ("sys_vendor", "product_name")).lower()
    named = next((title for word, title in _VIRTUAL.items() if word in maker), None)
    if named or known:
        return named or known
    flags = next(iter(read_cpuinfo(host)), {}).get("flags", "").split()
    is_dummy = "dummy-virt" in (host.line(f"{_TREE}/compatible") or "")
    return "unknown" if "hypervisor" in flags or is_dummy or host.has(f"{_TREE}/hypervisor") else None


def read_container(host: Host) -> str | None:
    """What kind of container this process is in; None where nothing tells of one."""
    if host.has(".dockerenv"):
        return "docker"
    if host.has("run/.containerenv"):
        return "podman"
    told = host.line("run/systemd/container")
    if told:
        return told
    groups = host.text("proc/1/cgroup") or ""
    return next((title for word, title in _CONTAINERS.items() if word in groups), None)


def read_board(host: Host) -> str | None:
    """A single board's make, which says its processor, too: "Raspberry Pi 5 Model B Rev 1.0"."""
    return host.line(f"{_TREE}/model")


def read_product(host: Host) -> str | None:
    """What a computer was sold as, "LENOVO 20XW": the processor in it is another matter. No serial number is read."""
    if host.system == "darwin":
        return shortened(host.ask(("sysctl", "-n", "hw.model")) or "")
    words = [host.line(f"{_DMI}/{name}") for name in ("sys_vendor", "product_name")]
    kept = [word for word in words if word and not word.lower().startswith(_PLACEHOLDERS)]
    return " ".join(kept) or None
