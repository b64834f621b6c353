"""classify() on a decoded 224x224 array against the bare interpreter's set, invoke and get: V1 1.0/224 int8.

usage: python benchmarks/runtime/overhead.py [--rounds 300] [--threads 1]

The same interpreter on both sides, in turn: two on the same bytes differ by up to 1.8 %. The picture already has the
input's size, so nothing is resized: converting, choosing the best five and naming them is what is measured.
"""

import argparse
import sys
import time
from typing import Any

import numpy as np

import mninfer
from models import annotated_v1
from sampling import alternate, ratio, summary, write_result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    picture = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    rows = {}
    for ends in ("uint8", "int8"):
        data = annotated_v1(1.0, 224, ends, resize="stretch")
        model = mninfer.load(data, threads=args.threads)
        bare = model.engine._interpreter  # type: ignore[attr-defined]
        source, target = bare.get_input_details()[0], bare.get_output_details()[0]["index"]
        tensor = picture[None] if ends == "uint8" else (picture[None].astype(np.int16) - 128).astype(np.int8)

        def run_bare(
            bare: Any = bare, index: int = source["index"], target: int = target, tensor: object = tensor
        ) -> float:
            begin = time.perf_counter_ns()
            bare.set_tensor(index, tensor)
            bare.invoke()
            bare.get_tensor(target)
            return (time.perf_counter_ns() - begin) / 1e6

        def run_ours(model: mninfer.Model = model) -> float:
            begin = time.perf_counter_ns()
            model.classify(picture, top=5)
            return (time.perf_counter_ns() - begin) / 1e6

        samples = alternate({"classify": run_ours, "bare": run_bare}, rounds=args.rounds, warm_up=20)
        medians = {name: float(np.median(values)) for name, values in samples.items()}
        rows[f"{ends} ends"] = {
            "latency_ms": {name: summary(values) for name, values in samples.items()},
            "classify_over_bare": ratio(samples["classify"], samples["bare"]),
            "overhead_of_medians": round(medians["classify"] / medians["bare"] - 1, 4),
        }
    model = "MobileNet V1 1.0/224 int8, random weights"
    write_result("overhead", {"model": model, "threads": args.threads, "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
