"""One fresh process of tools/check_mnbench.py; it answers on its last line of stdout, as JSON.

usage: python tools/check_mnbench_worker.py overhead|slowed|litert-benchmark JOB.json ARGUMENT

``overhead ROUNDS``: medians of the harness and of a bare loop over the same interpreter, in turn.
``slowed SHARE``: what mnbench's worker measures of the job, each run followed by waiting for that share of it.
``litert-benchmark RUNS``: the median that LiteRT's own program finds for the job's file.
"""

import contextlib
import io
import json
import runpy
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter_ns
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if find_spec("mnbench") is None:  # not installed: the checkout's own
    sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from mnbench import worker
from mnbench.job import Job
from mnbench.pinning import pin_to_fastest
from mnbench.sampling import sample
from mnbench.workloads.flatbuffer import FlatbufferWorkload, open_workload
from mnbench.workloads.protocol import Workload

RUNS_OF_A_BLOCK = 12


class Slowed:
    """A workload each of whose runs takes longer by ``share``, by waiting without sleeping."""

    def __init__(self, workload: Workload, share: float) -> None:
        self._workload = workload
        self._share = share
        self.parts_ns, self.outputs = workload.parts_ns, workload.outputs
        self.facts, self.close = workload.facts, workload.close

    def run(self) -> None:
        begin = perf_counter_ns()
        self._workload.run()
        end = perf_counter_ns()
        until = end + (end - begin) * self._share
        while perf_counter_ns() < until:
            pass


def bare_interpreter(workload: FlatbufferWorkload) -> Any:
    """LiteRT's own Interpreter, below the engine and the workload."""
    return workload._engine._interpreter  # type: ignore[attr-defined]


def bare_median_ns(invoke: Callable[[], None]) -> float:
    """What somebody measures who writes the loop by hand."""
    times = []
    for _ in range(RUNS_OF_A_BLOCK):
        begin = perf_counter_ns()
        invoke()
        times.append(perf_counter_ns() - begin)
    return statistics.median(times)


def overhead(job: Job, rounds: int) -> dict[str, list[float]]:
    """Both medians of each round, in nanoseconds; the order changes from round to round."""
    pin_to_fastest(job.cell.threads)
    workload = open_workload(job)
    invoke = bare_interpreter(workload).invoke
    block = replace(job.budget, least_samples=RUNS_OF_A_BLOCK, most_samples=RUNS_OF_A_BLOCK, warm_up_seconds=0.0)
    ways: dict[str, Callable[[], float]] = {
        "harness": lambda: statistics.median(sample(workload.run, block, parts_of=workload.parts_ns).samples_ns),
        "bare": lambda: bare_median_ns(invoke),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    sample(workload.run, job.budget)  # warm
    for number in range(rounds):
        for name in sorted(ways, reverse=bool(number % 2)):
            found[name].append(ways[name]())
    workload.close()
    return found


def slowed(job: Job, share: float) -> dict[str, Any]:
    """The process as a record holds it."""
    opened = worker.open_workload
    worker.open_workload = lambda job: Slowed(opened(job), share)
    return worker.measure(job).to_json()


def litert_benchmark(job: Job, runs: int) -> float:
    """Milliseconds, by the program that comes with LiteRT, on the cores that mnbench would take."""
    pin_to_fastest(job.cell.threads)
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        sys.argv = ["litert-benchmark", "--model", str(job.file), "--num_threads", str(job.cell.threads)]
        sys.argv += ["--num_runs", str(runs), "--warmup_runs", "20", "--result_json", str(result)]
        with contextlib.redirect_stdout(io.StringIO()):
            runpy.run_module("ai_edge_litert.tools.benchmark_litert_model", run_name="__main__")
        return float(json.loads(result.read_text())["latency"]["median_ms"])


def main() -> int:
    kind, job_path, argument = sys.argv[1:]
    job = Job.from_json(json.loads(Path(job_path).read_text()))
    answers: dict[str, Callable[[], object]] = {
        "overhead": lambda: overhead(job, int(argument)),
        "slowed": lambda: slowed(job, float(argument)),
        "litert-benchmark": lambda: litert_benchmark(job, int(argument)),
    }
    print(json.dumps(answers[kind]()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
