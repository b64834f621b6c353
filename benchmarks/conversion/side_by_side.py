"""Two model files of the same input in alternating runs on one engine: milliseconds of both, and their ratio, as JSON.

usage: python benchmarks/conversion/side_by_side.py OURS STOCK ENGINE THREADS

Needs mninfer alone, so that it runs in the environment of any engine.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1] / "runtime"), str(Path(__file__).parents[2])]

import mninfer
from sampling import alternate, ratio, summary

ROUNDS, REPETITIONS = 60, 5


def timed(model: mninfer.Model, picture: np.ndarray) -> float:
    began = time.perf_counter_ns()
    for _ in range(REPETITIONS):
        model.run([picture])
    return (time.perf_counter_ns() - began) / (1e6 * REPETITIONS)


def main() -> int:
    ours, stock, engine, threads = sys.argv[1:]
    models = {
        kind: mninfer.load(path, preprocess="raw", engine=engine, threads=int(threads))
        for kind, path in (("ours", ours), ("stock", stock))
    }
    tensor = models["ours"].spec.inputs[0]
    picture = np.random.default_rng(0).integers(0, 256, tensor.shape).astype(np.uint8)
    samples = alternate({kind: lambda m=model: timed(m, picture) for kind, model in models.items()}, rounds=ROUNDS)
    print(
        json.dumps(
            {
                "ours_ms": summary(samples["ours"]),
                "stock_ms": summary(samples["stock"]),
                "ratio": ratio(samples["ours"], samples["stock"]),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
