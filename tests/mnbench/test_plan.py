"""Plans: presets as axes, options in their place, an order that cancels drift."""

from dataclasses import replace

import pytest

from mnbench.axes import FORMS, Block, ModelOffer, Wishes, cells_of, with_wishes
from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import BatchNorm, Cell, Device, InstructionSet, Variant, Work
from mnbench.job import Budget
from mnbench.machine import read_conditions
from mnbench.plan import Plan, budget_of
from mnbench.presets import ABOUT, Preset, Surroundings, blocks_of
from mnbench.record import Process, Record, Row, Status
from mnbench.record_file import encode_record
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

ALL_LIMITS = (InstructionSet.SSE41, InstructionSet.AVX2, InstructionSet.AVX512)
HERE = Surroundings(cores=2, instruction_sets=ALL_LIMITS)


def plan_of(preset: Preset, around: Surroundings = HERE, wishes: Wishes = Wishes()) -> Plan:  # noqa: B008 -- frozen
    return Plan(cells=cells_of(with_wishes(blocks_of(preset, around), wishes), ()))


@pytest.mark.parametrize("preset", Preset)
def test_every_preset_makes_a_plan_on_any_machine(preset: Preset) -> None:
    assert preset in ABOUT
    for around in (HERE, Surroundings(cores=1), Surroundings(cores=64)):
        plan = plan_of(preset, around)
        assert plan.cells
        assert all(Cell.from_json(cell.to_json()) == cell for cell in plan.cells)


def test_the_table_has_the_rows_of_2017() -> None:
    cells = plan_of(Preset.TABLE).cells
    keras = [cell for cell in cells if engine_entry(cell.engine).kind is EngineKind.KERAS]
    for work in (Work.FORWARD, Work.FORWARD_BACKWARD):
        configurations = {(cell.batch_norm, cell.instruction_set) for cell in keras if cell.work is work}
        assert {
            (BatchNorm.COMPOSED, None),
            (BatchNorm.FUSED, None),
            (BatchNorm.FUSED, InstructionSet.AVX2),
        } <= configurations
    assert any(cell.variant is Variant.INT8 and cell.work is Work.FORWARD for cell in cells)
    assert {cell.variant for cell in cells if cell.engine == "litert"} == set(FORMS)


def test_the_estimates_hold_the_promised_times_on_two_cores() -> None:
    assert plan_of(Preset.TABLE).estimated_s() <= 15 * 60
    assert plan_of(Preset.QUICK).estimated_s() <= 90


def test_limits_of_instruction_sets_only_where_the_cpu_has_them() -> None:
    limited = {cell.instruction_set for cell in plan_of(Preset.TABLE, Surroundings(cores=4)).cells}
    assert limited == {None}


def test_models_threads_variants_and_batches_replace() -> None:
    wishes = Wishes(models=("mine",), threads=(3,), variants=(Variant.INT8,), batches=(2, 4))
    cells = plan_of(Preset.QUICK, wishes=wishes).cells
    assert {cell.model for cell in cells} == {"mine"}
    assert {cell.threads for cell in cells if cell.work is not Work.IMPORT} == {3}
    assert {cell.variant for cell in cells} == {Variant.INT8}
    assert {cell.batch for cell in cells} == {2, 4}


def test_engines_choose_and_one_that_no_block_has_comes_along() -> None:
    cells = plan_of(Preset.QUICK, wishes=Wishes(engines=("litert", "keras-jax", "onnxruntime"))).cells
    assert {cell.engine for cell in cells} == {"litert", "keras-jax", "onnxruntime"}
    assert {cell.work for cell in cells if cell.engine == "keras-jax"} == {Work.FORWARD, Work.FORWARD_BACKWARD}


def test_a_work_that_no_block_has_comes_along() -> None:
    cells = plan_of(Preset.QUICK, wishes=Wishes(works=(Work.IMPORT, Work.FORWARD_BACKWARD))).cells
    assert {cell.work for cell in cells} == {Work.IMPORT, Work.FORWARD_BACKWARD}


def test_an_import_has_no_threads() -> None:
    cells = plan_of(Preset.QUICK, wishes=Wishes(works=(Work.IMPORT,), threads=(1, 2))).cells
    assert [cell.threads for cell in cells] == [None]


def test_an_engine_on_the_gpu_is_measured_on_the_gpu() -> None:
    assert {cell.device for cell in plan_of(Preset.QUICK, wishes=Wishes(engines=("litert-gpu",))).cells} == {Device.GPU}


