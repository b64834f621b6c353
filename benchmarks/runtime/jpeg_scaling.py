"""Does a JPEG decoded at the smallest scale that covers the input get the label of the fully decoded one?

usage: python benchmarks/runtime/jpeg_scaling.py [--shared ../shared] [--limit N]

500 ImageNet sample pictures, enlarged 2 and 4 times (cubic) and encoded again at quality 90, classified by a 128-pixel
MobileNet twice: with ``full_decode`` and without. Only pictures that were decoded at a reduced scale count.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

import mninfer
from mninfer.images import load_image
from mninfer.preprocessing import covering_size, parse_resize
from sampling import write_result

ROOT = Path(__file__).parents[2]
MODEL = "mobilenet_v1_0.25_128_quant.tflite"
ENLARGEMENTS = (2, 4)
QUALITY = 90
RESIZES = ("crop:0.875", "stretch")


def open_pair(path: Path, resize: str) -> tuple[mninfer.Model, mninfer.Model]:
    """The model with and without reduced decoding."""
    stated = mninfer.load(path).spec.preprocess
    assert stated is not None
    method, fraction = parse_resize(resize)
    preprocess = replace(stated, resize=method, crop_fraction=fraction)
    reduced, full = (mninfer.load(path, preprocess=preprocess, full_decode=full) for full in (False, True))
    return reduced, full


def enlarge(path: Path, factor: int) -> bytes:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    larger = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", larger, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def share(agreed: int, count: int) -> dict[str, float | int]:
    part = agreed / count if count else 0.0
    return {
        "n": count,
        "agreement_percent": round(100 * part, 2),
        "standard_error": round(100 * (part * (1 - part) / max(count, 1)) ** 0.5, 2),
    }


def compare(paths: list[Path], model: Path, resize: str) -> dict[str, object]:
    """Counts by enlargement and reduction, and what the top-1 is worth either way."""
    reduced, full = open_pair(model, resize)
    assert reduced.spec.preprocess is not None
    cover = covering_size(reduced.spec.preprocess, reduced.spec.inputs[0])
    counts: Counter[tuple[int, int]] = Counter()
    agreed: Counter[tuple[int, int]] = Counter()
    right = Counter[str]()
    for path in paths:
        expected = int(path.name[:4]) + 1  # the model's classes start with the background
        for factor in ENLARGEMENTS:
            data = enlarge(path, factor)
            reduction = load_image(data, cover=cover).reduction
            if reduction == 1:
                continue
            ours, theirs = (model.classify(data, top=1).best.index for model in (reduced, full))
            counts[factor, reduction] += 1
            agreed[factor, reduction] += ours == theirs
            right.update({"reduced": ours == expected, "full": theirs == expected})
    total = sum(counts.values())
    return {
        **share(sum(agreed.values()), total),
        "top1_percent": {kind: round(100 * right[kind] / max(total, 1), 2) for kind in ("full", "reduced")},
        "by_scale": {
            f"enlarged {factor}x, decoded at 1/{reduction}": share(agreed[factor, reduction], count)
            for (factor, reduction), count in sorted(counts.items())
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--limit", type=int, help="only so many pictures")
    args = parser.parse_args()
    paths = sorted((args.shared / "data/imagenet-dev").glob("*.jpg"))[: args.limit]
    if not paths:
        raise SystemExit(f"no pictures in {args.shared / 'data/imagenet-dev'}: state --shared")
    rows = {resize: compare(paths, args.shared / "models" / MODEL, resize) for resize in RESIZES}
    write_result("jpeg_scaling", {"model": MODEL, "quality": QUALITY, "pictures": len(paths), "resize": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
