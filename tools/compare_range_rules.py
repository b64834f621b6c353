"""Which range for pooled vectors and logits, measured on a few pictures, loses least on others?

usage: python tools/compare_range_rules.py [--shared ../shared]

Needs TensorFlow. Each of the shared folder's float networks gives the pooled vectors and logits of 500 pictures. One of
the two at a time is rounded to 8 bits, in the range that a rule takes from n of them; on all others it is counted what
becomes of the float network's best class, over 20 draws. Writes benchmarks/results/range_rules.json.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "models")]

from mnconvert.calibration import ActivationRunner
from mnconvert.calibration.measure import Measuring
from mnconvert.config import ConvertConfig
from mnconvert.converting import Stages
from mnconvert.source import open_source
from mninfer.images import load_image
from mninfer.model_file import Graph, Operator
from mninfer.preprocessing import Preprocessor

RESULT = ROOT / "benchmarks" / "results" / "range_rules.json"
NETWORKS = (
    "imagenet_mobilenet_v1_025_128.h5",
    "imagenet_mobilenet_v2_100_224.h5",
    "imagenet_mobilenet_v2_100_224_b.keras",
)
COUNTS, NUM_DRAWS = (20, 100, 200), 20
Range = tuple[float, float]


def ours(values: np.ndarray) -> Range:
    measuring = Measuring()
    for row in values.astype(np.float32):
        measuring.add(row[None], "values")
    found = measuring.result()
    return found.low, found.high


def least_squares(values: np.ndarray) -> Range:
    """The range of all whose rounding errs least on these values, by a histogram."""
    counts, edges = np.histogram(values, 4096)
    centres, shares = (edges[1:] + edges[:-1]) / 2, np.linspace(0.3, 1, 36)
    candidates = [
        (values.min() * low, values.max() * high) for high in shares for low in (shares if values.min() < 0 else (1.0,))
    ]
    errors = [float((counts * (rounded(centres, *each) - centres) ** 2).sum()) for each in candidates]
    return candidates[int(np.argmin(errors))]


RULES: Mapping[str, Callable[[np.ndarray], Range]] = {
    "extremes to come (ours)": ours,
    "smallest and largest seen": lambda values: (values.min(), values.max()),
    "the same, 25 % wider": lambda values: (values.min() * 1.25, values.max() * 1.25),
    "99.99 % of values": lambda values: tuple(np.percentile(values, [0.01, 99.99])),
    "least squared error": least_squares,
    "6 deviations by channel": lambda values: (
        (values.mean(0) - 6 * values.std(0)).min(),
        (values.mean(0) + 6 * values.std(0)).max(),
    ),
}


def rounded(values: np.ndarray, low: float, high: float) -> np.ndarray:
    low, high = min(low, 0.0), max(high, 0.0)
    step = (high - low) / 255
    zero = round(-low / step)
    return (np.clip(np.round(values / step) + zero, 0, 255) - zero) * step


class Top:
    """A network's last matrix product: pooled vectors in, logits out, with what 500 pictures make of both."""

    def __init__(self, path: Path, pictures: list[Path]) -> None:
        stages = Stages(open_source(path, ConvertConfig()), ConvertConfig(), None)
        with ActivationRunner(stages.lowered.flatbuffer) as runner:
            graph, operator = runner.graph, last_product(runner.graph)
            prepare = Preprocessor(stages.source.preprocess, graph.tensors[graph.inputs[0]].spec())
            rows = []
            for picture in pictures:
                found = runner.run(prepare(load_image(picture).pixels))
                rows.append([found[at].ravel() for at in (operator.inputs[0], operator.outputs[0])])
            self.pooled, self.logits = (np.stack(each).astype(float) for each in zip(*rows, strict=True))
            weights, bias = (constant(graph, at) for at in operator.inputs[1:])
        self.weights, self.bias = weights.reshape(bias.size, -1), bias

    def scores(self, where: str, found: Range, pictures: np.ndarray) -> np.ndarray:
        if where == "logits":
            return rounded(self.logits[pictures], *found)
        return rounded(self.pooled[pictures], max(found[0], 0.0), found[1]) @ self.weights.T + self.bias


def constant(graph: Graph, index: int) -> np.ndarray:
    data = graph.tensors[index].data
    assert data is not None
    return np.frombuffer(data, np.float32).astype(float)


def last_product(graph: Graph) -> Operator:
    return [operator for operator in graph.operators if operator.name in ("CONV_2D", "FULLY_CONNECTED")][-1]


def compare(top: Top, truth: np.ndarray, where: str, count: int, rule: Callable[[np.ndarray], Range]) -> dict[str, Any]:
    agreements, changes = [], []
    for draw in range(NUM_DRAWS):
        order = np.random.default_rng(draw).permutation(len(truth))
        fit, rest = order[:count], order[count:]
        best = top.scores(where, rule((top.pooled if where == "pooled" else top.logits)[fit]), rest).argmax(1)
        wanted = top.logits[rest].argmax(1)
        agreements.append(np.mean(best == wanted))
        changes.append(np.mean(best == truth[rest]) - np.mean(wanted == truth[rest]))
    return {"agreement_percent": round(100 * float(np.mean(agreements)), 2),
            "top1_change_points": round(100 * float(np.mean(changes)), 2),
            "worst_draw_points": round(100 * float(np.min(changes)), 2)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    shared = parser.parse_args().shared
    pictures = sorted((shared / "data" / "imagenet-dev").glob("*.jpg"))
    if not pictures:
        raise SystemExit(f"no pictures in {shared / 'data/imagenet-dev'}: state --shared")
    truth = np.array([int(path.name[:4]) + 1 for path in pictures])  # the background is class 0
    tops = {name: Top(shared / "models" / name, pictures) for name in NETWORKS}
    rows = {
        f"{name}, {where}, {count} pictures": {
            label: compare(top, truth, where, count, rule) for label, rule in RULES.items()
        }
        for name, top in tops.items()
        for where in ("pooled", "logits")
        for count in COUNTS
    }
    result = {"schema": 1, "command": "python tools/compare_range_rules.py", "num_pictures": len(pictures),
              "num_draws": NUM_DRAWS, "rows": rows}  # fmt: skip
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
