"""Our devices beside those of others."""

import pytest

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


def test_none_where_nothing_of_it_was_measured() -> None:
    assert devices_table([gpu_record()]) == ()
