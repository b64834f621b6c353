"""A model of ours and a photo, for the works that begin with one."""

from pathlib import Path

import cv2
import pytest

from mnbench.cell import Cell, Work
from mnbench.job import Budget, Job
from mninfer.cli.main import main
from support.networks import CLASSES, shapes_float
from support.pictures import shape_pictures


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG that is larger than the input, and not square."""
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    (picture,), _ = shape_pictures(1, seed=5, size=(320, 240))
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    return path


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network of shapes as a file of ours."""
    folder = tmp_path_factory.mktemp("classifier")
    (folder / "bare.tflite").write_bytes(shapes_float())
    (folder / "labels.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")
    options = ["--preprocess", "inception", "--labels", str(folder / "labels.txt")]
    assert main(["annotate", str(folder / "bare.tflite"), *options, "-o", str(folder / "shapes.tflite")]) == 0
    return folder / "shapes.tflite"


@pytest.fixture
def photo_job(classifier: Path, photo: Path) -> Job:
    """From that photo to its label, with that model."""
    return Job(
        cell=Cell(work=Work.PHOTO_TO_LABEL, model="shapes", engine="mninfer"),
        budget=Budget(seconds=0.05, warm_up_seconds=0.02),
        file=classifier,
        picture=photo,
    )
