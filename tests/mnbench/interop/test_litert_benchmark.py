"""litert-benchmark's JSON: read as it is written, and written so that it is read as what it was."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench import record as records
from mnbench.cell import Cell, Device, Variant, Work
from mnbench.interop.litert_benchmark import (
    is_litert_result,
    litert_result,
    read_litert_result,
    rows_of_litert_results,
)
from mnbench.record import Process, Record, Row, Status
from mninfer.errors import InputError
from support.network import float_model, initial_network

pytestmark = pytest.mark.smoke

# The keys and their order are those of ai_edge_litert/tools/benchmark_litert_model.py, 2.1.
RESULT: dict[str, Any] = {
    "model": "/home/pi/mobilenet_v1_1.0_224_int8.tflite",
    "model_size_mb": 4.28,
    "accelerators": ["CPU"],
    "signature": "serving_default",
    "fully_accelerated": True,
    "num_threads": 2,
    "latency": {
        "init_ms": 10.85,
        "warmup_first_ms": 5.13,
        "warmup_avg_ms": 4.44,
        "num_warmup_runs": 5,
        "avg_ms": 4.21,
        "min_ms": 4.11,
        "max_ms": 4.91,
        "median_ms": 4.19,
        "std_ms": 0.1,
        "p5_ms": 4.12,
        "p95_ms": 4.4,
        "num_runs": 30,
    },
    "throughput_mb_s": 136.4,
}


def with_latency(**changes: object) -> dict[str, Any]:
    return {**RESULT, "latency": {**RESULT["latency"], **changes}}


def rows_of(*values: dict[str, Any], variant: Variant = Variant.INT8) -> tuple[Row, ...]:
    return rows_of_litert_results([read_litert_result(value) for value in values], "m", variant)


def record_of(row: Row, *models: records.MeasuredModel) -> Record:
    return Record(device="d", command="", plan="", rows=(row,), models=models)


def measured(*samples_ns: tuple[int, ...], **facts: object) -> Row:
    cell = Cell(work=Work.FORWARD, model="m", engine="litert", variant=Variant.INT8, threads=2)
    processes = tuple(
        Process(round=i, samples_ns=taken, warm_up_ns=(9_000_000, 6_000_000), open_ns=3_000_000, facts=facts)
        for i, taken in enumerate(samples_ns)
    )
    return Row(cell=cell, status=Status.MEASURED, processes=processes, size_bytes=3 << 20)


def test_a_result_is_read() -> None:
    assert is_litert_result(RESULT)
    (row,) = rows_of(RESULT)
    assert row.cell.key == "m/forward/litert/int8/t2"
    assert row.size_bytes == round(4.28 * 2**20)
    (process,) = row.processes
    assert process.samples_ns == (4_190_000,)
    assert process.warm_up_ns == (5_130_000,)
    assert process.open_ns == 10_850_000
    assert process.facts["num_runs"] == 30
    assert [doubt.code for doubt in row.doubts] == ["summary-only", "too-short"]


def test_five_results_make_a_row_that_is_not_too_short() -> None:
    (row,) = rows_of(*[RESULT] * 5)
    assert [doubt.code for doubt in row.doubts] == ["summary-only"]


def test_threads_and_accelerators_make_rows() -> None:
    gpu = {**RESULT, "accelerators": ["GPU", "CPU"]}
    rows = rows_of(RESULT, {**RESULT, "num_threads": 4}, gpu, RESULT)
    assert [(row.cell.engine, row.cell.device, row.cell.threads, len(row.processes)) for row in rows] == [
        ("litert", Device.CPU, 2, 2),
        ("litert", Device.CPU, 4, 1),
        ("litert-gpu", Device.GPU, 2, 1),
    ]


def test_what_is_lost_in_two_digits_is_a_doubt() -> None:
    (row,) = rows_of(with_latency(median_ms=0.05))
    assert row.doubts[0].code == "rounded"
    assert "0.05 ms" in row.doubts[0].text


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({**RESULT, "accelerators": ["NPU"]}, "NPU"),
        ({**RESULT, "accelerators": "CPU"}, '"accelerators"'),
        (with_latency(init_ms=-1), '"init_ms" is -1, not a time'),
        (with_latency(warmup_first_ms=1e300), 'warmup_first_ms" is not a finite number'),
        (with_latency(warmup_first_ms=1e15), '"warmup_first_ms"'),
        (with_latency(max_ms=1e15), '"max_ms" is 1000000000000000.0, not a time'),
        (with_latency(median_ms=1e-9), "not a time above 0"),
        ({**RESULT, "model_size_mb": 1e17}, '"model_size_mb" is 1e+17, not a size'),
        ({**RESULT, "model_size_mb": -1}, '"model_size_mb" is -1, not a size'),
        ({**RESULT, "num_threads": 0}, '"num_threads" is 0, not 1 or more'),
        ({**RESULT, "num_threads": True}, '"num_threads"'),
        ({**RESULT, "model": 3}, '"model"'),
        ({**RESULT, "latency": []}, '"latency"'),
        (with_latency(median_ms=0), "not a time above 0"),
        (with_latency(median_ms="4"), "not a finite number"),
        (with_latency(num_runs=-1), '"num_runs"'),
        ({name: value for name, value in RESULT.items() if name != "signature"}, 'has no "signature"'),
    ],
)
def test_a_result_that_is_none(value: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError) as caught:
        rows_of(value)
    assert what in str(caught.value)


def test_a_row_is_written_as_the_program_writes_it() -> None:
    model = records.MeasuredModel(name="m", title="m", weights="random", input_shape=(1, 224, 224, 3))
    row = measured((4_000_000, 5_000_000), (6_000_000, 9_000_000), coverage={"num_operators": 3, "num_delegated": 3})
    result = litert_result(record_of(row, model), row)
    assert list(result) == list(RESULT)
    assert list(result["latency"]) == list(RESULT["latency"])
    assert result["model"] == "m_int8.tflite"
    assert result["model_size_mb"] == 3.0
    assert result["accelerators"] == ["CPU"]
    assert result["fully_accelerated"] is True
    assert result["latency"] == {
        "init_ms": 3.0,
        "warmup_first_ms": 9.0,
        "warmup_avg_ms": 7.5,
        "num_warmup_runs": 4,
        "avg_ms": 6.0,
        "min_ms": 4.0,
        "max_ms": 9.0,
        "median_ms": 5.5,
        "std_ms": 2.1602,
        "p5_ms": 4.15,
        "p95_ms": 8.55,
        "num_runs": 4,
    }
    assert result["throughput_mb_s"] == pytest.approx(4 * 224 * 224 * 3 / 2**20 / 0.006, abs=0.01)


def test_what_a_record_does_not_know_is_null() -> None:
    row = measured((4_000_000,))
    result = litert_result(record_of(row), row)
    assert result["fully_accelerated"] is None
    assert result["throughput_mb_s"] is None
    assert result["latency"]["std_ms"] == 0.0


@pytest.mark.parametrize(
    ("delegated", "operators", "told"),
    [(3, 3, True), (2, 3, False), (None, 3, None), (None, None, None), (3, "3", None)],
)
def test_what_an_engine_does_not_tell_of_its_delegates_is_null(
    delegated: object, operators: object, told: bool | None
) -> None:
    row = measured((4_000_000,), coverage={"num_operators": operators, "num_delegated": delegated})
    assert litert_result(record_of(row), row)["fully_accelerated"] is told


def test_a_row_without_samples_is_no_result() -> None:
    row = Row(cell=measured((1,)).cell, status=Status.FAILED, reason="it crashed")
    with pytest.raises(InputError, match="is failed: it crashed"):
        litert_result(record_of(row), row)


@given(st.lists(st.lists(st.integers(10**6, 10**9), min_size=1, max_size=6).map(tuple), min_size=1, max_size=5))
def test_what_is_written_is_read_as_what_it_was(samples: list[tuple[int, ...]]) -> None:
    row = measured(*samples, is_fully_accelerated=True, signature="serving_default")
    result = json.loads(json.dumps(litert_result(record_of(row), row)))
    (back,) = rows_of(result)
    assert back.cell == row.cell
    assert back.processes[0].facts["num_runs"] == sum(map(len, samples))
    assert litert_result(record_of(back), back)["latency"]["median_ms"] == result["latency"]["median_ms"]


@pytest.mark.slow
def test_the_program_itself_writes_what_is_read(tmp_path: Path) -> None:
    program = shutil.which("litert-benchmark", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("this environment has no litert-benchmark (ai-edge-litert 2.1 and later)")
    model, result = tmp_path / "net_float32.tflite", tmp_path / "result.json"
    model.write_bytes(float_model(initial_network([(16, 2), (32, 2)], 10, seed=0), (96, 96)))
    words = [program, f"--model={model}", "--num_threads=2", "--num_runs=20", f"--result_json={result}"]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    value = json.loads(result.read_text())
    assert is_litert_result(value)
    assert list(value) == list(RESULT)
    assert list(value["latency"]) == list(RESULT["latency"])
    (row,) = rows_of(value, variant=Variant.FLOAT32)
    assert row.cell.threads == 2
    assert row.processes[0].facts["num_runs"] == 20
