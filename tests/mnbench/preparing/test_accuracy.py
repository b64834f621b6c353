"""The accuracy of a bundle's variants: measured on labelled pictures, kept in bundle.json."""

from pathlib import Path

import pytest

from mnbench.cell import Variant
from mnbench.cli.main import main
from mnbench.preparing import prepare, read_bundle
from mnbench.preparing.accuracy import with_accuracy
from mninfer.errors import InputError
from mninfer.model_file.annotating import annotate
from mninfer.preprocessing import parse_preprocess
from mnmodels.data import open_data
from support.commands import in_this_process
from support.labelled import encoded, write_tree
from support.network import float_model, initial_network

pytestmark = pytest.mark.smoke

KINDS = ("dark", "light")


def write_photos(folder: Path, names: tuple[str, ...]) -> None:
    """Six pictures of each class, in train and test as data sets have them."""
    files = {f"{name}/{n}.png": encoded(90 * i + n, (40, 32)) for i, name in enumerate(names) for n in range(6)}
    for part in ("train", "test"):
        write_tree(folder / part, files)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    import mninfer

    data = float_model(initial_network([(8, 2), (16, 1)], len(KINDS), seed=0), (32, 32))
    spec = parse_preprocess("inception", resize="stretch")
    with mninfer.load(data, preprocess="inception", resize="stretch") as loaded:
        data = annotate(data, run=loaded.engine.run, preprocess=spec, labels=KINDS)
    path = tmp_path / "small.tflite"
    path.write_bytes(data)
    return path


def test_every_variant_has_its_accuracy(model: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", KINDS)
    pictures = open_data(str(tmp_path / "photos"), split="test")
    (bundle,) = prepare([str(model)], folder=tmp_path / "bundles")
    told = with_accuracy(bundle, pictures, source="a test", watch=lambda _: None)
    facts = told.model.accuracy[str(Variant.FLOAT32)]
    assert facts["n"] == len(pictures)
    assert 0 <= facts["top1_percent"] <= 100
    assert facts["standard_error"] >= 0
    assert facts["source"] == "a test"
    assert read_bundle(bundle.folder).model.accuracy == told.model.accuracy
    (again,) = prepare([str(model)], folder=tmp_path / "bundles")
    assert again.model.accuracy == told.model.accuracy


def test_other_classes_are_refused(model: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ("cats", "dogs"))
    pictures = open_data(str(tmp_path / "photos"), split="test")
    (bundle,) = prepare([str(model)], folder=tmp_path / "bundles")
    with pytest.raises(InputError):
        with_accuracy(bundle, pictures, source="a test", watch=lambda _: None)


def test_the_command_measures_it_and_says_so(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_photos(tmp_path / "photos", KINDS)
    cli = in_this_process(main, capfd)
    line = ("prepare", "--models", model, "--evaluate", tmp_path / "photos", "-o", tmp_path / "bundles")
    outcome = cli(*line)
    assert outcome.code == 0, outcome.err
    assert "top-1 " in outcome.out
    assert cli("prepare", "--models", model, "--classes-from", "x.csv").code == 2
    assert cli("prepare", "--models", model, "--evaluate", "").code == 2
    assert cli("prepare", "--models", model, "--evaluate", tmp_path / "none", "-o", tmp_path / "bundles").code == 1
