"""A machine's facts as they are read: units, order, what changed."""

from dataclasses import replace
from typing import Any

import pytest

from mnbench.drawing.machine_facts import machine_facts
from support.records import pi_record

pytestmark = pytest.mark.smoke


def facts(before: Any, after: Any = None) -> dict[str, str]:
    machine = {"before": before, "after": before if after is None else after}
    return dict(machine_facts(replace(pi_record(), machine=machine)))


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"cpu": {"model": "Cortex-A76"}}, "CPU model", "Cortex-A76"),
        ({"cpu": {"max_mhz": 2400.0}}, "CPU max", "2,400 MHz"),
        ({"memory_bytes": 8 << 30}, "memory", "8.6 GB"),
        ({"page_bytes": 16384}, "page", "16.4 kB"),
        ({"temperature_c": 61.5}, "temperature", "61.5 °C"),
        ({"is_on_battery": False}, "on battery", "no"),
        ({"cpu": {"flags": ["asimd", "fp16"]}}, "CPU flags", "asimd, fp16"),
        ({"packages": {"numpy": "2.4.6", "keras": "3.15.1"}}, "packages", "numpy 2.4.6, keras 3.15.1"),
    ],
)
def test_a_fact_is_spelled(given: dict[str, Any], name: str, value: str) -> None:
    assert facts(given) == {name: value}


def test_what_is_not_known_is_left_out() -> None:
    assert facts({"gpu": None, "board": "", "caches": {}, "flags": []}) == {}


def test_what_changed_is_told_before_and_after() -> None:
    assert facts({"temperature_c": 40}, {"temperature_c": 80}) == {"temperature": "40 °C, afterwards 80 °C"}


@pytest.mark.parametrize("machine", [{}, {"before": None, "after": None}, {"before": [], "after": "x"}, {"cpu": 3}])
def test_facts_of_any_shape_are_no_error(machine: dict[str, Any]) -> None:
    assert isinstance(machine_facts(replace(pi_record(), machine=machine)), tuple)


def test_a_fact_of_any_length_is_cut() -> None:
    assert len(facts({"cpu": {"model": "x" * 100_000}})["CPU model"]) < 500
