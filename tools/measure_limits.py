"""How far sound and deliberately broken conversions are from their float models: what verification's limits rest on.

usage: python tools/measure_limits.py [--shared ../shared] [--pictures 400] [--only NETWORK]

Needs TensorFlow. Each network is converted in ways that are sound and in ways that are known to break; each file is
verified on drawn shapes, and for comparison on noise and by what it does to the top-1 of real pictures that no
conversion has seen. Writes benchmarks/results/verification_limits.json, which keeps what it has of networks that
--only leaves out, and prints it as a table.
"""

import argparse
import io
import json
import sys
import tarfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "models")]

import mninfer
from mnconvert.config import ConvertConfig, Ends, Variant
from mnconvert.converting import Stages
from mnconvert.quantize.decide import decide
from mnconvert.quantize.overwrite import overwrite
from mnconvert.quantize.recipe import Recipe
from mnconvert.source import open_source
from mnconvert.verification import (
    NUM_PICTURES,
    Limits,
    OutputMeter,
    Verification,
    num_pictures,
    shape_pictures,
    verify,
)
from mninfer.images import load_image
from mninfer.postprocessing import dequantize
from mninfer.preprocessing import Preprocessor
from mnmodels.backend import start_keras

RESULT = ROOT / "benchmarks" / "results" / "verification_limits.json"
SHIPPED = ROOT / "models" / "pretrained" / "mobilenet_v1_025_cifar10.h5"
NUM_CALIBRATION = 100
Picture = np.ndarray
Samples = Sequence[np.ndarray]


@dataclass(frozen=True)
class Labelled:
    """Pictures and the class of each; none of them is used for calibration."""

    pictures: list[Picture]
    classes: np.ndarray
    calibration: list[Picture]


@dataclass(frozen=True)
class Network:
    """A float network with its stages, and what the stock converter is given of it."""

    name: str
    stages: Stages
    labelled: Labelled

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.stages.graph.tensors[self.stages.graph.inputs[0]].shape)

    def tensors(self, pictures: Sequence[Picture]) -> list[np.ndarray]:
        graph = self.stages.graph
        prepare = Preprocessor(self.stages.source.preprocess, graph.tensors[graph.inputs[0]].spec())
        return [prepare(picture) for picture in pictures]