def test_a_flatbuffer_is_what_it_is() -> None:
    blocks = with_wishes(blocks_of(Preset.TABLE, HERE), Wishes(models=("mine",)))
    offer = ModelOffer(name="mine", variants=frozenset({Variant.INT8}), is_trainable=False)
    cells = cells_of(blocks, (offer,))
    assert {cell.variant for cell in cells} == {Variant.INT8}
    assert not [cell for cell in cells if engine_entry(cell.engine).kind is EngineKind.KERAS]


def test_impossible_cells_are_left_out_of_a_block() -> None:
    block = Block(models=("m",), engines=("keras-jax", "litert"), variants=(Variant.INT8, Variant.BF16))
    assert {(cell.engine, cell.variant) for cell in block.cells()} == {
        ("keras-jax", Variant.BF16),
        ("litert", Variant.INT8),
    }


def test_every_other_round_runs_backwards() -> None:
    plan = plan_of(Preset.QUICK)
    assert plan.order(0) == plan.cells
    assert plan.order(1) == plan.cells[::-1]


def test_the_digest_is_of_what_is_measured() -> None:
    plan = plan_of(Preset.QUICK)
    assert plan.digest == replace(plan).digest
    assert len({plan.digest, replace(plan, rounds=6).digest, replace(plan, cells=plan.cells[1:]).digest}) == 3


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"pace": 0.0}, {"pace": float("nan")}])
def test_senseless_plans(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="none"):
        Plan(cells=(), **wrong)  # type: ignore[arg-type]


def test_a_cell_twice_is_no_plan() -> None:
    cell = Cell(work=Work.FORWARD, model="m", engine="litert")
    with pytest.raises(ValueError, match="twice"):
        Plan(cells=(cell, cell))


def test_keys_tell_all_cells_apart() -> None:
    for preset in Preset:
        keys = [cell.key for cell in plan_of(preset).cells]
        assert len(set(keys)) == len(keys)


def test_whole_processes_are_not_warmed() -> None:
    cold = Cell(work=Work.COLD_START, model="m", engine="mninfer")
    assert budget_of(cold).warm_up_seconds == 0
    assert budget_of(replace(cold, work=Work.PHOTO_TO_LABEL), 2.0).seconds == 1.6


@pytest.mark.parametrize(("pace", "warm_up_s", "sampling_s"), [(1.0, 0.1, 0.2), (0.05, 0.005, 0.01)])
def test_however_short_its_runs_a_process_takes_a_least_time(pace: float, warm_up_s: float, sampling_s: float) -> None:
    for engine in ("litert", "keras-jax", "openvino"):
        budget = budget_of(Cell(work=Work.FORWARD, model="m", engine=engine), pace)
        assert (budget.least_warm_up_seconds, budget.least_seconds) == pytest.approx((warm_up_s, sampling_s))
        assert Budget.from_json(budget.to_json()) == budget


@pytest.mark.parametrize("pace", [1.0, 4.0, 100.0])
@pytest.mark.parametrize("work", [Work.FORWARD, Work.PHOTO_TO_LABEL])
def test_a_record_of_the_shortest_runs_is_not_larger_than_estimated(work: Work, pace: float) -> None:
    """So that a plan which nobody could read in the end is refused before anything is measured."""
    engine = "mninfer" if work is Work.PHOTO_TO_LABEL else "litert"
    plan = Plan(cells=(Cell(work=work, model="mobilenet_v1_1.0_224", engine=engine),), rounds=10, pace=pace)
    budget = budget_of(plan.cells[0], pace)
    times = (round(1e9 * budget.seconds / budget.most_samples),) * budget.most_samples
    state = read_conditions()
    process = Process(
        round=0,
        samples_ns=times,
        warm_up_ns=times,
        parts_ns=dict.fromkeys(("decode", "preprocess", "invoke", "postprocess"), times) if engine == "mninfer" else {},
        facts={"version": "2.1.6", "coverage": {"num_operators": 31, "num_delegated": 31, "delegate": "XNNPACK"}},
        conditions={"before": state, "after": state, "sampled_ns": 10**10, "peak_bytes": 10**9},
    )
    row = Row(cell=plan.cells[0], status=Status.MEASURED, processes=(process,) * plan.rounds)
    size = len(encode_record(Record(device="d", command="mnbench run", plan=plan.digest, rows=(row,))))
    assert size <= plan.estimated_bytes <= 2 * size


def test_an_unknown_engine_is_named_with_near_ones() -> None:
    with pytest.raises(InputError, match="onnxruntme") as caught:
        engine_entry("onnxruntme")
    assert "onnxruntime" in str(caught.value)
