"""What the columns of 2017 say of a cell, and which passes are one line."""

from dataclasses import replace

import pytest

from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work
from mnbench.record import Record
from mnbench.showing.configurations import (
    Configuration,
    configurations_of,
    details_of,
    device_of,
    engine_of,
    fused_of,
    norm_of,
    precision_of,
    quantized_of,
)
from support.records import MODEL, gpu_record, pi_record, row_of, workstation_record

pytestmark = pytest.mark.smoke

LITERT = Cell(work=Work.FORWARD, model=MODEL, engine="litert")
KERAS = Cell(work=Work.FORWARD, model=MODEL, engine="keras-tensorflow", batch_norm=BatchNorm.FUSED, threads=2)


def record_of(*cells: Cell, flags: tuple[str, ...] = ()) -> Record:
    machine = {"before": {"cpu": {"flags": list(flags)}}}
    return Record(device="d", command="", plan="", rows=tuple(row_of(each, 10.0) for each in cells), machine=machine)


def test_both_passes_of_a_configuration_are_one_line() -> None:
    back = replace(KERAS, work=Work.FORWARD_BACKWARD)
    record = record_of(back, KERAS, replace(back, batch_norm=BatchNorm.COMPOSED), LITERT)
    first, second, third = configurations_of([record])[MODEL]
    assert (first.forward, first.backward) == (record.rows[1], record.rows[0])
    assert (second.forward, second.backward) == (None, record.rows[2])
    assert (third.forward, third.backward) == (record.rows[3], None)


def test_every_pass_of_a_record_is_on_a_line_once() -> None:
    record = workstation_record()
    shown = [row for group in configurations_of([record]).values() for each in group for row in each.rows]
    wanted = [row for row in record.rows if row.cell.work in (Work.FORWARD, Work.FORWARD_BACKWARD)]
    assert sorted(row.cell.key for row in shown) == sorted(row.cell.key for row in wanted)


@pytest.mark.parametrize(
    ("cell", "quantized", "fused"),
    [
        (LITERT, "", "folded"),
        (replace(LITERT, variant=Variant.UNFUSED), "", ""),
        (replace(LITERT, variant=Variant.INT8), "8-bits", "folded"),
        (replace(LITERT, variant=Variant.DYNAMIC), "8-bits (dynamic)", "folded"),
        (replace(LITERT, variant=Variant.INT16X8), "8-bits (int16x8)", "folded"),
        (KERAS, "", "On"),
        (replace(KERAS, batch_norm=BatchNorm.COMPOSED, variant=Variant.BF16), "bf16", ""),
        (replace(KERAS, engine="keras-jax"), "", "by XLA"),
        (replace(KERAS, engine="keras-jax", batch_norm=BatchNorm.COMPOSED), "", "by XLA"),
        (replace(KERAS, engine="keras-torch"), "", "composed"),
        (replace(KERAS, engine="keras-torch", batch_norm=BatchNorm.COMPOSED), "", "composed"),
        (replace(LITERT, engine="of-tomorrow"), "", "folded"),
    ],
)
def test_quantized_and_fused(cell: Cell, quantized: str, fused: str) -> None:
    assert (quantized_of(cell), fused_of(cell)) == (quantized, fused)


@pytest.mark.parametrize(
    ("engine", "norm", "name"),
    [
        ("litert", None, ""),
        ("keras-tensorflow", BatchNorm.FUSED, "fused BN"),
        ("keras-jax", BatchNorm.FUSED, "BN by XLA (fused asked for)"),
        ("keras-jax", BatchNorm.COMPOSED, "BN by XLA (composed asked for)"),
        ("keras-torch", BatchNorm.FUSED, "BN composed (fused asked for)"),
    ],
)
def test_one_program_for_both_forms_is_not_called_by_either(engine: str, norm: BatchNorm | None, name: str) -> None:
    assert norm_of(replace(KERAS, engine=engine, batch_norm=norm)) == name


@pytest.mark.parametrize(
    ("flags", "limit", "text"),
    [
        (("sse4_1", "sse4_2", "avx", "fma", "avx2"), InstructionSet.AVX2, "≤ AVX2"),
        (("sse4_1", "sse4_2", "avx", "fma", "avx2"), None, "AVX2"),
        (("sse4_1", "sse4_2"), None, "SSE4.1"),
        (("asimd", "asimddp"), None, "NEON, dotprod"),
        (("neon",), None, "NEON"),
        ((), None, ""),
        ((), InstructionSet.SSE41, "≤ SSE4.1"),
    ],
)
def test_instruction_set(flags: tuple[str, ...], limit: InstructionSet | None, text: str) -> None:
    cell = replace(KERAS, instruction_set=limit)
    record = record_of(cell, flags=flags)
    assert Configuration(record=record, cell=cell, forward=record.rows[0]).instruction_set == text


def test_what_the_engine_tells_comes_before_what_the_cpu_has() -> None:
    record = record_of(KERAS, flags=("sse4_1", "sse4_2"))
    row = row_of(KERAS, 10.0, facts={"instruction_set": "avx512"})
    assert Configuration(record=record, cell=KERAS, forward=row).instruction_set == "AVX-512"
    row = row_of(KERAS, 10.0, facts={"instruction_set": "AVX10"})
    assert Configuration(record=record, cell=KERAS, forward=row).instruction_set == "AVX10"


def test_devices() -> None:
    assert device_of(gpu_record(), Device.GPU) == "GPU, NVIDIA H100"
    assert device_of(pi_record(), Device.CPU) == "CPU, Raspberry Pi 5"
    assert device_of(replace(pi_record(), machine={"before": 7}), Device.GPU) == "GPU, Raspberry Pi 5"


def test_details_and_engines() -> None:
    assert details_of(LITERT) == "1 thread"
    assert details_of(replace(LITERT, use_xnnpack=False, threads=4, batch=8)) == "4 threads, batch 8, without XNNPACK"
    assert details_of(replace(KERAS, compiler=Compiler.XLA)) == "XLA, 2 threads"
    assert details_of(replace(KERAS, engine="keras-jax", compiler=Compiler.XLA)) == "2 threads"
    assert details_of(replace(KERAS, device=Device.GPU, threads=None, batch=256)) == "batch 256"
    assert engine_of(LITERT, row_of(LITERT, 1.0, facts={"version": "2.1.6"})) == "LiteRT 2.1.6"
    assert engine_of(LITERT, row_of(LITERT, 1.0, facts={"version": ["2"]})) == "LiteRT"
    assert engine_of(replace(LITERT, engine="of-tomorrow"), None) == "of-tomorrow"


@pytest.mark.parametrize(
    ("variant", "told", "shown"),
    [
        (Variant.FLOAT32, "float32", ""),
        (Variant.FLOAT32, "f32", ""),
        (Variant.FLOAT32, "bf16", "bf16"),
        (Variant.FLOAT32, "float32, TF32 in convolutions", "float32, TF32 in convolutions"),
        (Variant.BF16, "bfloat16", ""),
        (Variant.BF16, "bfloat16 in memory, computed in f32", "bfloat16 in memory, computed in f32"),
        (Variant.FP16, "float16", ""),
        (Variant.FP16, "float32", "float32"),
        (Variant.INT8, "float32", ""),
        (Variant.INT8, "int8", ""),
        (Variant.INT8, "", ""),
    ],
)
def test_a_precision_is_told_where_it_is_more_than_the_variant(variant: Variant, told: str, shown: str) -> None:
    cell = replace(LITERT, variant=variant)
    assert precision_of(cell, row_of(cell, 1.0, facts={"precision": told})) == shown
