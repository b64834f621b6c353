"""Does a JPEG decoded at a reduced scale get the label of the fully decoded one?

usage: python benchmarks/runtime/jpeg_scaling.py [--shared ../shared] [--keras PYTHON] [--limit N]

500 ImageNet sample pictures, enlarged 2 and 4 times (cubic) and encoded again at quality 90, classified by 128-pixel
MobileNets with ``full_decode`` and without. Only pictures that were decoded at a reduced scale count. Beside it stands
how often the same model keeps its label when a tenth of its input values move by one of 255 levels, and when the fully
decoded picture is encoded once more at quality 95: what the model itself is sure of.

V1 0.25 is used as it is (uint8), and in float32 with the same weights, where scores are not rounded to 256 levels; V2
1.0, float32, is the 224-pixel network with a smaller input, made by the environment of ``--keras``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import mninfer
from mninfer.images import load_image
from mninfer.model_file.graph import Graph, Tensor
from mninfer.model_file.read import read_model
from mninfer.preprocessing import Preprocessor, parse_preprocess
from models import float_model
from sampling import write_result
from support.network import Layer

ROOT = Path(__file__).parents[2]
MODEL = "mobilenet_v1_0.25_128_quant.tflite"
V2 = "imagenet_mobilenet_v2_100_224_b.keras"
ENLARGEMENTS = (2, 4)
QUALITY = 90
RESIZES = ("crop:0.875", "stretch")


def float_twin(data: bytes) -> bytes:
    """The same network in float32: its uint8 weights and int32 biases as the numbers that they stand for."""
    graph = read_model(data, where=MODEL).graph
    layers = [_layer(graph, op) for op in graph.operators if op.name in {"CONV_2D", "DEPTHWISE_CONV_2D"}]
    last = layers.pop()
    height, width = graph.tensors[graph.inputs[0]].shape[1:3]
    return float_model([*layers, Layer("dense", last.weights[0, 0], last.bias)], (height, width))


def v2_at_128(shared: Path, python: Path) -> bytes:
    """V2 1.0 with real weights and an input of 128 pixels, made by the converter."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "v2_128.tflite"
        script = Path(__file__).with_name("smaller_input.py")
        subprocess.run(
            [python, script, shared / "models" / V2, "128", out],
            check=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        return out.read_bytes()


def _layer(graph: Graph, operator: Any) -> Layer:
    weights, bias = _real(graph.tensors[operator.inputs[1]]), _real(graph.tensors[operator.inputs[2]])
    stride = operator.options["stride_h"]
    if operator.name == "DEPTHWISE_CONV_2D":
        return Layer("depthwise", weights[0], bias, stride)
    return Layer("conv", np.ascontiguousarray(weights.transpose(1, 2, 3, 0)), bias, stride)


def _real(tensor: Tensor) -> npt.NDArray[np.float32]:
    if tensor.data is None or tensor.quantization is None:
        raise SystemExit(f"{tensor} is not a quantized constant")
    values = np.frombuffer(tensor.data, tensor.dtype).reshape(tensor.shape).astype(np.float32)
    zero_point = tensor.quantization.zero_points[0] if tensor.quantization.zero_points else 0
    return np.asarray((values - zero_point) * tensor.quantization.scales[0], np.float32)


def enlarge(path: Path, factor: int) -> bytes:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    return encode(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), QUALITY)


def encode(picture: npt.NDArray[Any], quality: int) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def moved(array: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """A tenth of the values one pixel level up or down."""
    steps = (rng.random(array.shape) < 0.1) * rng.choice([-1, 1], array.shape)
    if array.dtype == np.uint8:
        return np.clip(array.astype(int) + steps, 0, 255).astype(np.uint8)
    return (array + steps / 127.5).astype(array.dtype)


def share(agreed: int, count: int) -> dict[str, float | int]:
    part = agreed / count if count else 0.0
    return {
        "n": count,
        "agreement_percent": round(100 * part, 2),
        "standard_error": round(100 * (part * (1 - part) / max(count, 1)) ** 0.5, 2),
    }


def compare(paths: list[Path], data: bytes, resize: str) -> dict[str, object]:
    """Counts by enlargement and reduction, what the top-1 is worth either way, and the model's own unrest."""
    preprocess = parse_preprocess("inception", resize=resize)
    reduced, full = (mninfer.load(data, preprocess=preprocess, full_decode=full) for full in (False, True))
    prepare = Preprocessor(preprocess, full.spec.inputs[0])
    counts, agreed, totals = Counter[tuple[int, int]](), Counter[tuple[int, int]](), Counter[str]()
    rng = np.random.default_rng(0)
    for path in paths:
        expected = int(path.name[:4]) + 1  # the model's classes start with the background
        for factor in ENLARGEMENTS:
            jpeg = enlarge(path, factor)
            reduction = load_image(jpeg, cover=prepare.cover).reduction
            if reduction == 1:
                continue
            ours, theirs = (model.classify(jpeg, top=1).best.index for model in (reduced, full))
            counts[factor, reduction] += 1
            agreed[factor, reduction] += ours == theirs
            pixels = load_image(jpeg).pixels
            again = encode(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), 95)
            totals["reduced"] += ours == expected
            totals["full"] += theirs == expected
            totals["encoded again"] += full.classify(again, top=1).best.index == theirs
            totals["moved"] += int(full.run([moved(prepare(pixels), rng)])[0].argmax()) == theirs
    total = sum(counts.values())
    return {
        **share(sum(agreed.values()), total),
        "top1_percent": {kind: round(100 * totals[kind] / max(total, 1), 2) for kind in ("full", "reduced")},
        "by_scale": {
            f"enlarged {factor}x, decoded at 1/{reduction}": share(agreed[factor, reduction], count)
            for (factor, reduction), count in sorted(counts.items())
        },
        "the_model_with_itself": {
            "a tenth of the input's values moved by 1 of 255": share(totals["moved"], total),
            "encoded once more at quality 95": share(totals["encoded again"], total),
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument(
        "--keras", type=Path, default=ROOT / ".venvs/keras/bin/python", help="Python with Keras and mnkit"
    )
    parser.add_argument("--limit", type=int, help="only so many pictures")
    args = parser.parse_args()
    paths = sorted((args.shared / "data/imagenet-dev").glob("*.jpg"))[: args.limit]
    if not paths:
        raise SystemExit(f"no pictures in {args.shared / 'data/imagenet-dev'}: state --shared")
    data = (args.shared / "models" / MODEL).read_bytes()
    models = {
        "V2 1.0/128 float32": v2_at_128(args.shared, args.keras),
        "V1 0.25/128 float32": float_twin(data),
        "V1 0.25/128 uint8": data,
    }
    rows = {name: {resize: compare(paths, model, resize) for resize in RESIZES} for name, model in models.items()}
    files = {"V1": MODEL, "V2": V2}
    write_result("jpeg_scaling", {"files": files, "quality": QUALITY, "pictures": len(paths), "models": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
