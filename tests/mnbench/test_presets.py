"""Presets: what each is for, whatever the machine."""

from collections import Counter

import pytest

from mnbench.axes import Wishes, cells_of, with_wishes
from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import BatchNorm, Cell, Device, InstructionSet, Variant, Work
from mnbench.presets import Preset, Surroundings, blocks_of

pytestmark = pytest.mark.smoke

HERE = Surroundings(cores=8, instruction_sets=(InstructionSet.AVX2, InstructionSet.AVX512))

RUNTIME_WORKS = (Work.PHOTO_TO_LABEL, Work.COLD_START, Work.IMPORT)


def cells(preset: Preset, around: Surroundings = HERE, **wishes: object) -> tuple[Cell, ...]:
    return cells_of(with_wishes(blocks_of(preset, around), Wishes(**wishes)), ())  # type: ignore[arg-type]


def test_the_gpu_preset_is_of_the_gpu_alone_whichever_framework() -> None:
    for engine in ("keras-jax", "keras-tensorflow", "keras-torch"):
        found = cells(Preset.GPU, engines=(engine,))
        assert {cell.device for cell in found} == {Device.GPU}
        assert {cell.variant for cell in found} == {Variant.FLOAT32, Variant.BF16, Variant.FP16}
        assert {cell.batch_norm for cell in found} == {BatchNorm.COMPOSED, BatchNorm.FUSED}
        assert {cell.work for cell in found} == {Work.FORWARD, Work.FORWARD_BACKWARD}


def test_the_gpu_preset_runs_on_a_cpu_where_that_is_asked_for() -> None:
    assert {cell.device for cell in cells(Preset.GPU, devices=(Device.CPU,))} == {Device.CPU}


def test_a_training_frameworks_variants_are_precisions_wherever_it_runs() -> None:
    keras = [cell for cell in cells(Preset.FULL) if engine_entry(cell.engine).kind is EngineKind.KERAS]
    assert {cell.engine for cell in keras} == {"keras-tensorflow", "keras-jax", "keras-torch"}
    for engine in {cell.engine for cell in keras}:
        assert {cell.variant for cell in keras if cell.engine == engine} >= {Variant.FLOAT32, Variant.BF16}


def test_the_full_preset_imports_each_engine_once() -> None:
    imports = Counter(cell.engine for cell in cells(Preset.FULL) if cell.work is Work.IMPORT)
    assert set(imports.values()) == {1}


def test_peers_stand_beside_litert_at_the_same_threads_and_variants() -> None:
    found = cells(Preset.PEERS)
    sets = {
        engine: {(cell.model, cell.variant, cell.threads) for cell in found if cell.engine == engine}
        for engine in ("litert", "onnxruntime", "openvino", "mnn", "ncnn", "opencv", "mediapipe")
    }
    assert {frozenset(each) for each in sets.values()} == {frozenset(sets["litert"])}
    assert len(sets["litert"]) == 12
    assert {cell.engine for cell in found} == set(sets), "executorch can't be measured at all"


@pytest.mark.parametrize(("cores", "threads"), [(1, {1}), (2, {2}), (3, {2}), (64, {4})])
def test_the_zoo_takes_the_cores_that_there_are(cores: int, threads: set[int]) -> None:
    assert {cell.threads for cell in cells(Preset.ZOO, Surroundings(cores=cores))} == threads


@pytest.mark.parametrize("preset", [Preset.QUICK, Preset.FULL])
def test_the_runtime_is_measured_as_a_user_runs_it(preset: Preset) -> None:
    runtime = [cell for cell in cells(preset) if engine_entry(cell.engine).kind is EngineKind.RUNTIME]
    assert {cell.work for cell in runtime if cell.threads is None} == {*RUNTIME_WORKS}
    assert not [cell for cell in runtime if cell.threads is not None and cell.work.is_whole_process]


def test_quick_is_quick() -> None:
    assert {cell.work for cell in cells(Preset.QUICK)} == {Work.FORWARD, *RUNTIME_WORKS}
    assert not [cell for cell in cells(Preset.QUICK) if engine_entry(cell.engine).kind is EngineKind.KERAS]
