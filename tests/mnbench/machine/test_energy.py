from pathlib import Path

import pytest

from mnbench.machine import EnergyMeter
from support.machines import LAPTOP, host_of, write_tree

pytestmark = pytest.mark.smoke

PACKAGE = "sys/class/powercap/intel-rapl:0/energy_uj"
MEMORY = "sys/class/powercap/intel-rapl:0:2/energy_uj"


def test_packages_and_memory_are_summed_and_nothing_twice(tmp_path: Path) -> None:
    meter = EnergyMeter(host_of(tmp_path, LAPTOP))
    meter.start()
    changes = {PACKAGE: "4000000\n", MEMORY: "150000\n"}
    inner = {path: "8888888\n" for path in LAPTOP if path.endswith("energy_uj") and path not in changes}
    write_tree(tmp_path, {**changes, **inner})
    assert meter.joules() == pytest.approx(3.1)


def test_a_counter_that_came_to_its_end_begins_again(tmp_path: Path) -> None:
    meter = EnergyMeter(host_of(tmp_path, {**LAPTOP, PACKAGE: "8900000\n"}))
    meter.start()
    write_tree(tmp_path, {PACKAGE: "200000\n"})
    assert meter.joules() == pytest.approx(0.3)


def test_a_counter_that_was_set_back_tells_nothing(tmp_path: Path) -> None:
    """The memory's has no stated end: whether it came to it, nobody knows."""
    meter = EnergyMeter(host_of(tmp_path, LAPTOP))
    meter.start()
    write_tree(tmp_path, {MEMORY: "1\n"})
    assert meter.joules() is None


def test_a_counter_that_disappears_tells_nothing(tmp_path: Path) -> None:
    meter = EnergyMeter(host_of(tmp_path, LAPTOP))
    meter.start()
    (tmp_path / PACKAGE).unlink()
    assert meter.joules() is None


def test_a_board_s_chip_counts_where_there_is_no_rapl(tmp_path: Path) -> None:
    files = {"sys/class/hwmon/hwmon2/name": "ina228\n", "sys/class/hwmon/hwmon2/energy1_input": "7000000\n"}
    meter = EnergyMeter(host_of(tmp_path, files))
    meter.start()
    write_tree(tmp_path, {"sys/class/hwmon/hwmon2/energy1_input": "7500000\n"})
    assert meter.joules() == pytest.approx(0.5)


def test_power_at_a_moment_is_no_energy(tmp_path: Path) -> None:
    files = {"sys/class/hwmon/hwmon2/name": "ina219\n", "sys/class/hwmon/hwmon2/power1_input": "7000000\n"}
    meter = EnergyMeter(host_of(tmp_path, files))
    meter.start()
    assert meter.joules() is None


def test_nothing_counts_before_the_start(tmp_path: Path) -> None:
    assert EnergyMeter(host_of(tmp_path, LAPTOP)).joules() is None


def test_a_machine_without_counters(tmp_path: Path) -> None:
    meter = EnergyMeter(host_of(tmp_path, {}))
    meter.start()
    assert meter.joules() is None
