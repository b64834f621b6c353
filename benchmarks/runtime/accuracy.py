"""Top-1 and top-5 of the flatbuffers by others on 500 ImageNet sample pictures.

usage: python benchmarks/runtime/accuracy.py [--shared ../shared]

The pictures are easier than the validation set: compare rows, not levels. Files name them by class index (0..999);
the models have 1001 classes, background first.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import mninfer
from mninfer.preprocessing import parse_resize
from sampling import write_result

ROOT = Path(__file__).parents[2]
MODELS = (
    "mobilenet_v1_0.25_128_quant.tflite",
    "mobilenet_v1_0.25_224_quant_with_metadata.tflite",
    "mobilenet_v2_1.0_224_quant.tflite",
)
RESIZES = ("stretch", "crop:0.875")  # the first is what is assumed of foreign files


def load(path: Path, resize: str) -> mninfer.Model:
    """The file with its own mean and std, and this way of fitting a picture in."""
    stated = mninfer.load(path).spec.preprocess
    assert stated is not None
    method, fraction = parse_resize(resize)
    return mninfer.load(path, preprocess=replace(stated, resize=method, crop_fraction=fraction))


def evaluate(model: mninfer.Model, paths: list[Path]) -> dict[str, float | int]:
    ranks = []
    for path, result in zip(paths, model.classify_many(paths, top=5), strict=True):
        if isinstance(result, mninfer.Failure):
            raise SystemExit(f"{path.name}: {result.error}")
        expected = int(path.name[:4]) + 1
        indices = [prediction.index for prediction in result]
        ranks.append(indices.index(expected) if expected in indices else 5)
    count = len(ranks)
    row: dict[str, float | int] = {"n": count}
    for name, limit in (("top1", 1), ("top5", 5)):
        share = sum(rank < limit for rank in ranks) / count
        row[f"{name}_percent"] = round(100 * share, 2)
        row[f"{name}_standard_error"] = round(100 * (share * (1 - share) / count) ** 0.5, 2)
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    args = parser.parse_args()
    paths = sorted((args.shared / "data/imagenet-dev").glob("*.jpg"))
    if not paths:
        raise SystemExit(f"no pictures in {args.shared / 'data/imagenet-dev'}: state --shared")
    rows = {
        name: {resize: evaluate(load(args.shared / "models" / name, resize), paths) for resize in RESIZES}
        for name in MODELS
    }
    write_result("accuracy_of_foreign_files", {"pictures": "500 ImageNet sample images", "models": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
