from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mnbench.machine import read_conditions
from support.machines import CPU, LAPTOP, PI5, VIRTUAL, answering, host_of

pytestmark = pytest.mark.smoke

HEAT = f"{CPU}/cpu1/thermal_throttle/core_throttle_count"
SOC = "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"


def test_a_raspberry_pi(tmp_path: Path) -> None:
    ask = answering(vcgencmd="throttled=0x50005\n")
    assert read_conditions(host_of(tmp_path, PI5, usable=(2, 3), ask=ask, own_cpu_s=0.25)) == {
        "load_average": 0.42,
        "cores_busy_s": 3.0,
        "cores_stolen_s": 0.0,
        "cores_total_s": 50.0,
        "own_cpu_s": 0.25,
        "governor": "ondemand",
        "frequency_mhz": 2400.0,
        "temperature_c": 61.7,
        "throttle_count": None,
        "quota_throttled_count": None,
        "throttled_now": ["under-voltage", "throttled"],
        "throttled_since_start": ["under-voltage", "throttled"],
        "memory_available_bytes": 7213392 * 1024,
        "is_on_battery": None,
    }


def test_a_throttled_laptop(tmp_path: Path) -> None:
    state = read_conditions(host_of(tmp_path, LAPTOP, usable=(6, 7)))
    assert state["throttle_count"] == 6 + 7 + 5, "the package's count is one count, whichever core tells it"
    assert state["frequency_mhz"] == 2450.0
    assert state["cores_busy_s"] == 2 * 15.6
    assert state["is_on_battery"] is True


def test_two_packages_count_their_heat_apart(tmp_path: Path) -> None:
    second = {
        f"{CPU}/cpu7/topology/physical_package_id": "1\n",
        f"{CPU}/cpu7/thermal_throttle/package_throttle_count": "3",
    }
    assert read_conditions(host_of(tmp_path, LAPTOP | second, usable=(5, 6, 7)))["throttle_count"] == 5 + 6 + 7 + 5 + 3


def test_a_container_in_a_virtual_machine(tmp_path: Path) -> None:
    state = read_conditions(host_of(tmp_path, VIRTUAL))
    assert state["quota_throttled_count"] == 12
    assert state["cores_stolen_s"] == 10.0
    assert state["frequency_mhz"] == 2600.0, "what /proc/cpuinfo says, without cpufreq"


def test_only_the_cores_that_may_be_used_count(tmp_path: Path) -> None:
    files = {"proc/stat": "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 0 0 0 100 0 0 0 0\ncpu1 100 0 0 0 0 0 0 0\n"}
    idle, busy = (read_conditions(host_of(tmp_path, files, usable=(core,)))["cores_busy_s"] for core in (0, 1))
    assert (idle, busy) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "now", "since"),
    [
        ("0", [], []),
        ("50000", [], ["under-voltage", "throttled"]),
        ("8", ["soft temperature limit"], []),
        ("0x20002", ["frequency capped"], ["frequency capped"]),
        ("none", None, None),
        ("", None, None),
    ],
)
def test_the_firmware_s_word_by_the_kernel_s_file(
    text: str, now: list[str] | None, since: list[str] | None, tmp_path: Path
) -> None:
    state = read_conditions(host_of(tmp_path, {SOC: text}))
    assert (state["throttled_now"], state["throttled_since_start"]) == (now, since)


def test_no_program_is_asked_where_there_is_no_firmware(tmp_path: Path) -> None:
    ask = answering(vcgencmd="throttled=0x5\n")
    assert read_conditions(host_of(tmp_path, LAPTOP, ask=ask))["throttled_now"] is None
    assert not ask.asked


@pytest.mark.parametrize(
    "told", ["", "error=1\n", "VCHI initialization failed\n", "throttled=0xzz", "throttled=0x" + "f" * 99]
)
def test_a_firmware_that_does_not_answer(told: str, tmp_path: Path) -> None:
    state = read_conditions(host_of(tmp_path, {"dev/vcio": ""}, ask=answering(vcgencmd=told)))
    assert state["throttled_now"] is state["throttled_since_start"] is None


@pytest.mark.parametrize(
    ("supplies", "is_on_battery"),
    [
        ({}, None),
        ({"BAT0": {"type": "Battery", "status": "Full"}}, False),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}}, True),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}, "AC": {"type": "Mains", "online": "1"}}, False),
        ({"mouse": {"type": "Battery", "status": "Discharging", "scope": "Device"}}, None),
        ({"AC": {"type": "Mains", "online": "0"}}, False),
        ({"BAT0": {"type": "Battery"}}, False),
    ],
)
def test_a_battery_that_empties_is_told_from_one_that_does_not(
    supplies: dict[str, dict[str, str]], is_on_battery: bool | None, tmp_path: Path
) -> None:
    files = {
        f"sys/class/power_supply/{name}/{field}": f"{value}\n"
        for name, fields in supplies.items()
        for field, value in fields.items()
    }
    assert read_conditions(host_of(tmp_path, files))["is_on_battery"] is is_on_battery


@pytest.mark.parametrize(
    ("milli", "celsius"),
    [("45000", 45.0), ("-5000", -5.0), ("0", 0.0), ("-127000", None), ("200000", None), ("hot", None)],
)
def test_a_sensor_that_is_not_connected_is_not_believed(milli: str, celsius: float | None, tmp_path: Path) -> None:
    home = "sys/class/thermal/thermal_zone3"
    state = read_conditions(host_of(tmp_path, {f"{home}/type": "x86_pkg_temp\n", f"{home}/temp": milli}))
    assert state["temperature_c"] == celsius


def test_a_gpu_is_asked_where_it_is_used(tmp_path: Path) -> None:
    ask = answering(nvidia_smi="67, 1410, 3, 123.45, 0x0000000000000044\n")
    assert read_conditions(host_of(tmp_path, VIRTUAL, ask=ask), with_gpu=True)["gpu"] == {
        "temperature_c": 67.0,
        "frequency_mhz": 1410.0,
        "utilization_percent": 3.0,
        "power_w": 123.45,
        "throttled": ["software power cap", "hardware thermal slowdown"],
    }
    assert "gpu" not in read_conditions(host_of(tmp_path, VIRTUAL))


def test_an_older_driver_knows_an_older_name(tmp_path: Path) -> None:
    def ask(command: Sequence[str]) -> str | None:
        """An unknown field fails the whole query."""
        return None if "event" in command[1] else "67, 1410, 3, 123.45, 0x0000000000000020\n"

    host = replace(host_of(tmp_path, VIRTUAL), ask=ask)
    state = read_conditions(host, with_gpu=True)["gpu"]
    assert state["throttled"] == ["software thermal slowdown"]


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    state = read_conditions(host_of(tmp_path, {}))
    assert {name for name, value in state.items() if value is not None} == {"own_cpu_s"}


def test_this_machine_is_read_twice_and_time_goes_on() -> None:
    before, after = read_conditions(), read_conditions()
    assert after["own_cpu_s"] >= before["own_cpu_s"] > 0
    if before["cores_total_s"] is not None:
        assert after["cores_total_s"] >= before["cores_total_s"]
