"""Runs of benchmark_model as rows: what is one row, what is doubted, what has no row."""

import pytest

from mnbench.cell import Device, Variant
from mnbench.interop.benchmark_model import read_benchmark_model
from mnbench.interop.log_rows import rows_of_logs
from mnbench.profiling.profile import Profile
from mnbench.record import Row
from mninfer.errors import InputError
from support.benchmark_logs import benchmark_log, operator_tables

pytestmark = pytest.mark.smoke


def rows_of(*texts: str) -> tuple[Row, ...]:
    logs = [log for text in texts for log in read_benchmark_model(text)]
    return rows_of_logs([(log, "m", Variant.INT8) for log in logs])


def test_what_was_measured_alike_is_one_row() -> None:
    rows = rows_of(benchmark_log(threads=4, average_us=10), benchmark_log(threads=1), benchmark_log(threads=4))
    assert [(row.cell.threads, len(row.processes)) for row in rows] == [(4, 2), (1, 1)]
    assert [process.round for process in rows[0].processes] == [0, 1]
    assert rows[0].processes[0].samples_ns == (10_000,)


def test_a_process_says_what_its_sample_is() -> None:
    (row,) = rows_of(benchmark_log(median_us=13400))
    facts = row.processes[0].facts
    assert row.processes[0].samples_ns == (13_400_000,)
    assert row.processes[0].open_ns == 12_750_000
    assert row.processes[0].warm_up_ns == (14_744_000,)
    assert facts["statistic"] == "median"
    assert facts["mean_us"] == 13520.2
    assert facts["num_runs"] == 74
    assert facts["memory_added_bytes"] == round(34.5 * 2**20)
    assert row.size_bytes == 4_276_560
    assert rows_of(benchmark_log())[0].processes[0].facts["statistic"] == "mean"


def test_too_few_processes_are_doubted_and_five_are_not() -> None:
    codes = [[doubt.code for doubt in rows_of(*[benchmark_log()] * count)[0].doubts] for count in (4, 5)]
    assert codes == [["summary-only", "too-short"], ["summary-only"]]


def test_a_gpu_that_was_asked_for_and_took_nothing_is_the_cpu() -> None:
    for said in (
        (),
        ("Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.",),
    ):
        (row,) = rows_of(benchmark_log(settings=("Use gpu: [1]",), said=said))
        assert row.cell.device is Device.CPU
        assert row.doubts[0].code == "delegate-refused"
        assert "GPU" in row.doubts[0].text


def test_a_gpu_that_computed_is_a_gpu() -> None:
    said = "Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate."
    (row,) = rows_of(benchmark_log(settings=("Use gpu: [1]",), said=(said,)))
    assert row.cell.device is Device.GPU
    assert "delegate-refused" not in [doubt.code for doubt in row.doubts]


def test_plain_kernels_are_another_row() -> None:
    (row,) = rows_of(benchmark_log(settings=("Use xnnpack: [0]",)))
    assert not row.cell.use_xnnpack


@pytest.mark.parametrize(
    "setting", ["Use NNAPI: [1]", "Use nnapi : [1]", "Use Hexagon: [1]", "External delegate path: [x.so]"]
)
def test_delegates_without_a_row_are_told(setting: str) -> None:
    with pytest.raises(InputError, match="which mnbench has no row for"):
        rows_of(benchmark_log(settings=(setting,)))


def test_switches_that_are_off_are_off() -> None:
    assert rows_of(benchmark_log(settings=("Use NNAPI: [0]", "Use gpu: [0]", "External delegate path: []")))


def test_coverage_and_operators_are_kept() -> None:
    said = (
        "Created TensorFlow Lite XNNPACK delegate for CPU.",
        "Replacing 29 out of 31 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions.",
    )
    (row,) = rows_of(benchmark_log(said=said, tables=operator_tables()))
    facts = row.processes[0].facts
    assert facts["coverage"] == {"num_operators": 31, "num_delegated": 29, "delegate": "XNNPACK"}
    profile = Profile.from_json(facts["profile"])
    assert [(each.name, each.median_ns) for each in profile.operators] == [
        ("CONV_2D", 1_500_000),
        ("DEPTHWISE_CONV_2D", 250_000),
        ("Convolution (NHWC, QC8) GEMM", 500_000),
        ("TfLiteXNNPackDelegate", 2_000_000),
    ]
    assert profile.whole_ns == 13_520_200


def test_two_models_of_one_name_are_not_one_row() -> None:
    other = benchmark_log().replace("4.27656", "1.9")
    with pytest.raises(InputError, match="are of models of 1,900,000 and of 4,276,560 bytes"):
        rows_of(benchmark_log(), other)
    (row,) = rows_of(benchmark_log(), "\n".join(line for line in other.splitlines() if "file size" not in line))
    assert (len(row.processes), row.size_bytes) == (2, 4_276_560)
