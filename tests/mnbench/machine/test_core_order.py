from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.machine import Host, fastest_cores
from support.machines import CPU, LAPTOP, PI5, host_of

pytestmark = pytest.mark.smoke


def cores(name: str, values: Mapping[int, object]) -> dict[str, str]:
    return {f"{CPU}/cpu{core}/{name}": f"{value}\n" for core, value in values.items()}


def order(root: Path, *parts: Mapping[str, str], usable: range | tuple[int, ...]) -> list[int]:
    files = {name: text for part in parts for name, text in part.items()}
    return list(fastest_cores(host_of(root, files, usable=tuple(usable))))


SIBLINGS = "topology/thread_siblings_list"
FASTEST = "cpufreq/cpuinfo_max_freq"
# Two fast cores of two threads each, the second turned up higher; four frugal ones.
HYBRID = {
    **cores(SIBLINGS, {0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3", 4: 4, 5: 5, 6: 6, 7: 7}),
    **cores(FASTEST, {0: 4700000, 1: 4700000, 2: 4900000, 3: 4900000, **dict.fromkeys(range(4, 8), 3600000)}),
}


def test_among_equals_the_last_come_first(tmp_path: Path) -> None:
    assert order(tmp_path, PI5, usable=range(4)) == [3, 2, 1, 0]


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert order(tmp_path, {}, usable=(0, 2, 5)) == [5, 2, 0]


def test_the_fast_cores_of_a_laptop_before_its_frugal_ones_and_second_threads_last(tmp_path: Path) -> None:
    assert order(tmp_path, HYBRID, usable=range(8)) == [3, 1, 7, 6, 5, 4, 2, 0]


def test_a_core_of_which_one_thread_may_be_used_is_a_core(tmp_path: Path) -> None:
    assert order(tmp_path, HYBRID, usable=(0, 2, 4)) == [2, 0, 4]


@pytest.mark.parametrize(
    ("siblings", "expected"),
    [
        ({0: "0,2", 2: "0,2", 1: "1,3", 3: "1,3"}, [3, 2, 1, 0]),
        ({0: "0-1", 1: "0-1", 2: "2-3", 3: "2-3"}, [3, 1, 2, 0]),  # as clouds number them
    ],
)
def test_two_threads_get_two_cores(siblings: dict[int, str], expected: list[int], tmp_path: Path) -> None:
    assert order(tmp_path, cores(SIBLINGS, siblings), usable=range(4)) == expected


def test_a_phone_by_what_its_cores_are_capable_of(tmp_path: Path) -> None:
    """Its middle cores may be clocked as high as the large one."""
    capacity = cores("cpu_capacity", {0: 260, 1: 260, 2: 760, 3: 1024})
    assert order(tmp_path, capacity, cores(FASTEST, dict.fromkeys(range(4), 2800000)), usable=range(4)) == [3, 2, 1, 0]
    reversed_ = cores("cpu_capacity", {0: 1024, 1: 760, 2: 260, 3: 260})
    assert order(tmp_path, reversed_, usable=range(4)) == [0, 1, 3, 2]


def test_a_workstation_s_real_files_are_read(tmp_path: Path) -> None:
    assert sorted(fastest_cores()) == list(Host().usable)
    assert order(tmp_path, LAPTOP, usable=range(8)) == [7, 6, 5, 4, 3, 2, 1, 0]


@given(st.dictionaries(st.integers(0, 5), st.text(max_size=8) | st.sampled_from(["0-99999", "5-1", "1,,2", "-1"])))
def test_nonsense_loses_no_core(told: dict[int, str]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        files = {**cores(SIBLINGS, told), **cores("cpu_capacity", told), **cores(FASTEST, told)}
        host = host_of(
            Path(folder), {name: text.encode(errors="replace") for name, text in files.items()}, usable=(0, 1, 4)
        )
        assert sorted(fastest_cores(host)) == [0, 1, 4]
