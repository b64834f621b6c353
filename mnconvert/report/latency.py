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

_WARM_UP, _LEAST_RUNS, _MOST_RUNS = 3, 15, 200
_BUDGET_S = 6.0  # for all files together


def measure_latencies(files: Mapping[str, bytes], *, threads: int = 1, budget_s: float = _BUDGET_S) -> dict[str, float]:
    """Milliseconds to a run, the median of as many rounds as ``budget_s`` allows; a file that no engine runs is absent.

    The first rounds don't count. The input is a tensor of zeros: the time of a convolution doesn't depend on it.
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
    samples: dict[str, list[int]] = {name: [] for name in runs}
    begin = perf_counter_ns()
    for number in range(_WARM_UP + _MOST_RUNS):
        for name, run in runs.items():
            elapsed = run()
            if number >= _WARM_UP:
                samples[name].append(elapsed)
        if number >= _WARM_UP + _LEAST_RUNS and perf_counter_ns() - begin > budget_s * 1e9:
            break
    return {name: median(taken) / 1e6 for name, taken in samples.items()}


class _Run:
    """One file, ready: calling it runs it once and gives the nanoseconds that took."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._arrays = [np.zeros(spec.shape, spec.dtype) for spec in engine.inputs]

    def __call__(self) -> int:
        begin = perf_counter_ns()
        self._engine.run(self._arrays)
        return perf_counter_ns() - begin
