"""The examples in the documentation of the public functions, run in a folder with the files that they name."""

import doctest
from pathlib import Path

import cv2
import numpy as np
import pytest

import mninfer
import mninfer.draw
import mninfer.images
import mninfer.loading
import mninfer.model
from mninfer.model_file.annotating import annotate
from mninfer.preprocessing import PRESETS
from support.networks import colour_segmenter, embedder, red_detector, shapes_float
from support.pictures import CLASSES, draw_shape

MODULES = (mninfer, mninfer.loading, mninfer.model, mninfer.draw)
EXAMPLES = [
    test
    for module in MODULES
    for test in doctest.DocTestFinder().find(module, extraglobs={"mninfer": mninfer, "numpy": np})
    if test.examples
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    foreign = shapes_float()
    ours = annotate(foreign, run=mninfer.load(foreign).run, preprocess=PRESETS["inception"], labels=CLASSES)
    models = {
        "foreign": foreign,
        "model": ours,
        "detector": red_detector(),
        "segmenter": colour_segmenter(),
        "embedder": embedder(),
    }
    for name, data in models.items():
        (folder / f"{name}.tflite").write_bytes(data)
    (folder / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    picture = draw_shape("red", "circle", size=(160, 120), centre=(80, 60), radius=38, background=70)
    cv2.imwrite(str(folder / "photo.png"), picture[:, :, ::-1])
    return folder


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda test: test.name)
def test_the_example_gives_what_it_says(
    example: doctest.DocTest, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example)
    assert not runner.failures, capsys.readouterr().out


def test_what_is_public_has_an_example() -> None:
    names = {test.name.rsplit(".", 1)[-1] for test in EXAMPLES}
    assert names >= {"load", "classify", "detect", "segment", "embed", "classify_many", "run", "check", "draw"}
