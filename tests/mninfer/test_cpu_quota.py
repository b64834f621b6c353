"""A container's share of the processor is counted in cores, whichever version of control groups says it."""

from pathlib import Path

import pytest

from mninfer.engines import protocol
from mninfer.engines.cpu_quota import quota_cores
from mninfer.engines.protocol import available_cores

pytestmark = pytest.mark.smoke

GROUPS_1 = "12:cpuset:/docker/1f\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n0::/docker/1f\n"
GROUPS_2 = "0::/kubepods.slice/pod.slice/box.scope\n"


def machine(root: Path, groups: str | None, files: dict[str, str]) -> str:
    """A root folder with these files under sys/fs/cgroup, and these groups of this process."""
    contents = {} if groups is None else {"proc/self/cgroup": groups}
    contents |= {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return str(root)


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        (None, {}, None),
        ("", {}, None),
        ("nonsense", {}, None),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "5000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "100000 0\n"}, None),
        ("0::/\n", {"cpu.max": ""}, None),
        (GROUPS_2, {"kubepods.slice/pod.slice/box.scope/cpu.max": "300000 100000\n"}, 3),
        (
            GROUPS_2,
            {
                "kubepods.slice/cpu.max": "800000 100000",
                "kubepods.slice/pod.slice/cpu.max": "100000 100000",
                "kubepods.slice/pod.slice/box.scope/cpu.max": "300000 100000",
            },
            1,
        ),
        (GROUPS_1, {"cpu/cpu.cfs_quota_us": "250000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        (GROUPS_1, {"cpu/docker/1f/cpu.cfs_quota_us": "50000", "cpu/docker/1f/cpu.cfs_period_us": "50000"}, 1),
        (GROUPS_1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        (GROUPS_1, {"cpuset/cpu.cfs_quota_us": "100000", "cpuset/cpu.cfs_period_us": "100000"}, None),
    ],
)
def test_the_tightest_quota_counts(
    tmp_path: Path, groups: str | None, files: dict[str, str], cores: int | None
) -> None:
    assert quota_cores(machine(tmp_path, groups, files)) == cores


@pytest.mark.parametrize(("quota", "cores"), [(None, 8), (2, 2), (64, 8)])
def test_a_quota_leaves_fewer_cores(monkeypatch: pytest.MonkeyPatch, quota: int | None, cores: int) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(protocol, "quota_cores", lambda: quota)
    assert available_cores() == cores
