"""From JPEG file to label, V1 0.25/224 float, 2 threads: mninfer, MediaPipe's ImageClassifier, OpenCV + LiteRT by hand.

By hand twice: as one writes it, and with the crop and the area mean that mninfer computes (contender.py).

usage: python benchmarks/runtime/photo_to_label.py [--photo FILE] [--mediapipe PYTHON] [--rounds 25] [--one-process]

Each contender runs in a process of its own, for each size of picture in a new one: after photos of some megapixels the
C library keeps memory that small ones gain from (--one-process shows by how much). They take turns, five runs of one
picture each. The photo is a 12-megapixel JPEG (../shared's unless stated); the smaller ones are made from it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2

from models import annotated_v1
from sampling import alternate, ratio, summary, write_result

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


class Contender:
    """A contender's process, warm."""

    def __init__(self, name: str, python: str, model: Path, threads: int) -> None:
        command = [python, str(HERE / "contender.py"), name, str(model), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.answer()

    def answer(self) -> list[object]:
        assert self.process.stdout
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"a contender ended: {self.process.args}")
            try:
                return json.loads(line)  # type: ignore[no-any-return]
            except ValueError:
                continue  # a library's own chatter

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def run(self, picture: Path) -> float:
        assert self.process.stdin
        self.process.stdin.write(f"{picture}\n")
        self.process.stdin.flush()
        elapsed_ns = self.answer()[0]
        assert isinstance(elapsed_ns, int)
        return elapsed_ns / 1e6


def pictures(photo: Path, folder: Path) -> dict[str, Path]:
    """The photo at 12 and 3 megapixels and 500 pixels wide."""
    full = cv2.imread(str(photo))
    result = {f"{full.shape[0] * full.shape[1] / 1e6:.0f} megapixels": photo}
    for name, scale in (("3 megapixels", 0.5), ("500 pixels", 500 / full.shape[1])):
        path = folder / f"{name.replace(' ', '_')}.jpg"
        cv2.imwrite(str(path), cv2.resize(full, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        result[name] = path
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, default=ROOT.parent / "shared/images/photo_12mp.jpg")
    mediapipe = os.environ.get("MNKIT_MEDIAPIPE_PYTHON", ROOT / ".venvs/mediapipe/bin/python")
    parser.add_argument("--mediapipe", default=mediapipe)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--one-process", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "mobilenet_v1_025_224.tflite"
        model.write_bytes(annotated_v1(0.25, 224, "float"))
        pythons = dict.fromkeys(("mninfer", "mediapipe", "opencv", "opencv_alike"), sys.executable)
        pythons["mediapipe"] = str(args.mediapipe)
        rows, contenders = {}, started(pythons, model)
        for number, (what, picture) in enumerate(pictures(args.photo, folder).items()):
            if number and not args.one_process:
                for contender in contenders.values():
                    contender.close()
                contenders = started(pythons, model)
            rows[what] = measured(contenders, picture, args.rounds)
    result = {"model": "MobileNet V1 0.25/224 float, random weights", "threads": 2, "pictures": rows}
    write_result("photo_to_label_one_process" if args.one_process else "photo_to_label", result)
    return 0


def started(pythons: Mapping[str, str], model: Path) -> dict[str, Contender]:
    return {name: Contender(name, python, model, 2) for name, python in pythons.items()}


def measured(contenders: dict[str, Contender], picture: Path, rounds: int) -> dict[str, object]:
    samples = alternate(
        {name: (lambda c=contender: c.run(picture)) for name, contender in contenders.items()},  # type: ignore[misc]
        rounds=rounds,
    )
    return {
        "latency_ms": {name: summary(values) for name, values in samples.items()},
        **{
            f"times_faster_than_{other}": ratio(samples[other], samples["mninfer"])
            for other in ("mediapipe", "opencv", "opencv_alike")
        },
    }


if __name__ == "__main__":
    sys.exit(main())
