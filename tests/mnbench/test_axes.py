"""Blocks: their cells, what options put in their place, and engines that no block has."""

from dataclasses import replace

import pytest

from mnbench.axes import Block, ModelOffer, Wishes, cells_of, training_block, with_wishes
from mnbench.catalogue import ENGINES, EngineKind
from mnbench.cell import BatchNorm, Cell, Compiler, Device, InstructionSet, Variant, Work

pytestmark = pytest.mark.smoke

ON_GPU = replace(
    training_block(("m",), "keras-jax"),
    devices=(Device.GPU,),
    batch_norms=(BatchNorm.COMPOSED, BatchNorm.FUSED),
)


def cells(*blocks: Block, **wishes: object) -> tuple[Cell, ...]:
    return cells_of(with_wishes(blocks, Wishes(**wishes)), ())  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["keras-tensorflow", "keras-torch"])
def test_an_engine_that_no_block_has_gets_what_others_of_its_kind_have(engine: str) -> None:
    found = cells(ON_GPU, engines=(engine,))
    assert {cell.engine for cell in found} == {engine}
    assert {cell.device for cell in found} == {Device.GPU}
    assert {cell.batch_norm for cell in found} == {BatchNorm.COMPOSED, BatchNorm.FUSED}
    assert {cell.compiler for cell in found} == {Compiler.GRAPH}
    assert len(found) == len(cells(ON_GPU))


def test_an_engine_of_another_kind_or_device_gets_a_plain_block() -> None:
    litert = Block(models=("m",), engines=("litert",), threads=(1, 2, 4))
    assert {(cell.device, cell.variant) for cell in cells(litert, engines=("litert-gpu",))} == {
        (Device.GPU, Variant.FLOAT32)
    }
    assert {cell.device for cell in cells(ON_GPU, engines=("litert",))} == {Device.CPU}
    assert {cell.threads for cell in cells(litert, engines=("tensorflow",))} == {1, 2, 4}


def test_devices_replace_and_an_engine_has_those_that_it_runs_on() -> None:
    blocks = (training_block(("m",), "keras-jax"), Block(models=("m",), engines=("litert",)))
    found = cells(*blocks, devices=(Device.CPU, Device.GPU))
    assert {(cell.engine, cell.device) for cell in found} == {
        ("keras-jax", Device.CPU),
        ("keras-jax", Device.GPU),
        ("litert", Device.CPU),
    }
    assert len({cell.key for cell in found}) == len(found)
    assert {cell.engine for cell in cells(*blocks, devices=(Device.GPU,))} == {"keras-jax"}


def test_a_gpu_has_no_instruction_set_of_the_cpu() -> None:
    limits = (None, InstructionSet.AVX2)
    block = replace(training_block(("m",), "keras-jax"), instruction_sets=limits, devices=(Device.CPU, Device.GPU))
    assert {(cell.device, cell.instruction_set) for cell in block.cells()} == {
        (Device.CPU, None),
        (Device.CPU, InstructionSet.AVX2),
        (Device.GPU, None),
    }


def test_every_engine_runs_on_something() -> None:
    for name, entry in ENGINES.items():
        assert entry.devices, name
        if entry.kind is not EngineKind.RUNTIME:
            assert cells(ON_GPU, engines=(name,)), name


def test_an_import_is_measured_once_for_all_models() -> None:
    block = Block(models=("m", "n"), engines=("mninfer",), works=(Work.IMPORT, Work.COLD_START))
    found = [(cell.model, cell.work) for cell in cells(block, variants=(Variant.INT8, Variant.FLOAT32))]
    assert found.count(("m", Work.IMPORT)) == 1
    assert ("n", Work.IMPORT) not in found
    assert found.count(("n", Work.COLD_START)) == 2


def test_a_block_goes_through_its_axes_the_model_slowest() -> None:
    block = Block(models=("m", "n"), engines=("litert",), variants=(Variant.FLOAT32, Variant.INT8), threads=(1, 2))
    found = [(cell.model, cell.variant, cell.threads) for cell in block.cells()]
    assert found[:3] == [("m", Variant.FLOAT32, 1), ("m", Variant.FLOAT32, 2), ("m", Variant.INT8, 1)]
    assert len(found) == 8


def test_offers_decide_what_of_a_model_can_be_measured() -> None:
    blocks = (training_block(("a", "b"), "keras-jax"), Block(models=("a", "b"), engines=("litert",)))
    offers = (
        ModelOffer(name="a", variants=frozenset({Variant.FLOAT32}), is_trainable=False),
        ModelOffer(name="b", variants=frozenset(), is_trainable=True),
    )
    found = cells_of(blocks, offers)
    assert {(cell.model, cell.engine) for cell in found} == {("a", "litert"), ("b", "keras-jax")}
