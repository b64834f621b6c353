import json
from pathlib import Path

import pytest

from mnbench.catalogue import ENGINES
from mnbench.machine import Host, read_conditions, read_facts
from mnbench.machine.packages import DISTRIBUTIONS, environment_versions, installed_packages
from mnbench.own_version import own_version
from mnbench.peers.environments import RECORD_NAME, python_in, requirements_digest
from support.machines import CPU, LAPTOP, PI5, PRIVATE, VIRTUAL, answering, host_of

pytestmark = pytest.mark.smoke

MACHINES = pytest.mark.parametrize("files", [PI5, LAPTOP, VIRTUAL], ids=["pi5", "laptop", "virtual"])


def test_a_raspberry_pi(tmp_path: Path) -> None:
    facts = read_facts(host_of(tmp_path, PI5, architecture="aarch64", usable=range(4)))
    assert facts["cpu"] == {
        "model": "Cortex-A76",
        "vendor": "ARM",
        "architecture": "aarch64",
        "flags": ["asimd", "fphp", "asimdhp", "asimddp"],
        "cores_online": 4,
        "cores_physical": 4,
        "cores_usable": 4,
        "quota_cores": None,
        "governor": "ondemand",
        "min_mhz": 1500.0,
        "max_mhz": 2400.0,
        "caches": {},
    }
    assert facts["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert facts["memory_bytes"] == 8245200 * 1024
    assert facts["system"] == "Linux 6.12.25"
    assert facts["distribution"] == "Debian GNU/Linux 12 (bookworm)"
    assert facts["temperature_c"] == 61.7
    assert facts["is_on_battery"] is facts["gpu"] is facts["virtual_machine"] is facts["emulator"] is None


def test_a_laptop_on_its_battery(tmp_path: Path) -> None:
    facts = read_facts(host_of(tmp_path, LAPTOP, usable=range(8)))
    assert facts["cpu"]["model"] == "11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz"
    assert facts["cpu"]["cores_online"] == 8
    assert facts["cpu"]["cores_physical"] == 4
    assert facts["cpu"]["caches"] == {"L1d": "48K", "L3": "12288K"}
    assert facts["cpu"]["flags"][-1] == "avx512_vnni"
    assert "vmx" not in facts["cpu"]["flags"]
    assert facts["product"] == "LENOVO 20XW0026GE"
    assert facts["board"] is None
    assert facts["distribution"] == "Ubuntu 24.04.1 LTS"
    assert facts["is_on_battery"] is True
    assert facts["temperature_c"] == 74.0, "the processor's, not the disk's"


def test_a_virtual_machine_in_a_cluster(tmp_path: Path) -> None:
    line = "NVIDIA H100 80GB HBM3, 580.65.06, 81559, 1980, 700.00\n"
    facts = read_facts(host_of(tmp_path, VIRTUAL, ask=answering(nvidia_smi=2 * line)))
    assert facts["virtual_machine"] == "Amazon EC2"
    assert facts["container"] == "Kubernetes"
    assert facts["cpu"]["quota_cores"] == 1.5
    assert facts["gpu"] == {
        "name": "NVIDIA H100 80GB HBM3",
        "driver": "580.65.06",
        "memory_bytes": 81559 << 20,
        "max_mhz": 1980.0,
        "power_limit_w": 700.0,
        "count": 2,
    }


def test_a_kernel_s_maker_is_not_told(tmp_path: Path) -> None:
    assert read_facts(host_of(tmp_path, LAPTOP))["system"] == "Linux 6.8.0"


@MACHINES
def test_nothing_that_names_a_machine_or_a_person_comes_out(files: dict[str, str], tmp_path: Path) -> None:
    host = host_of(tmp_path, files)
    told = json.dumps({"facts": read_facts(host), "conditions": read_conditions(host)})
    assert not [word for word in PRIVATE if word in told]


@MACHINES
def test_facts_are_json_and_the_same_when_read_again(files: dict[str, str], tmp_path: Path) -> None:
    host = host_of(tmp_path, files)
    facts = read_facts(host)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts == read_facts(host)


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    """No /proc, no /sys, no programs: macOS' and Windows' way, and a bare container's."""
    facts = read_facts(host_of(tmp_path, {}))
    cpu = facts.pop("cpu")
    known = {"system", "libc", "python", "python_bits", "page_bytes", "packages", "environments"}
    assert {name for name, value in facts.items() if value is not None} <= known
    assert {name for name, value in cpu.items() if value} == {"architecture", "cores_usable"}


def test_a_mac_is_asked(tmp_path: Path) -> None:
    class Sysctl:
        def __call__(self, command: object) -> str | None:
            told = {
                ("sysctl", "-n", "machdep.cpu.brand_string"): "Apple M2\n",
                ("sysctl", "-n", "hw.memsize"): "17179869184\n",
                ("sysctl", "-n", "hw.model"): "Mac14,2\n",
                ("sysctl", "-n", "sysctl.proc_translated"): "1\n",
                ("pmset", "-g", "batt"): "Now drawing from 'Battery Power'\n -InternalBattery-0 77%; discharging\n",
            }
            return told.get(command)  # type: ignore[call-overload]

    host = Host(root=tmp_path, ask=Sysctl(), system="darwin", architecture="arm64", usable=tuple(range(8)))
    facts = read_facts(host)
    assert facts["cpu"]["model"] == "Apple M2"
    assert facts["memory_bytes"] == 16 << 30
    assert facts["product"] == "Mac14,2"
    assert facts["emulator"] == "Rosetta"
    assert facts["is_on_battery"] is True
    assert facts["system"].startswith("macOS")


def test_this_machine_is_read() -> None:
    facts = read_facts()
    assert facts["cpu"]["cores_usable"] >= 1
    assert facts["python"].startswith(("CPython 3.", "PyPy 3."))
    assert "numpy" in facts["packages"]
    json.dumps(facts, allow_nan=False)


# Cores.


@pytest.mark.parametrize(
    ("online", "cores"), [("0-3", 4), ("0", 1), ("0,2-3", 3), ("0-3,8-11", 8), ("", 2), ("all", 2), ("3-0", 2)]
)
def test_cores_online(online: str, cores: int, tmp_path: Path) -> None:
    """Where the list is nonsense, /proc/cpuinfo's cores are counted."""
    files = {"proc/cpuinfo": VIRTUAL["proc/cpuinfo"], f"{CPU}/online": online}
    assert read_facts(host_of(tmp_path, files))["cpu"]["cores_online"] == cores


def test_little_and_big_cores_are_both_named(tmp_path: Path) -> None:
    block = "processor : {}\nFeatures : asimd {}\nCPU implementer : 0x41\nCPU part : {}\n"
    blocks = [block.format(0, "asimddp", "0xd05"), block.format(1, "asimddp", "0xd05"), block.format(2, "", "0xd0b")]
    cpu = read_facts(host_of(tmp_path, {"proc/cpuinfo": "\n".join(blocks)}, architecture="aarch64"))["cpu"]
    assert cpu["model"] == "Cortex-A55 + Cortex-A76"
    assert cpu["flags"] == ["asimd"], "what every core has"


@pytest.mark.parametrize(
    ("implementer", "part", "model"),
    [("0x41", "0xd03", "Cortex-A53"), ("0x51", "0x001", "Qualcomm part 0x001"), ("0x77", "0x1", "0x77 part 0x1")],
)
def test_arm_cores_by_their_numbers(implementer: str, part: str, model: str, tmp_path: Path) -> None:
    text = f"processor : 0\nCPU implementer : {implementer}\nCPU part : {part}\n"
    assert read_facts(host_of(tmp_path, {"proc/cpuinfo": text}, architecture="aarch64"))["cpu"]["model"] == model


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        ({"sys/fs/cgroup/cpu.max": "50000 0\n"}, None),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
    ],
)
def test_a_container_s_share(files: dict[str, str], cores: float | None, tmp_path: Path) -> None:
    assert read_facts(host_of(tmp_path, files))["cpu"]["quota_cores"] == cores


