"""What ``benchmark_model`` prints in its several ages, as text: the formats are its own, the figures ours.

As seen in public: tensorflow/tensorflow issues 42507 (2.3, an operator table with "[start]"), 56301 (out of logcat),
53138 (the GPU delegate's single line), 73862 (2.17, "INFO: "); yuenshome/yuenshome.github.io issue 77 (1.x); the board
manuals of TI's AM62x (percentiles and the median; XNNPACK's "Explicitly applied"); benchmark_model.cc itself.
"""

__all__ = ["OPERATORS", "benchmark_log", "logcat", "old_log", "operator_tables", "two_columns_less"]

OPERATORS = (
    ("CONV_2D", 1.5, 1, "[net/conv_0/Relu6]:0"),
    ("DEPTHWISE_CONV_2D", 0.25, 1, "[net/depthwise_1/Relu6]:1"),
    ("Convolution (NHWC, QC8) GEMM", 0.125, 4, "Delegate/Convolution (NHWC, QC8) GEMM:2"),
    ("TfLiteXNNPackDelegate", 2.0, 1, "[net/softmax]:31"),
)


def benchmark_log(
    *,
    graph: str = "/data/local/tmp/mobilenet_v1_1.0_224_int8.tflite",
    threads: int | None = 4,
    median_us: float | None = None,
    average_us: float = 13520.2,
    settings: tuple[str, ...] = (),
    said: tuple[str, ...] = (),
    prefix: str = "INFO: ",
    tables: str = "",
) -> str:
    """From TensorFlow 2 on; newer ones have the prefix, the newest the median."""
    threads_lines = [] if threads is None else [f"Num threads: [{threads}]"]
    middle = "" if median_us is None else f" p5=13105 median={median_us:g} p95=15765"
    inference = f"Inference (avg): {average_us:g}"
    lines = [
        "STARTING!",
        "Log parameter values verbosely: [0]",
        *threads_lines,
        f"Graph: [{graph}]",
        *settings,
        f"Loaded model {graph}",
        *said,
        "The input model file size (MB): 4.27656",
        "Initialized session in 12.75ms.",
        "Running benchmark for at least 1 iterations and at least 0.5 seconds but terminate if exceeding 150 seconds.",
        "count=37 first=14744 curr=15520 min=13164 max=18295 avg=13764.3 std=967",
        "Running benchmark for at least 50 iterations and at least 1 seconds but terminate if exceeding 150 seconds.",
        f"count=74 first=14850 curr=13315 min=13105 max=15765 avg={average_us:g} std=470{middle}",
        f"Inference timings in us: Init: 12750, First inference: 14744, Warmup (avg): 13764.3, {inference}",
        "Note: as the benchmark tool itself affects memory footprint, the following is only APPROXIMATE",
        "Memory footprint delta from the start of the tool (MB): init=22 overall=34.5",
    ]
    return "".join(f"{prefix}{line}\n" for line in lines) + tables


def old_log(*, graph: str = "/data/local/tmp/tflite/mobilenet_v1_1.0_224_int8.tflite", threads: int = 2) -> str:
    """TensorFlow 1.x: no size, no first inference, and "no stats"."""
    return f"""STARTING!
Min num runs: [10]
Inter-run delay (seconds): [-1]
Num threads: [{threads}]
Min warmup runs: [4]
Graph: [{graph}]
Input layers: []
Use nnapi : [0]
nnapi error: unable to open library libneuralnetworks.so
Loaded model {graph}
resolved reporter
Initialized session in 9.933ms
Running benchmark for at least 4 iterations and at least 0.5 seconds
count=7 first=127425 curr=66709 min=66709 max=127425 avg=76605.9 std=20944

Running benchmark for at least 10 iterations and at least 1 seconds
count=15 first=66753 curr=66800 min=66699 max=66838 avg=66767.6 std=39

Average inference timings in us: Warmup: 76605.9, Init: 9933, no stats: 66767.6
"""


def operator_tables(*, gap: str = "\t") -> str:
    """The tables of --enable_op_profiling=true: of the initialization first, then of the runs."""
    head = ("[node type]", "[start]", "[first]", "[avg ms]", "[%]", "[cdf%]", "[mem KB]", "[times called]", "[Name]")
    init = _table("Run Order", head, [("AllocateTensors", 1.356, 1, "AllocateTensors/0")], gap)
    runs = _table("Run Order", head, OPERATORS, gap)
    top = _table("Top by Computation Time", head, OPERATORS[:2], gap)
    counts = "Number of nodes executed: 4\n"
    timings = "Timings (microseconds): count=74 first=13000 curr=13315 min=13105 max=15765 avg=13500 std=470\n"
    return (
        f"Profiling Info for Benchmark Initialization:\n{init}\n{timings}Memory (bytes): count=0\n\n\n"
        f"Operator-wise Profiling Info for Regular Benchmark Runs:\n{runs}\n{top}\n{counts}{timings}"
        "Memory (bytes): count=0\n4 nodes observed\n"
    )


def two_columns_less(tables: str) -> str:
    """As newer ones print them: without "[start]", and (where a terminal has eaten the tabs) with spaces for them."""
    lines = []
    for line in tables.splitlines():
        columns = line.split("\t")
        if len(columns) > 5:
            del columns[2]
        lines.append("    ".join(columns))
    return "\n".join(lines) + "\n"


def logcat(text: str) -> str:
    """As ``adb logcat`` shows it."""
    return "".join(f"05-30 13:04:39.021 25935 25935 I tflite  : {line}\n" for line in text.splitlines())


def _table(title: str, head: tuple[str, ...], rows: object, gap: str) -> str:
    lines = [f"============================== {title} ==============================", _row(head, gap)]
    start = 0.0
    assert isinstance(rows, list | tuple)
    for kind, avg_ms, calls, name in rows:
        values = (f"{start:.3f}", f"{avg_ms:.3f}", f"{avg_ms:.3f}", "1.000%", "2.000%", "0.000", str(calls), name)
        lines.append(_row((kind, *values), gap))
        start += avg_ms * calls
    return "\n".join(lines) + "\n"


def _row(values: tuple[str, ...], gap: str) -> str:
    kind, *middle, name = values
    return gap.join(["", f"{kind:>24}", *(f"{value:>9}" for value in middle), name])
