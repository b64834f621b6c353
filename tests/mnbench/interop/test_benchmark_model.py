"""What benchmark_model prints in each of its ages, and what is no such thing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.interop.benchmark_model import Timings, read_benchmark_model
from mninfer.errors import InputError
from support.benchmark_logs import OPERATORS, benchmark_log, logcat, old_log, operator_tables, two_columns_less

pytestmark = pytest.mark.smoke


def test_a_log_of_today() -> None:
    (log,) = read_benchmark_model(benchmark_log(median_us=13400))
    assert log.graph == "/data/local/tmp/mobilenet_v1_1.0_224_int8.tflite"
    assert log.threads == 4
    assert log.inference == Timings(
        count=74, avg_us=13520.2, first_us=14850, min_us=13105, max_us=15765, std_us=470, median_us=13400
    )
    assert log.inference.typical_us == 13400
    assert log.warm_up is not None
    assert (log.warm_up.count, log.warm_up.first_us) == (37, 14744)
    assert log.init_us == 12750
    assert log.size_mb == 4.27656
    assert log.memory_mb == 34.5
    assert log.peak_mb is None
    assert log.operators == ()


def test_without_a_median_the_mean_is_typical() -> None:
    (log,) = read_benchmark_model(benchmark_log(prefix=""))
    assert log.inference.median_us is None
    assert log.inference.typical_us == 13520.2


def test_a_log_of_tensorflow_1() -> None:
    (log,) = read_benchmark_model(old_log())
    assert log.inference == Timings(
        count=15, avg_us=66767.6, first_us=66753, min_us=66699, max_us=66838, std_us=39, median_us=None
    )
    assert log.warm_up is not None
    assert log.warm_up.count == 7
    assert log.init_us == 9933
    assert log.threads == 2
    assert log.size_mb is None


@pytest.mark.parametrize(
    "changed",
    [
        logcat,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
        lambda text: f"$ ./benchmark_model --graph=x\nwelcome\n{text}$ exit\n",
        lambda text: text.replace("INFO: ", "I tflite  : "),
    ],
)
@pytest.mark.parametrize("tables", ["", operator_tables()])
def test_whatever_a_log_has_passed_through_it_says_the_same(changed, tables: str) -> None:
    text = benchmark_log(median_us=13400, tables=tables)
    assert read_benchmark_model(changed(text)) == read_benchmark_model(text)


def test_the_lines_that_people_paste_are_enough() -> None:
    text = "Inference timings in us: Init: 2491, First inference: 183222, Warmup (avg): 170631, Inference (avg): 163455"
    (log,) = read_benchmark_model(text)
    assert log.inference == Timings(count=0, avg_us=163455)
    assert log.threads is None
    assert log.graph == ""


def test_large_times_are_written_with_an_exponent() -> None:
    (log,) = read_benchmark_model(benchmark_log(average_us=2950340))
    assert log.inference.avg_us == pytest.approx(2950340, rel=1e-5)


def test_a_single_run_has_one_figure() -> None:
    text = (
        "count=1 curr=905463 p5=905463 median=905463 p95=905463\ncount=1 curr=840\n"
        "Inference timings in us: Init: 614333, First inference: 905463, Warmup (avg): 905463, Inference (avg): 840\n"
    )
    (log,) = read_benchmark_model(text)
    assert log.inference == Timings(count=1, avg_us=840, first_us=840, min_us=840, max_us=840)


def test_several_runs_in_a_file_are_several() -> None:
    text = benchmark_log(threads=1, average_us=20000) + benchmark_log(threads=4, average_us=10000) + old_log(threads=2)
    logs = read_benchmark_model(text)
    assert [(log.threads, log.inference.avg_us) for log in logs] == [(1, 20000), (4, 10000), (2, 66767.6)]


def test_runs_without_their_beginnings_are_several_too() -> None:
    line = "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): {}\n"
    assert [log.inference.avg_us for log in read_benchmark_model(line.format(4) + line.format(5))] == [4, 5]


def test_a_run_that_did_not_end_is_left_out() -> None:
    whole = benchmark_log()
    cut = whole[: whole.index("Inference timings")]
    assert len(read_benchmark_model(cut + whole)) == 1
    with pytest.raises(InputError, match="no line with inference timings"):
        read_benchmark_model(cut)


@pytest.mark.parametrize(
    ("said", "delegates", "refused"),
    [
        (("Created TensorFlow Lite XNNPACK delegate for CPU.",), ("XNNPACK",), ()),
        (
            (
                "Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.",
                "Created TensorFlow Lite delegate for GPU.",
            ),
            ("GPU",),
            (),
        ),
        (
            ("Applied GPU delegate, and the model graph will be partially executed by the delegate w/ 2 kernels.",),
            ("GPU",),
            (),
        ),
        (
            ("Though GPU delegate is explicitly applied, the model graph will not be executed by the delegate.",),
            (),
            ("GPU",),
        ),
    ],
)
def test_delegates(said: tuple[str, ...], delegates: tuple[str, ...], refused: tuple[str, ...]) -> None:
    (log,) = read_benchmark_model(benchmark_log(said=said))
    assert log.delegates == delegates
    assert log.refused == refused


def test_how_much_a_delegate_took() -> None:
    line = "Replacing 29 out of 31 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions."
    (log,) = read_benchmark_model(benchmark_log(said=(line,)))
    assert log.replaced == (29, 31)


def test_a_number_of_operators_with_too_many_digits_is_none() -> None:
    line = (
        f"Replacing {'9' * 5000} out of 31 node(s) with delegate (TfLiteXNNPackDelegate) node, yielding 2 partitions."
    )
    (log,) = read_benchmark_model(benchmark_log(said=(line,)))
    assert log.replaced is None


def test_operators_that_take_longer_than_any_are_none() -> None:
    tables = operator_tables().replace(f"{OPERATORS[0][1]:.3f}", "1e300")
    (log,) = read_benchmark_model(benchmark_log(tables=tables))
    assert all(line.run_ns < 10**16 for line in log.operators)


def test_peak_memory() -> None:
    line = "INFO: Overall peak memory footprint (MB) via periodic monitoring: 71.25\n"
    (log,) = read_benchmark_model(benchmark_log() + line)
    assert log.peak_mb == 71.25


@pytest.mark.parametrize(
    "tables", [operator_tables(), operator_tables(gap="    "), two_columns_less(operator_tables())]
)
def test_operators(tables: str) -> None:
    (log,) = read_benchmark_model(benchmark_log(tables=tables))
    assert [(line.kind, line.avg_ms, line.calls) for line in log.operators] == [row[:3] for row in OPERATORS]
    assert [line.name for line in log.operators[:2]] == ["net/conv_0/Relu6", "net/depthwise_1/Relu6"]
    assert [line.is_delegated for line in log.operators] == [False, False, True, True]
    assert log.operators[2].run_ns == 500_000
    assert log.inference.avg_us == 13520.2, "the tables' own count line is not the runs'"


def test_only_the_initialization_was_profiled() -> None:
    tables = operator_tables()
    (log,) = read_benchmark_model(benchmark_log(tables=tables[: tables.index("Operator-wise")]))
    assert log.operators == ()


@pytest.mark.parametrize(
    "line",
    [
        "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 0",
        "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): -4",
        "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): nan",
        "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 1e999",
        "Inference timings in us: Init: -5, First inference: 2, Warmup (avg): 3, Inference (avg): 4",
        "Inference timings in us: Init: 1, First inference: 2, Warmup (avg): 3, Inference (avg): 1e306",
        "count=9 median=0 avg=3\nInference timings in us: Init: 1, Warmup (avg): 3, Inference (avg): 5",
        "The input model file size (MB): -3\nInference timings in us: Init: 1, Warmup (avg): 3, Inference (avg): 5",
        "count=9 first=x avg=0 std=1\nInference timings in us: Init: 1, Warmup (avg): 3, Inference (avg): 5",
    ],
)
def test_times_that_are_none(line: str) -> None:
    with pytest.raises(InputError):
        read_benchmark_model(line)


_WORDS = st.sampled_from(
    [
        *benchmark_log(median_us=5).splitlines(),
        *old_log().splitlines(),
        *operator_tables().splitlines(),
        "count=3",
        "",
        "[",
        "\x00",
    ]
)


@given(st.lists(_WORDS | st.text(max_size=40), max_size=40).map("\n".join))
def test_whatever_is_fed_in_it_is_read_or_refused(text: str) -> None:
    try:
        logs = read_benchmark_model(text)
    except InputError:
        return
    assert logs
    assert all(log.inference.typical_us > 0 for log in logs)


@pytest.mark.parametrize(
    "line",
    [
        "nference timings in us: " * 10_000,
        "count=1 avg=5 " + "a" * 100_000,
        "Memory footprint " * 20_000,
        "Inference timings in us: Init: 1, " + "Inference" * 20_000,
    ],
)
def test_a_line_that_is_all_of_a_file_takes_no_more_time_than_others(line: str) -> None:
    first, *others = benchmark_log().splitlines()
    begin = time.perf_counter()
    read_benchmark_model("\n".join([first, line, *others, line]))
    assert time.perf_counter() - begin < 2.0
