"""Models and pictures that tests of commands share, and the command itself in this process."""

from pathlib import Path

import cv2
import pytest

from mninfer.cli.main import main
from support.commands import Cli, in_this_process
from support.networks import (
    CLASSES,
    COLOUR_LABELS,
    colour_segmenter,
    embedder,
    red_detector,
    shapes_float,
    shapes_int8,
)
from support.pictures import shape_pictures


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """``cli("classify", model, picture)`` -> exit code, stdout, stderr."""
    return in_this_process(main, capfd)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of shapes, shapes8, colours, red and features.tflite, annotated by us; ``bare_*`` are as found."""
    folder = tmp_path_factory.mktemp("models")
    made = {
        "shapes": (shapes_float(), CLASSES, "inception"),
        "shapes8": (shapes_int8(), CLASSES, "inception"),
        "colours": (colour_segmenter(), COLOUR_LABELS, "mean=0,std=255"),
        "red": (red_detector(), ("red thing",), "mean=0,std=255"),
        "features": (embedder(), None, "inception"),
    }
    for name, (data, labels, preprocess) in made.items():
        bare = folder / f"bare_{name}.tflite"
        bare.write_bytes(data)
        options = ["--preprocess", preprocess]
        if labels:
            (folder / f"{name}.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")
            options += ["--labels", str(folder / f"{name}.txt")]
        else:
            options += ["--task", "embed"]
        assert main(["annotate", str(bare), *options, "-o", str(folder / f"{name}.tflite")]) == 0
    return folder


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures whose names say what is in them: ``0_red_circle.png``, …, two of them in ``more/``."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "more").mkdir()
    pictures, labels = shape_pictures(8, seed=5, size=(160, 120))
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        name = f"{number}_{CLASSES[label].replace(' ', '_')}.png"
        place = folder / "more" if number >= 6 else folder
        assert cv2.imwrite(str(place / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return folder
