"""Names tell rows apart by what they differ in, and by nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work
from mnbench.drawing.entries import Entry, entries_of
from mnbench.drawing.naming import full_names, in_common, row_names, told
from support.records import many_records, row_of, workstation_record

pytestmark = pytest.mark.smoke


def entries(*changes: dict[str, Any]) -> tuple[Entry, ...]:
    cells = [Cell(**({"work": Work.FORWARD, "model": "m", "engine": "litert"} | change)) for change in changes]
    return entries_of([replace(workstation_record(), rows=tuple(row_of(cell, 5.0) for cell in cells))])


def test_what_all_have_in_common_is_told_once() -> None:
    found = entries({"threads": 2}, {"threads": 2, "engine": "mnn"})
    assert row_names(found) == ("LiteRT", "MNN")
    assert in_common(found) == "float32 · 2 threads"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"variant": Variant.INT8}, "LiteRT · int8"),
        ({"variant": Variant.UNFUSED}, "LiteRT · float32 unfused"),
        ({"threads": 4}, "LiteRT · 4 threads"),
        ({"batch": 8}, "LiteRT · batch 8"),
        ({"device": Device.GPU}, "LiteRT · GPU"),
        ({"use_xnnpack": False}, "LiteRT · plain kernels"),
        ({"instruction_set": InstructionSet.AVX512}, "LiteRT · ≤ AVX-512"),
        ({"batch_norm": BatchNorm.FUSED}, "LiteRT · fused BN"),
        ({"compiler": Compiler.XLA}, "LiteRT · XLA"),
        ({"engine": "a stranger"}, "a stranger"),
    ],
)
def test_a_difference_has_its_words(change: dict[str, Any], name: str) -> None:
    assert row_names(entries({}, change))[1] == name


def test_what_one_engine_alone_has_is_not_told_of_it() -> None:
    """XLA is no news where all of JAX's rows have it, though TensorFlow's haven't."""
    jax = {"engine": "keras-jax", "compiler": Compiler.XLA, "batch_norm": BatchNorm.FUSED}
    assert row_names(entries({}, jax)) == ("LiteRT", "Keras on JAX")


def test_an_engine_without_threads_of_its_own_has_no_difference_in_them() -> None:
    assert row_names(entries({}, {"engine": "keras-jax", "threads": None})) == ("LiteRT", "Keras on JAX")


def test_rows_of_a_real_run_have_names_of_their_own() -> None:
    every = entries_of([workstation_record()])
    for work in Work:
        for model in {entry.model for entry in every}:
            group = [entry for entry in every if entry.cell.work is work and entry.model == model]
            assert len(set(row_names(group))) == len(group)


def test_devices_and_models_are_named_where_there_are_several() -> None:
    assert any(name.startswith("Raspberry Pi 5 · MobileNet V1") for name in full_names(entries_of(many_records())))
    assert full_names(entries({})) == ("LiteRT",)


def test_a_pointer_is_told_everything() -> None:
    (entry,) = entries({"device": Device.GPU, "batch": 8, "use_xnnpack": False})
    assert told(entry) == f"{entry.device} · m · Forward · LiteRT · float32 · GPU · 1 thread · batch 8 · plain kernels"
