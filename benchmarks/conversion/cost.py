"""What an int8 conversion costs and gives beside the stock converter's: seconds, memory, operators, size, latency.

usage: python benchmarks/conversion/cost.py [--shared ../shared] [--rounds 3] [--network NAME]... [--tflite-runtime PY]

Each conversion runs in a process of its own, by turns: the stock converter's float file of the same Keras model (which
is read by us: Keras itself reads not every era), and our int8, both after TensorFlow has started. Latency: our int8 and
the stock int8, calibrated on noise, in alternating runs on LiteRT and, in an environment of its own, on tflite-runtime.
Writes benchmarks/results/conversion_cost.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))

import mnconvert
from mnconvert.config import ConvertConfig, Variant
from mninfer.model_file import check_model
from networks import NETWORKS, ROOT, open_network
from sampling import write_result

THREADS = (1, 2)


def once(kind: str, name: str, shared: Path) -> dict[str, float]:
    """In this process: seconds after TensorFlow's start, and the peak of memory."""
    from mnmodels.backend import start_keras

    start_keras("tensorflow")
    began = time.monotonic()
    if kind == "stock":
        import tensorflow

        from mnmodels.keras_file import load_keras

        converter = tensorflow.lite.TFLiteConverter.from_keras_model(load_keras(shared / NETWORKS[name]).model)
        size = len(converter.convert())
    else:
        size = len(mnconvert.convert(shared / NETWORKS[name], ConvertConfig(variant=Variant.INT8)).data)
    return {"seconds": time.monotonic() - began, "peak_mib": peak_mib(), "size_bytes": size}


def peak_mib() -> float:
    """Of this program: getrusage's begins with what the process before exec had (Linux)."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def conversions(name: str, shared: Path, rounds: int) -> dict[str, Any]:
    """Both, by turns, each in a process of its own."""
    found: dict[str, list[dict[str, float]]] = {"stock": [], "ours": []}
    for _ in range(rounds):
        for kind, runs in found.items():
            arguments = [sys.executable, __file__, "--once", kind, "--network", name, "--shared", str(shared)]
            done = subprocess.run(arguments, capture_output=True, text=True, check=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    middle = {
        kind: {key: round(float(np.median([run[key] for run in runs])), 2) for key in runs[0]}
        for kind, runs in found.items()
    }
    return middle | {
        "seconds_beyond": round(middle["ours"]["seconds"] - middle["stock"]["seconds"], 2),
        "memory_ratio": round(middle["ours"]["peak_mib"] / middle["stock"]["peak_mib"], 3),
        "size_of_float": round(middle["ours"]["size_bytes"] / middle["stock"]["size_bytes"], 3),
    }


def latencies(name: str, shared: Path, engines: dict[str, str]) -> dict[str, Any]:
    from stock import stock_int8

    source = open_network(name, shared)
    shape = (1, *source.model.input_shape[1:])
    random = np.random.default_rng(0)
    noise = [random.uniform(-1, 1, shape).astype(np.float32) for _ in range(2)]
    files = {
        "ours": mnconvert.convert(source, ConvertConfig(variant=Variant.INT8)).data,
        "stock": stock_int8(source, lambda: iter(noise)),
    }
    names = {kind: [operator.name for operator in check_model(data).operators] for kind, data in files.items()}
    rows: dict[str, Any] = {"is_same_operators": names["ours"] == names["stock"], "num_operators": len(names["ours"])}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{kind}.tflite" for kind in files]
        for path, data in zip(paths, files.values(), strict=True):
            path.write_bytes(data)
        for engine, python in engines.items():
            for threads in THREADS:
                rows[f"{engine}, {threads} threads"] = _timed([python, *paths, engine, threads])
    return rows


def _timed(arguments: list[Any]) -> dict[str, Any]:
    python, *rest = map(str, arguments)
    script = str(Path(__file__).with_name("side_by_side.py"))
    done = subprocess.run([python, script, *rest], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--network", action="append", choices=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tflite-runtime", default=str(ROOT / ".venvs/tflite_runtime/bin/python"), metavar="PY")
    parser.add_argument("--once", choices=("stock", "ours"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(once(args.once, args.network[0], args.shared)))
        return 0
    engines = {"litert": sys.executable, "tflite-runtime": args.tflite_runtime}
    results = {
        name: {
            "conversion": conversions(name, args.shared, args.rounds),
            "latency": latencies(name, args.shared, engines),
        }
        for name in args.network or NETWORKS
    }
    write_result("conversion_cost", {"networks": results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
