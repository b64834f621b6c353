"""What is drawn: devices told apart, rows selected by name, accuracy taken from whatever a record holds."""

from dataclasses import replace

import pytest

from mnbench.drawing.entries import device_names, entries_of, select_entries
from mninfer.errors import InputError
from support.records import MODEL, many_records, workstation_record

pytestmark = pytest.mark.smoke


def test_every_row_of_every_record() -> None:
    records = many_records()
    entries = entries_of(records)
    assert [entry.row for entry in entries] == [row for record in records for row in record.rows]
    assert {entry.model for entry in entries} == {"MobileNet V1 1.0/224", "MobileNet V2 1.0/224"}
    assert all((entry.interval is None) == (not entry.row.processes) for entry in entries)


def test_devices_of_one_name_are_numbered() -> None:
    record = workstation_record()
    other = replace(record, device="Pi")
    assert device_names([record, other, record]) == (f"{record.device} (1)", "Pi", f"{record.device} (2)")


def test_rows_are_selected_by_name() -> None:
    entries = entries_of([workstation_record()])
    assert select_entries(entries, []) == entries
    found = select_entries(entries, ["*/litert/int8/*", "*/cold-start/*"])
    assert {str(entry.cell.variant) for entry in found} == {"int8"}
    assert len(found) == 4


def test_a_pattern_that_fits_nothing_is_an_error_with_a_name() -> None:
    entries = entries_of([workstation_record()])
    with pytest.raises(InputError, match=r'no row fits "nonsense"') as caught:
        select_entries(entries, ["*", "nonsense"])
    assert MODEL in caught.value.hints[0]
    with pytest.raises(InputError, match="no row fits"):
        select_entries((), ["*"])


@pytest.mark.parametrize("percent", ["high", None, True, -1, 101, float("nan"), [70]])
def test_an_accuracy_that_is_no_share_is_not_known(percent: object) -> None:
    assert accuracy_of({"top1_percent": percent}) is None


def test_an_accuracy_without_an_error_has_none() -> None:
    found = accuracy_of({"top1_percent": 70.9})
    assert found == (70.9, 0.0)
    assert accuracy_of({"top1_percent": 71, "standard_error": 1.4}) == (71.0, 1.4)


def accuracy_of(facts: dict[str, object]) -> tuple[float, float] | None:
    record = workstation_record()
    model = replace(record.models[0], accuracy={"float32": facts})
    entry = next(entry for entry in entries_of([replace(record, models=(model,))]) if entry.cell.model == MODEL)
    return None if entry.accuracy is None else (entry.accuracy.percent, entry.accuracy.error)
