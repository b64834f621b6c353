"""CSV for programs: numbers that are numbers, and texts that no spreadsheet computes."""

import csv
import io
from dataclasses import replace

import pytest

from mnbench.cell import Cell, Work
from mnbench.record import Record
from mnbench.showing.as_csv import full_csv, table_2017_csv
from mnbench.statistics import part_intervals, row_interval
from support.records import gpu_record, many_records, pi_record, row_of, workstation_record

pytestmark = pytest.mark.smoke


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_it_begins_with_the_columns_of_2017() -> None:
    head = table_2017_csv([workstation_record()]).splitlines()[0]
    assert head.startswith("Device,Forward,Forward-Backward,Instruction set,Quantized,Fused-BN,Remark,")


def test_a_line_of_2017() -> None:
    record = workstation_record()
    line = lines(table_2017_csv([record]))[1]
    interval = row_interval(record.rows[2])
    assert interval is not None
    assert float(line["Forward"]) == pytest.approx(interval.middle, rel=1e-5)
    assert float(line["Forward low"]) == pytest.approx(interval.low, rel=1e-5)
    assert float(line["Forward high"]) == pytest.approx(interval.high, rel=1e-5)
    assert (line["Forward 2017"], line["Forward-Backward 2017"]) == ("19", "89")
    assert (line["Quantized"], line["Fused-BN"], line["Model"]) == ("", "On", "mobilenet_v1_1.0_224")


def test_doubts_and_reasons_of_each_line() -> None:
    found = lines(table_2017_csv(many_records()))
    assert any("killed by signal 9" in line["Reason"] for line in found)
    assert any("throttled" in line["Doubts"] for line in found)
    assert {line["Doubts about the run"] != "" for line in found if "Pi 5" in line["Device"]} == {True}


def test_everything() -> None:
    records = many_records()
    found = lines(full_csv(records))
    rows = [row for record in records for row in record.rows]
    assert [line["key"] for line in found] == [row.cell.key for row in rows]
    for line, row in zip(found, rows, strict=True):
        interval = row_interval(row)
        assert line["status"] == row.status
        assert (line["middle_ms"] == "") == (interval is None)
        if interval is not None:
            assert float(line["middle_ms"]) == pytest.approx(interval.middle, rel=1e-5)
        assert line["use_xnnpack"] == str(row.cell.use_xnnpack).lower()
    assert {line["device"] for line in found} == {record.device for record in records}
    assert {line["device_kind"] for line in found} == {"cpu", "gpu"}


def test_memory_at_the_most_and_at_the_end() -> None:
    found = {line["key"]: line for line in lines(full_csv([workstation_record()]))}
    line = found["mobilenet_v1_1.0_224/forward/litert/int8/t1"]
    assert (line["peak_bytes"], line["resident_bytes"]) == ("77594624", "63963136")
    assert found["mobilenet_v1_1.0_224/cold-start/mninfer/int8/t1"]["resident_bytes"] == ""


def test_parts_have_columns() -> None:
    record = workstation_record()
    line = next(line for line in lines(full_csv([record])) if line["work"] == "photo-to-label")
    row = next(row for row in record.rows if row.cell.work is Work.PHOTO_TO_LABEL)
    assert float(line["decode_ms"]) == pytest.approx(part_intervals(row)["decode"].middle, rel=1e-5)
    assert line["postprocess_ms"]


def test_one_process_alone_has_no_ends() -> None:
    cell = Cell(work=Work.FORWARD, model="m", engine="litert")
    record = Record(device="d", command="", plan="", rows=(row_of(cell, 10.0, num_rounds=1),))
    for text, names in (
        (full_csv([record]), ("low_ms", "high_ms")),
        (table_2017_csv([record]), ("Forward low", "Forward high")),
    ):
        (line,) = lines(text)
        assert [line[name] for name in names] == ["", ""]


@pytest.mark.parametrize("device", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_computes_a_name(device: str) -> None:
    (line, *_) = lines(full_csv([replace(pi_record(), device=device)]))
    assert line["device"][0] in "'\\"


@pytest.mark.parametrize("device", ['a,b"c', "two\nlines"])
def test_a_name_stays_in_its_column(device: str) -> None:
    found = lines(full_csv([replace(gpu_record(), device=device)]))
    assert len(found) == len(gpu_record().rows)
    assert found[0]["device"] == device.replace("\n", "\\x0a")


def test_nothing_to_show() -> None:
    assert full_csv([]) == "device,key\n"
    assert lines(table_2017_csv([])) == []
