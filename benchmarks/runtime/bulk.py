"""A folder of small pictures: classify_many against one at a time, V1 0.25/224 float, threads=1.

usage: python benchmarks/runtime/bulk.py [--pictures 1000] [--rounds 5]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

import mninfer
from models import annotated_v1
from sampling import alternate, ratio, summary, write_result


def write_pictures(folder: Path, count: int) -> list[Path]:
    """JPEGs of 500 x 375, smooth colour fields with some noise: about the size of web photos (30 to 60 KB)."""
    rng = np.random.default_rng(0)
    paths = []
    for index in range(count):
        field = cv2.resize(rng.integers(0, 256, (12, 16, 3), np.uint8), (500, 375), interpolation=cv2.INTER_CUBIC)
        noise = rng.normal(0, 8, field.shape)
        paths.append(folder / f"{index:04}.jpg")
        cv2.imwrite(str(paths[-1]), np.clip(field + noise, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return paths


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = write_pictures(Path(name), args.pictures)
        size_kb = round(sum(path.stat().st_size for path in paths) / len(paths) / 1000, 1)
        model = mninfer.load(annotated_v1(0.25, 224, "float"), threads=1)
        answers: dict[str, list[object]] = {}

        def one_at_a_time() -> float:
            begin = time.perf_counter()
            answers["one at a time"] = [model.classify(path).predictions for path in paths]
            return time.perf_counter() - begin

        def many() -> float:
            begin = time.perf_counter()
            answers["classify_many"] = [getattr(result, "predictions", result) for result in model.classify_many(paths)]
            return time.perf_counter() - begin

        samples = alternate({"one at a time": one_at_a_time, "classify_many": many}, rounds=args.rounds, warm_up=1)
        same = answers["one at a time"] == answers["classify_many"]
    result = {
        "model": "MobileNet V1 0.25/224 float, random weights",
        "threads": 1,
        "pictures": args.pictures,
        "mean_picture_kb": size_kb,
        "elapsed_s": {name: summary(values) for name, values in samples.items()},
        "times_faster": ratio(samples["one at a time"], samples["classify_many"]),
        "same_answers": same,
    }
    write_result("bulk", result)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
