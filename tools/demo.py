"""Show the whole way on a shipped network and pictures of ours: make demo.

usage: python tools/demo.py [FOLDER] [--converter PYTHON]

A trained Keras file becomes every variant of a .tflite, which a base install then runs on drawn pictures; a bare
.tflite of somebody else gets what it lacks. Leaves all of it in FOLDER (demo/ by default) for the README's commands to
be tried on. PYTHON has the extra `convert`, that is TensorFlow; without it, only what the base install does is shown.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

import cv2
import numpy as np

from demo_pictures import SCENES, draw_scene
from support.networks import shapes_int8
from support.pictures import CLASSES, draw_shape

PICTURES = ("red circle", "green square", "blue triangle", "yellow cross")
SIZE = (320, 240)
SHIPPED = ROOT / "models" / "pretrained" / "mobilenet_v1_025_cifar10.h5"


def write_inputs(folder: Path) -> None:
    """A trained Keras file; a bare model, as others would leave it, and its labels; drawn pictures for both."""
    folder.mkdir(parents=True, exist_ok=True)
    write_network(folder)
    (folder / "bare.tflite").write_bytes(shapes_int8(ends="uint8"))
    (folder / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    for index, name in enumerate(PICTURES):
        colour, shape = name.split()
        centre = (120.0 + 25 * index, 115.0 + 5 * index)
        picture = draw_shape(colour, shape, size=SIZE, centre=centre, radius=80, background=90 + 40 * index)
        write_picture(folder / "pictures" / f"{name.replace(' ', '_')}.jpg", picture)


def write_network(folder: Path) -> None:
    """The shipped Keras file as ``mobilenet.h5``, and in ``things`` what it knows."""
    shutil.copy(SHIPPED, folder / "mobilenet.h5")
    for name in SCENES:
        write_picture(folder / "things" / f"{name}.jpg", draw_scene(name))


def write_picture(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    path.write_bytes(encoded.tobytes())


def run(folder: Path, story: str, command: str, python: str = sys.executable) -> None:
    """Tell, show and run one command; a failure ends the demo with that command's exit code."""
    print(f"\n{story}\n  $ {command}", flush=True)
    done = subprocess.run([python, "-m", *shlex.split(command)], cwd=folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def show_conversion(folder: Path, converter: str) -> None:
    run(
        folder,
        "A Keras file, trained on CIFAR-10 and shipped here, as every kind of .tflite. No picture is needed\n"
        "for it; each file is held against the Keras model before it is written.",
        "mnconvert --all mobilenet.h5 -o variants --report variants.html --force",
        converter,
    )
    run(
        folder,
        "The runtime alone names what was drawn for it; labels and preprocessing are in the file:",
        "mninfer classify variants/mobilenet_int8.tflite things --top 2",
    )
    run(
        folder,
        "Does this engine give the answers that the file was made with?",
        "mninfer check variants/mobilenet_int8.tflite",
    )


def show_runtime(folder: Path) -> None:
    run(
        folder,
        "A bare .tflite by others doesn't say how a picture becomes its input. Say it once; it travels in the file.",
        "mninfer annotate bare.tflite --preprocess inception --labels labels.txt -o shapes.tflite --force",
    )
    run(folder, "What is in the file:", "mninfer info shapes.tflite")
    run(
        folder,
        "Name the pictures, and save them with their labels drawn on:",
        "mninfer classify shapes.tflite pictures --top 2 --save-images drawn --force",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "demo")
    parser.add_argument("--converter", metavar="PYTHON", help="has the extra `convert`")
    options = parser.parse_args()
    folder = options.folder.resolve()
    write_inputs(folder)
    print(f"A trained network, a bare model and {len(SCENES) + len(PICTURES)} drawn pictures are in {folder}")
    if options.converter:
        # Absolute, but not resolved: a link of an environment's Python is what makes it that environment's.
        show_conversion(folder, str(Path(options.converter).absolute()))
    show_runtime(folder)
    print("\nDone. Look at")
    looks = ("variants.html", "drawn") if options.converter else ("drawn",)
    for name in looks:
        print(f"  {folder / name}")
    print(f"then try your own: {Path(sys.executable).parent / 'mninfer'} --help")
    return 0


if __name__ == "__main__":
    sys.exit(main())
