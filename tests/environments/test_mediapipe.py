"""MediaPipe, in an environment of its own, takes our float32- and uint8-ended files and gives our label.

MNKIT_MEDIAPIPE_PYTHON names that environment's Python (make test sets it).
"""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import pytest

import mninfer
from mninfer.engines.choose import open_engine
from mninfer.model_file.annotating import annotate
from mninfer.preprocessing import PRESETS, PreprocessSpec
from support.networks import CLASSES, red_detector, shapes_float, shapes_int8
from support.pictures import draw_shape

pytestmark = [pytest.mark.environment, pytest.mark.slow]

SCRIPT = Path(__file__).with_name("mediapipe_answers.py")


@pytest.fixture(scope="module")
def mediapipe_python() -> str:
    python = os.environ.get("MNKIT_MEDIAPIPE_PYTHON")
    if not python:
        pytest.skip("no environment with MediaPipe (MNKIT_MEDIAPIPE_PYTHON; make test makes one)")
    return python


def ask(python: str, task: str, models: Sequence[Path], pictures: Sequence[Path]) -> list[list[list[Any]]]:
    """MediaPipe's answers by model and picture."""
    command = [python, str(SCRIPT), task, *map(str, models), "--", *map(str, pictures)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers: list[list[list[Any]]] = json.loads(done.stdout.splitlines()[-1])
    return answers


def attach(path: Path, data: bytes, preprocess: PreprocessSpec | None, labels: Sequence[str] | None) -> Path:
    engine = open_engine(data)
    path.write_bytes(annotate(data, run=engine.run, preprocess=preprocess, labels=labels))
    engine.close()
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One picture of each class."""
    folder = tmp_path_factory.mktemp("pictures")
    made = {}
    for name in CLASSES:
        colour, shape = name.split()
        picture = draw_shape(colour, shape, size=(160, 160), centre=(85, 78), radius=52, background=190)
        made[name] = folder / f"{colour}_{shape}.png"
        cv2.imwrite(str(made[name]), picture[..., ::-1])
    return made


def test_the_classifier_gives_our_labels(mediapipe_python: str, pictures: dict[str, Path], tmp_path: Path) -> None:
    models = [
        attach(tmp_path / "float.tflite", shapes_float(), PRESETS["inception"], CLASSES),
        attach(tmp_path / "uint8.tflite", shapes_int8(ends="uint8"), PRESETS["inception"], CLASSES),
    ]
    theirs = ask(mediapipe_python, "classify", models, list(pictures.values()))
    for path, answers in zip(models, theirs, strict=True):
        with mninfer.load(path) as model:
            ours = [model.classify(picture).best for picture in pictures.values()]
        assert [label for label, _ in answers] == [prediction.label for prediction in ours] == list(CLASSES)
        assert [score for _, score in answers] == pytest.approx([p.score for p in ours], abs=0.05)


def test_the_detector_gives_our_boxes(mediapipe_python: str, pictures: dict[str, Path], tmp_path: Path) -> None:
    unit = PreprocessSpec(mean=(0.0,) * 3, std=(255.0,) * 3)
    path = attach(tmp_path / "red.tflite", red_detector(), unit, ("red thing",))
    picture = pictures["red square"]
    ((label, score, box),) = ask(mediapipe_python, "detect", [path], [picture])[0]
    with mninfer.load(path) as model:
        ours = model.detect(picture)[0]
    assert label == ours.label == "red thing"
    assert score == pytest.approx(ours.score, abs=0.02)
    assert box == pytest.approx(ours.box.to_json(), abs=1)


@pytest.mark.shared
def test_files_by_others_keep_their_answers(mediapipe_python: str, shared: Path, tmp_path: Path) -> None:
    names = ("mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.25_224_quant_with_metadata", "mobilenet_v2_1.0_224_quant")
    paths = [shared / "models" / f"{name}.tflite" for name in names]
    models = [attach(tmp_path / path.name, path.read_bytes(), None, None) for path in paths]
    photos = [shared / "images" / name for name in ("burger.jpg", "parrot.jpg")]
    for path, answers in zip(models, ask(mediapipe_python, "classify", models, photos), strict=True):
        with mninfer.load(path) as model:
            ours = [model.classify(photo).best.label for photo in photos]
        assert [label for label, _ in answers] == ours
        assert ours[0] == "cheeseburger"