# What stands between.


@pytest.mark.parametrize(
    ("architecture", "files", "emulator"),
    [
        ("aarch64", {f"{CPU}/modalias": "cpu:type:x86,ven0000fam0006\n"}, "qemu-user"),
        ("armv7l", {f"{CPU}/modalias": "cpu:type:aarch64:feature\n"}, None),  # 32-bit Python on a 64-bit Pi
        ("i686", {f"{CPU}/modalias": "cpu:type:x86,ven0000fam0006\n"}, None),
        ("x86_64", {f"{CPU}/modalias": "cpu:type:aarch64:feature\n"}, "qemu-user"),
        ("aarch64", {"proc/cpuinfo": VIRTUAL["proc/cpuinfo"]}, "qemu-user"),
        ("aarch64", {"proc/cpuinfo": PI5["proc/cpuinfo"]}, None),
        ("aarch64", {"proc/sys/fs/binfmt_misc/qemu-aarch64": "enabled\ninterpreter /usr/bin/qemu\n"}, "qemu-user"),
        ("aarch64", {"proc/sys/fs/binfmt_misc/qemu-aarch64": "disabled\n"}, None),
        ("armv7l", {"proc/sys/fs/binfmt_misc/qemu-arm": "enabled\n"}, "qemu-user"),
        ("x86_64", {"proc/cpuinfo": "processor : 0\nmodel name : QEMU TCG CPU version 2.5+\n"}, "QEMU"),
        ("aarch64", {}, None),
        ("s390x", {f"{CPU}/modalias": "cpu:type:x86\n"}, None),
    ],
)
def test_an_emulated_processor_is_told_from_a_real_one(
    architecture: str, files: dict[str, str], emulator: str | None, tmp_path: Path
) -> None:
    assert read_facts(host_of(tmp_path, files, architecture=architecture))["emulator"] == emulator


