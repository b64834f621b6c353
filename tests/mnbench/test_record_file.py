"""Records on disk: what is written is read, what is not one is named."""

import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench import record_file
from mnbench.cell import Cell, Variant, Work
from mnbench.record import Agreement, Doubt, MeasuredModel, Process, Record, Row, Status
from mnbench.record_file import encode_record, read_record, write_record
from mninfer.errors import InputError, OutputError

pytestmark = pytest.mark.smoke

CELL = Cell(work=Work.FORWARD, model="mobilenet", engine="litert", variant=Variant.INT8)
RECORD = Record(
    device="a board",
    command="mnbench run",
    plan="0123456789abcdef",
    rows=(
        Row(
            cell=CELL,
            status=Status.MEASURED,
            processes=(
                Process(
                    round=0,
                    samples_ns=tuple(range(4_000_000, 4_000_100)),
                    warm_up_ns=(9_000_000, 5_000_000),
                    parts_ns={"invoke": tuple(range(100))},
                    open_ns=123,
                    facts={"version": "2.1", "coverage": {"num_operators": 31, "num_delegated": 31}},
                    conditions={"resident_bytes": 50_000_000, "energy_joules": None},
                ),
            ),
            size_bytes=4_300_000,
            agreement=Agreement(is_held=True, reference="litert", sqnr_db=31.5, text="31.5 dB"),
            doubts=(Doubt("too-short", "one process"),),
        ),
        Row(cell=Cell(work=Work.IMPORT, model="m", engine="mninfer"), status=Status.MISSING, reason="not installed"),
    ),
    models=(MeasuredModel(name="mobilenet", title="V1", weights="random, seed 0", input_shape=(1, 224, 224, 3)),),
    machine={"before": {"cpu": {"model": "x"}}},
    doubts=(Doubt("battery", "on battery"),),
    started="2026-11-21T20:00:00+00:00",
    elapsed_s=12.5,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_record(RECORD, tmp_path / "r.json")
    assert read_record(tmp_path / "r.json") == RECORD


def test_a_file_is_not_written_over_unasked(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("mine")
    with pytest.raises(OutputError):
        write_record(RECORD, path)
    assert path.read_text() == "mine"
    write_record(RECORD, path, force=True)
    assert read_record(path) == RECORD


def test_samples_stand_on_one_line_each_and_a_row_is_found_by_its_key() -> None:
    text = encode_record(RECORD).decode()
    assert json.loads(text) == RECORD.to_json()
    assert len(text.splitlines()) < 100  # and not one for each sample
    assert RECORD.row(CELL.key) is RECORD.rows[0]
    assert RECORD.row("nothing") is None


LINES = """{
 "empty": [{}, []],
 "short": {"text": "\\n \\u00e9", "none": null, "deep": [[1.5, [true, {"x": []}]]]},
 "numbers": [NUMBERS],
 "long": [
  {"a": "LETTERS"},
  {
   "b": ["LETTERS", "LETTERS"]
  }
 ]
}"""


def test_a_line_is_one_small_thing() -> None:
    text = LINES.replace("NUMBERS", ", ".join(["1000000"] * 30)).replace("LETTERS", "x" * 49)
    assert record_file._encode(json.loads(text), 0) == text


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(nested)
def test_however_it_stands_on_lines_it_is_the_same(value: Any) -> None:
    text = record_file._encode(value, 0)
    assert json.loads(text) == value
    if len(json.dumps(value)) <= 110:
        assert text == json.dumps(value)


def test_what_nobody_could_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    write_record(RECORD, path)
    before = path.read_bytes()
    monkeypatch.setattr(record_file, "MAX_RECORD_BYTES", len(before))
    larger = replace(RECORD, device="a board with a longer name")
    with pytest.raises(OutputError, match=r"(?s)is not read.*--rounds"):
        write_record(larger, path, force=True)
    assert path.read_bytes() == before
    assert read_record(path) == RECORD


def broken(change: Any) -> bytes:
    value = json.loads(encode_record(RECORD))
    change(value)
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not JSON"),
        (b"[]", "not an object"),
        (b"\xff\xfe", "not JSON"),
        (b"{}", "no result of mnbench"),
        (b"[" * 100_000, "not JSON"),
        (broken(lambda v: v.update(schema=2)), "schema 2"),
        (broken(lambda v: v.update(schema=True)), "whole number"),
        (broken(lambda v: v.pop("rows")), 'no "rows"'),
        (broken(lambda v: v["rows"][0]["cell"].update(work="forwards")), 'did you mean "forward"'),
        (broken(lambda v: v["rows"][0]["cell"].update(threads=0)), "not sound"),
        (broken(lambda v: v["rows"][0]["cell"].update(batch=-1)), '"batch"'),
        (broken(lambda v: v["rows"][0].update(processes=[])), "no process"),
        (broken(lambda v: v["rows"][0]["processes"][0].update(samples_ns=[])), "samples_ns"),
        (broken(lambda v: v["rows"][0]["processes"][0].update(samples_ns=[1.5])), "samples_ns"),
        (broken(lambda v: v["rows"][0]["processes"][0].update(samples_ns=[True])), "samples_ns"),
        (broken(lambda v: v.update(elapsed_s="long")), "elapsed_s"),
        (broken(lambda v: v.update(device=None)), '"device"'),
        (b'{"kind": "mnbench", "schema": 1, "elapsed_s": NaN}', "not JSON"),
    ],
)
def test_what_is_no_record_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_record(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", Path("a\0b")):
        with pytest.raises(InputError):
            read_record(path)


@given(st.integers(0, 5000), st.binary(min_size=1, max_size=4))
def test_a_damaged_record_is_read_or_refused(tmp_path_factory: Any, place: int, bytes_: bytes) -> None:
    data = bytearray(encode_record(RECORD))
    place %= len(data)
    data[place : place + len(bytes_)] = bytes_
    path = tmp_path_factory.mktemp("r") / "r.json"
    path.write_bytes(data)
    with suppress(InputError):
        assert read_record(path).to_json()


def test_two_rows_of_one_cell_are_refused(tmp_path: Path) -> None:
    value = RECORD.to_json()
    value["rows"] = [*value["rows"], value["rows"][0]]
    (tmp_path / "r.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(InputError, match=rf'rows\[{len(value["rows"]) - 1}\] is ".*", as rows\[0\] is already'):
        read_record(tmp_path / "r.json")


def test_a_row_is_found_however_many_there_are() -> None:
    """A file by others may have tens of thousands, and tables look one up for each of them."""
    rows = tuple(Row(cell=replace(CELL, threads=number), status=Status.PENDING) for number in range(1, 4001))
    record = replace(RECORD, rows=rows)
    begin = time.perf_counter()
    assert all(record.row(row.cell.key) is row for row in rows)
    assert time.perf_counter() - begin < 2.0
    assert record.row("none") is None
    assert replace(record, rows=rows[:1]).row(rows[1].cell.key) is None
