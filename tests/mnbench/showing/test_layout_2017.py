"""The table of 2017: its very columns, its rows, and ours beside them."""

from dataclasses import replace

import pytest

from mnbench.cell import BatchNorm, Cell, Device, InstructionSet, Variant, Work
from mnbench.record import Record
from mnbench.showing.layout_2017 import published_beside, tables_2017
from mnbench.showing.published import FIGURES_2017
from mnbench.showing.table import Line
from mnbench.statistics import row_interval
from support.records import MODEL, OTHER_MODEL, gpu_record, many_records, row_of, workstation_record

pytestmark = pytest.mark.smoke

KERAS = Cell(work=Work.FORWARD, model=MODEL, engine="keras-tensorflow", batch_norm=BatchNorm.FUSED)
LITERT = Cell(work=Work.FORWARD, model=MODEL, engine="litert")


def texts(line: Line) -> list[str]:
    return [entry.text for entry in line.entries]


def test_the_very_columns() -> None:
    for table in tables_2017(many_records()):
        heads = " | ".join(column.head for column in table.columns)
        assert heads == "Device | Forward | Forward-Backward | Instruction set | Quantized | Fused-BN | Remark"


def test_the_published_rows_come_first_with_the_source() -> None:
    table, other = tables_2017([workstation_record()])
    assert texts(table.lines[5]) == ["CPU, 2017", "19", "89", "AVX2", "", "On", "TF 1.1.0"]
    assert texts(table.lines[7]) == ["GPU, 2017", "3", "15", "", "", "On", "CUDA 8, cuDNN 5.1"]
    assert any("Xeon E3-1231 v3" in note.text for note in table.notes)
    assert not any("2017" in line.entries[0].text for line in other.lines), "the table of 2017 was of V1"


def test_a_line_of_ours() -> None:
    record = workstation_record()
    line = tables_2017([record])[0].lines[len(FIGURES_2017) + 1]
    device, forward, backward, *rest = line.entries
    interval = row_interval(record.rows[2])
    assert interval is not None
    assert device.text == "CPU, Xeon 8488C"
    assert forward.text.startswith(f"{interval.middle:.2f} ± ")
    assert (forward.beside, backward.beside) == ("19", "89")
    assert [entry.text for entry in rest] == ["AVX2", "", "On", "Keras on TensorFlow 2.21.0, 2 threads"]


def test_several_devices_in_one_table() -> None:
    table = tables_2017(many_records())[0]
    devices = list(dict.fromkeys(line.entries[0].text for line in table.lines))
    assert devices == [
        *("CPU, 2017", "GPU, 2017", "CPU, Xeon 8488C", "GPU, Xeon 8488C"),
        *("CPU, Core i5-6200U", "GPU, Core i5-6200U", "GPU, NVIDIA H100", "CPU, Raspberry Pi 5"),
    ]
    assert sum(line.starts_group for line in table.lines) == 4


@pytest.mark.parametrize(
    ("cell", "forward", "backward"),
    [
        (KERAS, 19, 89),
        (replace(KERAS, batch_norm=BatchNorm.COMPOSED), 26, 75),
        (replace(KERAS, instruction_set=InstructionSet.AVX2), 19, 89),
        (replace(KERAS, instruction_set=InstructionSet.SSE41), 44, 177),
        (replace(KERAS, instruction_set=InstructionSet.SSE41, batch_norm=BatchNorm.COMPOSED), 52, 503),
        (replace(KERAS, device=Device.GPU), 3, 15),
        (replace(KERAS, device=Device.GPU, batch_norm=BatchNorm.COMPOSED), 3, 16),
        (replace(KERAS, engine="keras-jax"), 26, 75),
        (replace(KERAS, engine="keras-torch"), 26, 75),
        (LITERT, 19, 89),
        (replace(LITERT, variant=Variant.UNFUSED), 26, 75),
        (replace(LITERT, variant=Variant.INT8), 31, None),
    ],
)
def test_what_was_published_of_the_kind(cell: Cell, forward: int, backward: int | None) -> None:
    published = published_beside(cell)
    assert published is not None
    assert (published.forward, published.forward_backward) == (forward, backward)


@pytest.mark.parametrize(
    "cell",
    [
        replace(KERAS, batch=8),
        replace(KERAS, model=OTHER_MODEL),
        replace(KERAS, variant=Variant.BF16),
        replace(LITERT, variant=Variant.DYNAMIC),
        replace(LITERT, variant=Variant.INT8, device=Device.GPU),
    ],
)
def test_what_nobody_published(cell: Cell) -> None:
    assert published_beside(cell) is None


def test_another_input_is_not_held_beside_2017() -> None:
    record = workstation_record()
    models = tuple(replace(model, input_shape=(128, 128, 3)) for model in record.models)
    table = tables_2017([replace(record, models=models)])[0]
    assert len(table.lines) == len(tables_2017([record])[0].lines) - len(FIGURES_2017)
    assert not any(entry.beside for line in table.lines for entry in line.entries)


def test_doubts_and_gaps_are_marked_and_told() -> None:
    table = tables_2017([workstation_record()])[0]
    marked = {entry.text: entry.marks for line in table.lines for entry in line.entries if entry.marks}
    notes = {note.mark: note.text for note in table.notes}
    assert all(mark in notes for marks in marked.values() for mark in marks)
    assert notes[marked["failed"][0]] == "the process was killed by signal 9 after 61 s"
    assert "no OpenCL library" in notes["1"]


def test_nothing_to_show() -> None:
    assert tables_2017([Record(device="d", command="", plan="", rows=())]) == ()
    assert tables_2017([]) == ()


def test_a_limit_is_told_where_there_is_one() -> None:
    assert "≤" in tables_2017([workstation_record()])[0].about
    assert "≤" not in tables_2017([gpu_record()])[0].about


def test_a_row_whose_model_the_record_does_not_describe() -> None:
    record = Record(device="d", command="", plan="", rows=(row_of(replace(LITERT, model="x"), 10.0),))
    (table,) = tables_2017([record])
    assert table.title == "x"
    assert table.about.startswith("Milliseconds")


def test_both_forms_of_batch_norm_are_told_to_be_one_program_on_jax() -> None:
    table = tables_2017([gpu_record()])[0]
    ours = [texts(line) for line in table.lines if "H100" in line.entries[0].text]
    assert {line[5] for line in ours} == {"by XLA"}
    assert "on JAX both forms of BatchNorm are one program" in table.about
    assert "torch" not in table.about


def test_how_far_a_limit_reaches_is_told() -> None:
    notes = [note.text for note in tables_2017([workstation_record()])[0].notes]
    assert [note for note in notes if note.startswith("≤ AVX2, Keras on TensorFlow: oneDNN only")]


def test_a_precision_that_is_not_the_variant_is_named() -> None:
    table = tables_2017([gpu_record()])[0]
    remarks = [line.entries[-1].text for line in table.lines]
    assert "Keras on JAX 0.10.0, tf32" in remarks
    assert "Keras on JAX 0.10.0, batch 256" in remarks, "bf16 of bf16 needs no word"
