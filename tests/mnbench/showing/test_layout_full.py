"""Everything: each cell on a line of the table of its work."""

from dataclasses import replace

import pytest

from mnbench.record import Agreement, Process, Record
from mnbench.showing.figures import spell_interval
from mnbench.showing.layout_full import tables_full
from mnbench.showing.table import Entry, Table, Tone
from mnbench.statistics import energy_interval
from support.records import gpu_record, pi_record, workstation_record

pytestmark = pytest.mark.smoke


def table_of(records: list[Record], title: str) -> Table:
    return next(table for table in tables_full(records) if table.title.endswith(title))


def entry(table: Table, what: str, head: str) -> Entry:
    heads = [column.head for column in table.columns]
    line = next(line for line in table.lines if line.entries[heads.index("What")].text == what)
    return line.entries[heads.index(head)]


def test_every_cell_is_on_a_line() -> None:
    record = workstation_record()
    by_work = [table for table in tables_full([record]) if any(column.head == "What" for column in table.columns)]
    assert sum(len(table.lines) for table in by_work) == len(record.rows)


def test_a_flatbuffer() -> None:
    table = table_of([workstation_record()], "MobileNet V1 1.0/224: forward")
    what = "LiteRT 2.1.6, int8, 1 thread"
    assert entry(table, what, "ms").text.startswith("4.")
    assert entry(table, what, "Size").text == "4.5 MB"
    assert entry(table, what, "Memory").text == "77.6 MB"
    assert entry(table, what, "Resident").text == "64.0 MB"
    assert entry(table, what, "Delegated") == Entry(text="31/31")
    assert entry(table, what, "Agrees") == Entry(text="22.4 dB")


def test_what_is_not_delegated_stands_out_unless_it_was_asked_for() -> None:
    table = table_of([workstation_record()], "MobileNet V1 1.0/224: forward")
    assert entry(table, "LiteRT 2.1.6, int16x8, 1 thread", "Delegated").tone is Tone.BAD
    assert entry(table, "LiteRT 2.1.6, float32, 1 thread, without XNNPACK", "Delegated") == Entry(text="0/31")


def test_what_does_not_agree_stands_out() -> None:
    table = table_of([pi_record()], "MobileNet V1 1.0/224: forward")
    assert entry(table, "tflite-runtime 2.14.0, int8, 1 thread", "Agrees") == Entry(text="no: 3.1 dB", tone=Tone.BAD)


def test_a_limit_and_a_batch_norm_are_told_of_a_training_framework() -> None:
    table = table_of([workstation_record()], ": forward and backward")
    assert entry(table, "Keras on TensorFlow 2.21.0, float32, composed BN, ≤ AVX2, 2 threads", "ms").text


def test_a_process_that_has_ended_holds_no_memory() -> None:
    heads = [column.head for column in table_of([workstation_record()], "from nothing to a label").columns]
    assert "Memory" in heads
    assert "Resident" not in heads


def test_parts_in_order() -> None:
    table = table_of([workstation_record()], "from photo to label")
    assert [column.head for column in table.columns][2:7] == ["ms", "decode", "preprocess", "invoke", "postprocess"]
    assert entry(table, "mninfer 0.1.0, int8, 1 thread", "decode").text == "1.896 ± 0.006"


def test_energy_is_of_one_run_and_has_an_interval() -> None:
    record = gpu_record()
    interval = energy_interval(record.rows[0])
    assert interval is not None
    found = entry(
        table_of([record], "MobileNet V1 1.0/224: forward"),
        "Keras on JAX 0.10.0, float32, tf32, BN by XLA (composed asked for)",
        "Energy",
    )
    assert found.text == f"{spell_interval(interval)} mJ"
    assert "±" in found.text


def test_columns_without_a_word_are_left_out() -> None:
    heads = [column.head for column in table_of([gpu_record()], ": forward").columns]
    assert heads == ["Device", "What", "ms", "Energy"]


@pytest.mark.parametrize(
    "nonsense",
    [
        {"coverage": 7},
        {"coverage": {"num_operators": "31", "num_delegated": None}},
        {"coverage": {"num_operators": -1, "num_delegated": True}},
        {"version": {}, "precision": 3, "instruction_set": [1], "process_peak_bytes": "lots"},
    ],
)
def test_facts_of_another_kind_are_left_out(nonsense: dict[str, object]) -> None:
    record = workstation_record()

    def spoilt(process: Process) -> Process:
        return replace(
            process, facts=nonsense, conditions={"peak_bytes": [1], "resident_bytes": "2", "energy_joules": "x"}
        )

    rows = tuple(replace(row, processes=tuple(map(spoilt, row.processes))) for row in record.rows)
    table = table_of([replace(record, rows=rows, machine={"before": {"cpu": 3}})], "MobileNet V1 1.0/224: forward")
    heads = [column.head for column in table.columns]
    assert not {"Memory", "Resident", "Delegated", "Energy"} & set(heads)


@pytest.mark.parametrize(
    ("is_held", "sqnr_db", "shown"),
    [(True, None, "equal"), (True, 61.04, "61.0 dB"), (False, 3.1, "no: 3.1 dB"), (False, None, "no")],
)
def test_agreement(is_held: bool, sqnr_db: float | None, shown: str) -> None:
    found = Agreement(is_held=is_held, reference="the float model", sqnr_db=sqnr_db, text="in many words")
    record = workstation_record()
    rows = tuple(replace(row, agreement=found) for row in record.rows)
    table = table_of([replace(record, rows=rows)], "MobileNet V1 1.0/224: forward")
    assert entry(table, "LiteRT 2.1.6, int8, 1 thread", "Agrees").text == shown
