"""The whole process from nothing to a label: `mninfer classify MODEL IMAGE`, its bare parts, and MediaPipe.

usage: python benchmarks/runtime/cold_start.py [--mediapipe PYTHON] [--rounds 15]

Wall time and peak memory of each process as the operating system accounts them, taken in turn.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

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


# A process of its own, because what the system counts as a process's peak begins with the memory of who started it.
LAUNCHER = """
import os, sys, time
quiet = os.open(os.devnull, os.O_WRONLY)
begin = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
                     file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)])
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - begin, usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


def run_process(command: list[str], peaks_mib: list[float]) -> float:
    """Seconds of wall time; the peak memory is appended."""
    launched = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LAUNCHER, *command], capture_output=True, text=True, check=True
    )
    elapsed_s, peak_kib, exit_code = launched.stdout.split()
    if int(exit_code):
        raise SystemExit(f"exit code {exit_code}: {command}")
    peaks_mib.append(int(peak_kib) / 1024)
    return float(elapsed_s)


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
        samples = alternate(
            {name: (lambda c=command, p=peaks[name]: run_process(c, p)) for name, command in commands.items()},  # type: ignore[misc]
            rounds=args.rounds,
        )
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
