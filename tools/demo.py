"""Show the runtime at work on a small model and pictures of ours: make demo.

usage: python tools/demo.py [FOLDER]

Leaves a model, its labels and pictures in FOLDER (demo/ by default) for the README's commands to be tried on. Needs the
base install only.
"""

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import cv2

from support.networks import shapes_int8
from support.pictures import CLASSES, draw_shape

PICTURES = ("red circle", "green square", "blue triangle", "yellow cross")
SIZE = (320, 240)


def write_inputs(folder: Path) -> None:
    """A bare model as a training tool would leave it, its labels, and four drawn pictures."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    (folder / "bare.tflite").write_bytes(shapes_int8(ends="uint8"))
    (folder / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    for index, name in enumerate(PICTURES):
        colour, shape = name.split()
        centre = (120.0 + 25 * index, 115.0 + 5 * index)
        picture = draw_shape(colour, shape, size=SIZE, centre=centre, radius=80, background=90 + 40 * index)
        path = folder / "pictures" / f"{name.replace(' ', '_')}.jpg"
        encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
        path.write_bytes(encoded.tobytes())


def run(folder: Path, story: str, command: str) -> None:
    """Tell, show and run one command; a failure ends the demo with that command's exit code."""
    print(f"\n{story}\n  $ {command}", flush=True)
    program = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(program, cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "demo").resolve()
    write_inputs(folder)
    print(f"A bare int8 model that knows shapes and colours, its labels and {len(PICTURES)} pictures are in {folder}")
    run(
        folder,
        "A bare .tflite doesn't say how a picture becomes its input. Say it once; it travels in the file.",
        "mninfer annotate bare.tflite --preprocess inception --labels labels.txt -o shapes.tflite --force",
    )
    run(folder, "What is in the file:", "mninfer info shapes.tflite")
    run(
        folder,
        "Name the pictures, and save them with their labels drawn on:",
        "mninfer classify shapes.tflite pictures --top 2 --save-images drawn --force",
    )
    run(folder, "Does this engine give the answers that the file was made with?", "mninfer check shapes.tflite")
    print(f"\nDone. Look at {folder / 'drawn'}, then try your own: {Path(sys.executable).parent / 'mninfer'} --help")
    return 0


if __name__ == "__main__":
    sys.exit(main())
