"""The whole process from nothing to a label: `mninfer classify MODEL IMAGE`, its bare parts, and MediaPipe.

usage: python benchmarks/runtime/cold_start.py [--mediapipe PYTHON] [--rounds 15]

Wall time and peak memory of each process as the operating system accounts them, taken in turn.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from mnbench.workloads.launcher import Launcher
from models import annotated_v1
from sampling import alternate, ratio, summary, write_result

ROOT = Path(__file__).parents[2]
BARE = """
import sys, numpy as np, cv2
from ai_edge_litert.interpreter import Interpreter
i = Interpreter(model_path=sys.argv[1], num_threads=2); i.allocate_tensors()
d = i.get_input_details()[0]
x = cv2.resize(cv2.imread(sys.argv[2])[..., ::-1], (224, 224)).astype(np.float32) / 127.5 - 1
i.set_tensor(d["index"], x[None]); i.invoke(); print(i.get_tensor(i.get_output_details()[0]["index"])[0].argmax())
"""
MEDIAPIPE = """
import sys, mediapipe
from mediapipe.tasks.python import vision
from mediapipe.tasks.python.core.base_options import BaseOptions
c = vision.ImageClassifier.create_from_options(
    vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]), max_results=5))
print(c.classify(mediapipe.Image.create_from_file(sys.argv[2])).classifications[0].categories[0].category_name)
"""


def run_process(launcher: Launcher, peaks_mib: list[float]) -> float:
    """Seconds of wall time; the peak memory is appended."""
    ended = launcher.launch()
    if ended.exit_code:
        raise SystemExit(f"exit code {ended.exit_code}: {launcher.command}")
    peaks_mib.append(ended.peak_bytes / 2**20)
    return ended.elapsed_ns / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    mediapipe = os.environ.get("MNKIT_MEDIAPIPE_PYTHON", ROOT / ".venvs/mediapipe/bin/python")
    parser.add_argument("--mediapipe", default=mediapipe)
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    mninfer = str(Path(sys.executable).with_name("mninfer"))
    with tempfile.TemporaryDirectory() as name:
        model, picture = Path(name) / "model.tflite", Path(name) / "picture.jpg"
        model.write_bytes(annotated_v1(0.25, 224, "float"))
        rng = np.random.default_rng(0)
        cv2.imwrite(str(picture), cv2.resize(rng.integers(0, 256, (12, 16, 3), np.uint8), (500, 375)))
        paths = [str(model), str(picture)]
        commands = {
            "mninfer classify": [mninfer, "classify", *paths, "--threads", "2"],
            "bare parts": [sys.executable, "-c", BARE, *paths],
            "mediapipe": [str(args.mediapipe), "-c", MEDIAPIPE, *paths],
        }
        peaks: dict[str, list[float]] = {name: [] for name in commands}
        launchers = {name: Launcher(command) for name, command in commands.items()}
        samples = alternate(
            {name: (lambda c=launcher, p=peaks[name]: run_process(c, p)) for name, launcher in launchers.items()},  # type: ignore[misc]
            rounds=args.rounds,
        )
        for launcher in launchers.values():
            launcher.close()
    result = {
        "model": "MobileNet V1 0.25/224 float, random weights; JPEG of 500 x 375",
        "elapsed_s": {name: summary(values) for name, values in samples.items()},
        "peak_memory_mib": {name: summary(values) for name, values in peaks.items()},
        "times_faster_than_mediapipe": ratio(samples["mediapipe"], samples["mninfer classify"]),
        "over_bare_parts": ratio(samples["mninfer classify"], samples["bare parts"]),
    }
    write_result("cold_start", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
