"""How long one picture takes in each of several files on this machine, run in turns so that all meet the same load."""

from collections.abc import Mapping
from contextlib import ExitStack
from statistics import median
from time import perf_counter_ns

import numpy as np

from mninfer.engines import open_engine
from mninfer.engines.protocol import Engine
from mninfer.errors import EngineError, UnsupportedModelError

__all__ = ["measure_latencies"]

_WARM_UP, _LEAST_RUNS, _MOST_RUNS = 2, 5, 200
_BUDGET_S = 6.0  # for all files together


def measure_latencies(files: Mapping[str, bytes], *, threads: int = 1, budget_s: float = _BUDGET_S) -> dict[str, float]:
    """Milliseconds to a run, the median of as many rounds as ``budget_s`` allows; a file that no engine runs is absent.

    The first rounds don't count. A slow file that has used up its share of the time sits out, so that the others still
    get many. The input is a tensor of zeros: the time of a convolution doesn't depend on it.
    """
    with ExitStack() as stack:
        engines = {}
        for name, data in files.items():
            try:
                engines[name] = open_engine(data, threads=threads)
            except (EngineError, UnsupportedModelError):
                continue
            stack.callback(engines[name].close)
        return _medians(engines, budget_s)


def _medians(engines: Mapping[str, Engine], budget_s: float) -> dict[str, float]:
    runs = {name: _Run(engine) for name, engine in engines.items()}
    share_ns = budget_s * 1e9 / max(1, len(runs))
    for _ in range(_MOST_RUNS + _WARM_UP):
        waiting = [run for run in runs.values() if len(run.taken_ns) < _WARM_UP + _LEAST_RUNS or run.sum_ns < share_ns]
        if not waiting:
            break
        for run in waiting:
            run()
    return {name: median(run.taken_ns[_WARM_UP:]) / 1e6 for name, run in runs.items()}


class _Run:
    """One file, ready: calling it runs it once and notes the nanoseconds that took."""

    def __init__(self, engine: Engine) -> None:
        self.taken_ns: list[int] = []
        self.sum_ns = 0
        self._engine = engine
        self._arrays = [np.zeros(spec.shape, spec.dtype) for spec in engine.inputs]

    def __call__(self) -> None:
        begin = perf_counter_ns()
        self._engine.run(self._arrays)
        self.taken_ns.append(perf_counter_ns() - begin)
        self.sum_ns += self.taken_ns[-1]
