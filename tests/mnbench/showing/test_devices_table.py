"""Our devices beside those of others."""

from dataclasses import replace

import pytest

from mnbench.record import Record
from mnbench.showing.devices_table import devices_table
from mnbench.showing.published import DEVICE_FIGURES
from support.records import gpu_record, pi_record, workstation_record

pytestmark = pytest.mark.smoke


def test_others_first_then_a_line_to_each_number_of_threads() -> None:
    (table,) = devices_table([workstation_record(), pi_record()])
    texts = [[entry.text for entry in line.entries] for line in table.lines]
    assert [column.head for column in table.columns] == [
        *("Device", "V1 float32", "V2 float32", "V1 int8", "V2 int8", "Remark"),
    ]
    assert texts[1] == ["Raspberry Pi 4, 64-bit", "77", "46", "24", "17", "XNNPACK's README"]
    ours = texts[len(DEVICE_FIGURES) :]
    assert [(line[0], line[-1]) for line in ours] == [
        ("CPU, Xeon 8488C", "1 thread"),
        ("CPU, Xeon 8488C", "2 threads"),
        ("CPU, Raspberry Pi 5", "1 thread"),
        ("CPU, Raspberry Pi 5", "4 threads"),
    ]
    assert ours[0][1].startswith("11.")
    assert ours[0][2] == "", "V2 float32 was not measured"
    assert ours[0][4].startswith("3.")


def shown(*records: Record) -> list[tuple[str, str, str]]:
    """Device, V1 int8 and remark of each line of ours."""
    (table,) = devices_table(records)
    texts = [[entry.text for entry in line.entries] for line in table.lines[len(DEVICE_FIGURES) :]]
    return [(line[0], line[3].partition(" ")[0], line[-1]) for line in texts]


def test_a_device_that_was_measured_again_is_on_one_line_as_the_latest_run_has_it() -> None:
    early, late = workstation_record(), workstation_record(seed=1, factor=2.0)
    late = replace(late, started="2026-11-22T08:00:00Z")
    alone = shown(late)
    assert len(alone) == 2
    assert shown(early, late) == shown(late, early) == alone


def test_of_a_device_s_runs_that_with_most_figures_is_shown() -> None:
    whole, part = workstation_record(), workstation_record(seed=1, factor=2.0)
    rows = tuple(row for row in part.rows if row.cell.key.endswith("forward/litert/int8/t1"))
    part = replace(part, started="2026-11-22T08:00:00Z", rows=rows)
    assert shown(whole, part) == shown(part, whole) == shown(whole)


def test_two_machines_of_one_name_are_two_lines() -> None:
    pi, other = pi_record(), workstation_record(device="Raspberry Pi 5")
    assert len(shown(pi, other)) == len(shown(pi)) + len(shown(other))


def test_none_where_nothing_of_it_was_measured() -> None:
    assert devices_table([gpu_record()]) == ()