def imagenet(shared: Path, count: int) -> Labelled:
    """Every fifth picture is for calibration. The networks' classes begin with a background."""
    paths = sorted((shared / "data" / "imagenet-dev").glob("*.jpg"))
    rest = [path for index, path in enumerate(paths) if index % 5]
    chosen = rest[:: max(1, len(rest) // count)][:count]
    return Labelled(
        [load_image(path).pixels for path in chosen],
        np.array([int(path.name[:4]) + 1 for path in chosen]),
        [load_image(path).pixels for path in paths[::5][:NUM_CALIBRATION]],
    )


def cifar(shared: Path, count: int) -> Labelled:
    """The first pictures of each class; those after them are for calibration."""
    pictures: dict[str, list[Picture]] = {}
    with tarfile.open(shared / "data" / "cifar10-test.tar.xz") as archive:
        for member in archive:
            kept = pictures.setdefault(Path(member.name).parent.name, []) if member.isfile() else None
            if kept is not None and len(kept) < (count + NUM_CALIBRATION) // 10:
                content = archive.extractfile(member)
                assert content is not None
                kept.append(load_image(io.BytesIO(content.read())).pixels)
    names, each = sorted(pictures), count // 10
    return Labelled(
        [picture for name in names for picture in pictures[name][:each]],
        np.repeat(np.arange(len(names)), each),
        [picture for name in names for picture in pictures[name][each:]],
    )


def networks(shared: Path, count: int, only: str) -> Iterator[Network]:
    """The three with real ImageNet weights, and the one that is shipped, with a BatchNorm of its own."""
    photos = shared / "models"
    paths = [photos / f"imagenet_mobilenet_{name}" for name in ("v1_025_128.h5", "v2_100_224_b.keras", "v2_100_224.h5")]
    for path in [*paths, SHIPPED]:
        if path.stem.endswith(only):
            yield network(path, cifar(shared, count) if path == SHIPPED else imagenet(shared, count))


def network(path: Path, labelled: Labelled) -> Network:
    config = ConvertConfig(variant="int8")
    return Network(path.stem, Stages(open_source(path, config), config, None), labelled)


def ours(one: Network, **recipe: Any) -> bytes:
    """Our int8 file without data, its numbers decided by another recipe where one is given."""
    plan = decide(one.stages.graph, one.stages.known(Ends.UINT8), Recipe(**recipe))
    skeleton = one.stages.lowered.variant_of(ConvertConfig(variant="int8").variant, Ends.UINT8)
    return overwrite(skeleton, one.stages.graph, plan)


def variant(one: Network, name: str, *, is_fused: bool = True) -> bytes:
    config = ConvertConfig(variant=name, is_fused=is_fused)
    plan = one.stages.plan(config, ends=Ends.FLOAT32) if config.variant.is_static else None
    return one.stages.flatbuffer(config, Ends.FLOAT32, plan)


def stock(one: Network, samples: Samples, *, is_per_tensor: bool = False) -> bytes:
    """The stock converter's int8 file. Scales per tensor are a switch that it keeps to itself."""
    import tensorflow as tf

    model = one.stages.source.model
    weights = [variable.numpy() for variable in model.trainable_variables]
    others = [variable.numpy() for variable in model.non_trainable_variables]

    @tf.function(input_signature=[tf.TensorSpec(one.shape, tf.float32)], autograph=False)
    def run(image: Any) -> Any:
        constants = [[tf.constant(value) for value in values] for values in (weights, others)]
        return model.stateless_call(*constants, image, training=False)[0]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter._experimental_disable_per_channel = is_per_tensor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it wonders about the integer ends that were asked of it
        return bytes(converter.convert())


def noise(shape: tuple[int, ...], count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(count)]


Make = Callable[[Network], bytes]
CONVERSIONS: dict[str, tuple[str, Make]] = {
    "ours": ("int8", ours),
    "ours, k = 4": ("int8", lambda one: ours(one, sigmas=4.0)),
    "stock, 100 pictures": ("int8", lambda one: stock(one, one.tensors(one.labelled.calibration))),
    "stock, one picture": ("int8", lambda one: stock(one, one.tensors(one.labelled.calibration[:1]))),
    "stock, noise": ("int8", lambda one: stock(one, noise(one.shape, 20))),
    "ours, per tensor": ("per tensor", lambda one: ours(one, is_per_tensor=True)),
    "stock, 100 pictures, per tensor": (
        "per tensor",
        lambda one: stock(one, one.tensors(one.labelled.calibration), is_per_tensor=True),
    ),
    "stock, noise, per tensor": ("per tensor", lambda one: stock(one, noise(one.shape, 20), is_per_tensor=True)),
    "none": ("none", lambda one: variant(one, "none")),
    "none, unfused": ("none", lambda one: variant(one, "none", is_fused=False)),
    "fp16": ("fp16", lambda one: variant(one, "fp16")),
    "dynamic": ("dynamic", lambda one: variant(one, "dynamic")),
    "int16x8": ("int16x8", lambda one: variant(one, "int16x8")),
}
LOOK_AT_NOTHING = Limits(agreement=None, sqnr_db=None, numbers=None, share=None)


def verified(one: Network, data: bytes, pictures: Any) -> Verification:
    source = one.stages.source
    return verify(data, reference=one.stages.lowered.reference, preprocess=source.preprocess, pictures=pictures,
                  limits=LOOK_AT_NOTHING)  # fmt: skip


def fidelity(found: Verification) -> dict[str, Any]:
    output = found.outputs[0]
    return {
        "agreement": round(output.agreement or 0.0, 4),
        "sqnr_db": round(output.sqnr_db, 2),
        "cosine": round(output.cosine, 4),
        "num_classes_seen": output.num_classes_seen,
    }


def scores(one: Network, data: bytes, count: int | None = None) -> np.ndarray:
    with mninfer.load(data, preprocess=one.stages.source.preprocess) as model:
        output = model.spec.outputs[0]
        rows = [model.run(model.preprocessor(picture))[0] for picture in one.labelled.pictures[:count]]
        return dequantize(np.concatenate(rows), output.quantization)


def on_pictures(one: Network, wanted: np.ndarray, found: np.ndarray) -> dict[str, Any]:
    """Top-1 against the float file's, picture by picture; of equal best scores the first counts."""
    meter, count = OutputMeter(), len(found)
    meter.add(wanted[:count], found)
    hits = [scores.argmax(1) == one.labelled.classes[:count] for scores in (wanted[:count], found)]
    changes = hits[1].astype(float) - hits[0]
    return {
        "num_pictures": len(changes),
        "top_1_float": round(100 * hits[0].mean(), 2),
        "change": round(100 * changes.mean(), 2),
        "standard_error": round(100 * changes.std(ddof=1) / len(changes) ** 0.5, 2),
        "agreement": round(meter.result().agreement or 0.0, 4),
        "sqnr_db": round(meter.result().sqnr_db, 2),
    }


def measure(one: Network) -> Iterator[dict[str, Any]]:
    size = one.shape[1:3]
    random = np.random.default_rng(1)
    noisy = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(NUM_PICTURES)]
    wanted = scores(one, one.stages.lowered.flatbuffer)
    for name, (kind, make) in CONVERSIONS.items():
        data, count = make(one), num_pictures(Variant.INT16X8) if kind == "int16x8" else None
        yield {
            "network": one.name,
            "conversion": name,
            "limits_of": kind,
            "shapes": fidelity(verified(one, data, shape_pictures(count or NUM_PICTURES, size=size))),
            "noise": fidelity(verified(one, data, noisy[:count])),
            "pictures": on_pictures(one, wanted, scores(one, data, count)),
        }


def line(row: dict[str, Any]) -> str:
    shapes, drawn, real = row["shapes"], row["noise"], row["pictures"]
    return (
        f"{row['network'][-18:]:18} {row['conversion']:32} shapes {100 * shapes['agreement']:5.1f} % "
        f"{shapes['sqnr_db']:6.1f} dB   noise {100 * drawn['agreement']:5.1f} % {drawn['sqnr_db']:6.1f} dB   "
        f"top-1 {real['change']:+6.2f} ± {real['standard_error']:.2f} of {real['top_1_float']:.1f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--only", default="", help="the end of a network's name")
    chosen = parser.parse_args()
    start_keras()
    for one in networks(chosen.shared, chosen.pictures, chosen.only):
        rows = []
        for row in measure(one):
            print(line(row), flush=True)
            rows.append(row)
        write(one.name, rows)
    return 0


def write(name: str, rows: list[dict[str, Any]]) -> None:
    """Put one network's rows in the place of its old ones."""
    before = json.loads(RESULT.read_text(encoding="utf-8"))["rows"] if RESULT.is_file() else []
    kept = [row for row in before if row["network"] != name]
    facts = {"mninfer": mninfer.__version__, "numpy": np.__version__, "num_shapes": NUM_PICTURES, "seed": 0}
    value = {"schema": 1, "facts": facts, "rows": sorted([*kept, *rows], key=lambda row: str(row["network"]))}
    RESULT.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
