"""int8 with and without data, ours and the stock converter's, step by step, on four networks: top-1 against float.

usage: python benchmarks/conversion/int8_accuracy.py [--shared ../shared] [--network NAME]...

Writes benchmarks/results/conversion_accuracy.json. 200 of the pictures (chosen by a seed) are for calibration; every
row is measured on the others, and those that use no picture on all of them as well. "stock" is TensorFlow's own
converter on the same traced network.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))


from mnconvert.calibration import measure_ranges
from mnconvert.config import ConvertConfig, Ends, Variant
from mnconvert.converting import Stages
from mnconvert.quantize.decide import decide
from mnconvert.quantize.overwrite import overwrite
from mnconvert.quantize.plan import Moments, Seen
from mnconvert.quantize.recipe import Recipe
from networks import NETWORKS, ROOT, Labelled, labelled, open_network
from sampling import write_result
from scoring import best_classes, compared
from stock import stock_int8

NUM_CALIBRATION = 200
SEED = 7


class Bench:
    """One network: what is lowered and prepared once."""

    def __init__(self, name: str, shared: Path) -> None:
        self.source = open_network(name, shared)
        self.stages = Stages(self.source, ConvertConfig(variant=Variant.INT8), None)
        self.pictures = labelled(name, self.source, shared)
        order = np.random.default_rng(SEED).permutation(len(self.pictures))
        self.calibration, self.others = order[:NUM_CALIBRATION], np.sort(order[NUM_CALIBRATION:])
        self.float_best = best_classes(self.stages.lowered.flatbuffer, self.pictures, self.source.preprocess)

    def ours(self, recipe: Recipe, num_pictures: int = 0) -> bytes:
        known = self.stages.known(Ends.UINT8)
        if num_pictures:
            from dataclasses import replace

            measured = measure_ranges(self.stages.lowered.flatbuffer, self.tensors(num_pictures))
            seen = {i: Seen(each.low, each.high, Moments(each.mean, each.std)) for i, each in measured.items()}
            known = replace(known, seen=seen)
        plan = decide(self.stages.graph, known, recipe)
        return overwrite(self.stages.lowered.variant_of(Variant.INT8, Ends.UINT8), self.stages.graph, plan)

    def stock(self, tensors: Callable[[], Iterator[npt.NDArray[np.float32]]], *, is_per_tensor: bool = False) -> bytes:
        return stock_int8(self.source, tensors, is_per_tensor=is_per_tensor)

    def tensors(self, count: int) -> Iterator[npt.NDArray[np.float32]]:
        spec = self.source.preprocess
        for picture in self.pictures[self.calibration[:count]].pixels:
            yield ((picture[None] - np.array(spec.mean)) / np.array(spec.std)).astype(np.float32)

    def noise(self) -> Iterator[npt.NDArray[np.float32]]:
        random = np.random.default_rng(SEED)
        for _ in range(100):
            yield random.uniform(-1, 1, (1, *self.source.model.input_shape[1:])).astype(np.float32)

    def row(self, data: bytes, *, uses_pictures: bool) -> dict[str, Any]:
        best = best_classes(data, self.pictures, self.source.preprocess)
        picked: Labelled = self.pictures[self.others]
        result = {"others": compared(best[self.others], self.float_best[self.others], picked.classes)}
        if not uses_pictures:
            result["all"] = compared(best, self.float_best, self.pictures.classes)
        return result


def ways(bench: Bench) -> dict[str, tuple[bool, Callable[[], bytes]]]:
    """Name of the row -> whether it uses pictures, and how it is made."""
    plain = {"is_balanced": False, "corrects_bias": False}
    rows: dict[str, tuple[bool, Callable[[], bytes]]] = {
        "stock, noise": (False, lambda: bench.stock(bench.noise)),
        "stock, 1 picture": (True, lambda: bench.stock(lambda: bench.tensors(1))),
        "stock, 20 pictures": (True, lambda: bench.stock(lambda: bench.tensors(20))),
        "stock, 100 pictures": (True, lambda: bench.stock(lambda: bench.tensors(100))),
        "stock, 200 pictures": (True, lambda: bench.stock(lambda: bench.tensors(200))),
        "BatchNorm ranges, nearest rounding": (False, lambda: bench.ours(Recipe(**plain))),
        "+ balanced rounding": (False, lambda: bench.ours(Recipe(corrects_bias=False))),
        "+ bias correction: no data": (False, lambda: bench.ours(Recipe())),
        "no data, ranges of 4 deviations": (False, lambda: bench.ours(Recipe(sigmas=4))),
        "with 20 pictures": (True, lambda: bench.ours(Recipe(), 20)),
        "with 100 pictures": (True, lambda: bench.ours(Recipe(), 100)),
        "with 200 pictures": (True, lambda: bench.ours(Recipe(), 200)),
        "per tensor: stock, 200 pictures": (
            True, lambda: bench.stock(lambda: bench.tensors(200), is_per_tensor=True)
        ),
        "per tensor: no data, the largest weight fits": (
            False, lambda: bench.ours(Recipe(is_per_tensor=True, clips=False))
        ),
        "per tensor: no data": (False, lambda: bench.ours(Recipe(is_per_tensor=True))),
    }  # fmt: skip
    return rows


def measure(name: str, shared: Path) -> dict[str, Any]:
    bench = Bench(name, shared)
    float_row = {
        "others": compared(*[bench.float_best[bench.others]] * 2, bench.pictures[bench.others].classes),
        "all": compared(bench.float_best, bench.float_best, bench.pictures.classes),
    }
    rows: dict[str, Any] = {"float32": float_row}
    for label, (uses_pictures, make) in ways(bench).items():
        rows[label] = bench.row(make(), uses_pictures=uses_pictures)
        print(name, label, rows[label], file=sys.stderr, flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--network", action="append", choices=list(NETWORKS))
    args = parser.parse_args()
    if not (args.shared / "models").is_dir():
        raise SystemExit(f"no models in {args.shared}: state --shared")
    results = {name: measure(name, args.shared) for name in args.network or NETWORKS}
    write_result("conversion_accuracy", {"networks": results, "num_calibration": NUM_CALIBRATION, "seed": SEED})
    return 0


if __name__ == "__main__":
    sys.exit(main())
