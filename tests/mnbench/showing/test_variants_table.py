"""Every variant with its size, its accuracy where that is known, and its time at each number of threads."""

from dataclasses import replace

import pytest

from mnbench.record import Record
from mnbench.showing.table import Table
from mnbench.showing.variants_table import variants_table
from support.records import FLATBUFFERS, gpu_record, pi_record, workstation_record

pytestmark = pytest.mark.smoke


def lines(table: Table) -> list[list[str]]:
    return [[entry.text for entry in line.entries] for line in table.lines]


def test_a_line_to_each_variant_of_each_model() -> None:
    (table,) = variants_table([workstation_record()])
    heads = [column.head for column in table.columns]
    assert heads == ["Device", "Model", "Variant", "Size", "Top-1", "ms, 1 thread", "ms, 2 threads"]
    assert [line[2] for line in lines(table)] == [*map(str, FLATBUFFERS), "int8"]
    int8 = lines(table)[4]
    assert int8[:5] == ["CPU, Xeon 8488C", "MobileNet V1 1.0/224", "int8", "4.5 MB", "70.6 ± 1.4 %"]
    assert int8[5].startswith("4.")
    assert int8[6].startswith("2.")


def test_other_engines_and_plain_kernels_are_not_in_it() -> None:
    (table,) = variants_table([workstation_record()])
    assert len(table.lines) == len(FLATBUFFERS) + 1


def test_sources_of_accuracy_are_told() -> None:
    (table,) = variants_table([workstation_record()])
    assert [note.text for note in table.notes if not note.mark] == ["top-1: mnmodels evaluate, 1000 pictures"]


def test_several_devices() -> None:
    (table,) = variants_table([workstation_record(), pi_record()])
    assert [column.head for column in table.columns][-3:] == ["ms, 1 thread", "ms, 2 threads", "ms, 4 threads"]
    pi = table.lines[-1].entries
    assert pi[0].text == "CPU, Raspberry Pi 5"
    assert pi[0].marks
    assert pi[-2].is_empty


def test_none_without_a_flatbuffer() -> None:
    assert variants_table([gpu_record()]) == ()
    assert variants_table([Record(device="d", command="", plan="", rows=())]) == ()


def test_what_the_conversion_saw_is_told() -> None:
    record = workstation_record()
    first = record.models[0]
    files = {**first.files, "int8": {**first.files["int8"], "verification": {"agreement": 0.961}}}
    (table,) = variants_table([replace(record, models=(replace(first, files=files), *record.models[1:]))])
    heads = [column.head for column in table.columns]
    assert lines(table)[4][heads.index("As float")] == "96.1 %"
    assert "As float" in table.about
    assert "As float" not in variants_table([record])[0].about