@pytest.mark.parametrize(
    ("vendor", "product", "name"),
    [
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "QEMU"),
        ("Microsoft Corporation", "Virtual Machine", "Hyper-V"),
        ("Microsoft Corporation", "Surface Pro 9", None),
        ("innotek GmbH", "VirtualBox", "VirtualBox"),
    ],
)
def test_a_virtual_machine_is_named_by_its_maker(vendor: str, product: str, name: str | None, tmp_path: Path) -> None:
    files = {"sys/class/dmi/id/sys_vendor": vendor, "sys/class/dmi/id/product_name": product}
    assert read_facts(host_of(tmp_path, files))["virtual_machine"] == name


@pytest.mark.parametrize(
    ("path", "content", "name"),
    [
        ("sys/hypervisor/type", "xen\n", "xen"),
        ("proc/device-tree/compatible", "linux,dummy-virt\x00", "unknown"),
        ("proc/cpuinfo", "processor : 0\nflags : fpu hypervisor sse\n", "unknown"),
        ("proc/cpuinfo", "processor : 0\nflags : fpu sse\n", None),
    ],
)
def test_a_hypervisor_that_does_not_say_its_name_is_seen(
    path: str, content: str, name: str | None, tmp_path: Path
) -> None:
    assert read_facts(host_of(tmp_path, {path: content}))["virtual_machine"] == name


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({".dockerenv": ""}, "docker"),
        ({"run/.containerenv": ""}, "podman"),
        ({"run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn"),
        ({"proc/1/cgroup": "12:cpu:/docker/0123abc\n"}, "docker"),
        ({"proc/1/cgroup": "0::/init.scope\n"}, None),
    ],
)
def test_a_container_is_seen(files: dict[str, str], kind: str | None, tmp_path: Path) -> None:
    assert read_facts(host_of(tmp_path, files))["container"] == kind


@pytest.mark.parametrize(
    ("vendor", "product", "told"),
    [
        ("ASUS", "System Product Name", "ASUS"),
        ("To Be Filled By O.E.M.", "To Be Filled By O.E.M.", None),
        ("Dell Inc.", "XPS 13 9310", "Dell Inc. XPS 13 9310"),
    ],
)
def test_what_a_maker_left_unfilled_is_no_product(vendor: str, product: str, told: str | None, tmp_path: Path) -> None:
    files = {"sys/class/dmi/id/sys_vendor": vendor, "sys/class/dmi/id/product_name": product}
    assert read_facts(host_of(tmp_path, files))["product"] == told


# Packages, GPUs.


def test_every_engine_s_package_is_looked_for() -> None:
    packages = {entry.package for entry in ENGINES.values()} - {"", "mninfer"}
    installed_as_imported = {"MNN", "ncnn", "jax", "torch", "openvino", "mediapipe", "executorch"}
    assert packages - installed_as_imported <= set(DISTRIBUTIONS)


def test_packages_are_told_with_their_versions() -> None:
    import numpy as np

    assert installed_packages()["numpy"] == np.__version__
    assert installed_packages()["mnkit"] == own_version()


def test_environments_of_other_engines_are_told_with_the_version_that_they_are_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNBENCH_PEERS", str(tmp_path))
    assert environment_versions() == {}
    for name, packages in (("opencv", {"opencv_python_headless": "5.0.0"}), ("tf2onnx", {"tf2onnx": "1.16"})):
        python_in(tmp_path / name).parent.mkdir(parents=True)
        python_in(tmp_path / name).touch()
        told = {"requirements": requirements_digest(name), "packages": packages, "size_bytes": 1}
        (tmp_path / name / RECORD_NAME).write_text(json.dumps(told))
    assert environment_versions() == {"opencv": "5.0.0", "tf2onnx": "1.16"}
    assert read_facts(host_of(tmp_path, PI5))["environments"] == environment_versions()


def test_no_program_is_asked_for_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    ask = answering(nvidia_smi="NVIDIA, 1, 2, 3, 4")
    assert read_facts(host_of(tmp_path, PI5, ask=ask))["gpu"] is None
    assert not ask.asked


@pytest.mark.parametrize("told", ["", "No devices were found\n", "a, b\n", "\x00\xff\n", "Failed: a, b, c\n"])
def test_what_nvidia_smi_says_in_trouble_is_no_gpu(told: str, tmp_path: Path) -> None:
    host = host_of(tmp_path, {"dev/nvidiactl": ""}, ask=answering(nvidia_smi=told))
    assert read_facts(host)["gpu"] is None
    assert read_conditions(host, with_gpu=True)["gpu"] is None


def test_a_gpu_that_does_not_tell_all(tmp_path: Path) -> None:
    ask = answering(nvidia_smi="NVIDIA GeForce GT 710, 470.1, [N/A], [Not Supported], [N/A]\n")
    gpu = read_facts(host_of(tmp_path, {"dev/nvidiactl": ""}, ask=ask))["gpu"]
    assert gpu["name"] == "NVIDIA GeForce GT 710"
    assert gpu["memory_bytes"] is gpu["max_mhz"] is gpu["power_limit_w"] is None
