"""int8 without data on networks that are no plain MobileNet, each trained small on CIFAR-10 first: top-1 against float.

usage: python benchmarks/conversion/other_networks.py [--shared ../shared] [--epochs 6] [--train 20000] [--folder DIR]

A plain CNN with BatchNorm, MobileNet V3 small, and the shipped V1 with a head of Dense(128, relu) and Dense(10) that
was trained anew. Networks in DIR from an earlier run are used as they are. Writes
benchmarks/results/conversion_others.json.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))

import mnconvert
from mnconvert.config import ConvertConfig, Variant
from mninfer.errors import VerifyError
from mninfer.preprocessing import StatedPreprocess
from mnmodels.architectures.registry import build_model
from mnmodels.backend import start_keras
from mnmodels.data import Pictures, open_data
from mnmodels.keras_file import load_keras, save_keras
from networks import ROOT, Labelled
from sampling import write_result
from scoring import best_classes, compared

keras = start_keras("tensorflow")
SEED = 3


def plain_cnn() -> Any:
    layers: list[Any] = [keras.Input((32, 32, 3))]
    for filters in (32, 64, 128):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
        ]
    return keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])


def v3_small() -> Any:
    return build_model("mobilenet_v3_small", form="cifar_small", classes=10)


def two_dense_layers() -> Any:
    base = load_keras(ROOT / "models/pretrained/mobilenet_v1_025_cifar10.h5").model
    pooled = next(layer for layer in base.layers if type(layer).__name__ == "GlobalAveragePooling2D")
    features = keras.layers.Flatten()(pooled.output)
    hidden = keras.layers.Dense(128, activation="relu")(features)
    return keras.Model(base.inputs, keras.layers.Dense(10, activation="softmax")(hidden))


NETWORKS: dict[str, Callable[[], Any]] = {
    "plain CNN": plain_cnn,
    "MobileNet V3 small": v3_small,
    "V1 0.25, Dense(128) and Dense(10)": two_dense_layers,
}


def tensors(pictures: Pictures, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return (pictures.load(indices, (32, 32)) / np.float32(127.5) - 1).astype(np.float32)


def trained(build: Callable[[], Any], path: Path, train: Pictures, args: argparse.Namespace) -> Any:
    if path.exists():
        return load_keras(path).model
    keras.utils.set_random_seed(SEED)
    model = build()
    indices = np.random.default_rng(SEED).permutation(len(train))[: args.train]
    steps = args.epochs * -(-len(indices) // 64)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(
        keras.optimizers.AdamW(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model.fit(tensors(train, indices), train.classes[indices], batch_size=64, epochs=args.epochs, verbose=2)
    save_keras(model, path)
    return model


def measure(name: str, model: Any, test: Labelled) -> dict[str, Any]:
    stated = StatedPreprocess.parse(preprocess="inception")
    rows: dict[str, Any] = {}
    float_best = None
    for label, config in (
        ("float32", ConvertConfig(preprocess=stated)),
        ("int8, no data", ConvertConfig(variant=Variant.INT8, preprocess=stated)),
        ("int8, no data, per tensor", ConvertConfig(variant=Variant.INT8, is_per_tensor=True, preprocess=stated)),
    ):
        is_verified = True
        try:
            conversion = mnconvert.convert(model, config)
        except VerifyError as error:
            if not isinstance(error.report, mnconvert.Conversion):
                raise
            conversion, is_verified = error.report, False
        best = best_classes(conversion.data, test, conversion.report.preprocess)
        float_best = best if float_best is None else float_best
        verification = conversion.report.verification
        rows[label] = compared(best, float_best, test.classes) | {
            "is_verified": is_verified,
            "agreement_on_shapes": verification.agreement,
            "sqnr_db_on_shapes": round(verification.sqnr_db, 1),
        }
        print(name, label, rows[label], file=sys.stderr, flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--train", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args()
    train, test = (
        open_data(str(args.shared / f"data/cifar10-{part}.tar.xz"), split=part) for part in ("train", "test")
    )
    labelled = Labelled(test.load(np.arange(len(test)), (32, 32)), np.asarray(test.classes))
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        for name, build in NETWORKS.items():
            path = folder / (name.replace(" ", "_").replace("(", "").replace(")", "").replace(",", "") + ".keras")
            results[name] = measure(name, trained(build, path, train, args), labelled)
    write_result("conversion_others", {"epochs": args.epochs, "num_train": args.train, "networks": results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
