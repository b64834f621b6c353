"""train, plot and finetune through their entry point: outcomes, messages, exit codes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from mninfer.model_file import SourceContract
from mninfer.preprocessing import parse_preprocess
from mnmodels.cli.main import main
from mnmodels.keras_file import load_keras, read_source_contract, save_keras
from support.corners import Corners

TINY = ("--alpha", "0.1", "--batch", "16", "--epochs", "1")


def write_pictures(folder: Path, num: int, seed: int) -> None:
    corners = Corners(num, seed)
    for index, (image, kind) in enumerate(zip(corners.images, corners.classes, strict=True)):
        path = folder / corners.labels[kind] / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.resize(image, (32, 32), interpolation=cv2.INTER_NEAREST))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_pictures(folder / "train", 48, 0)
    write_pictures(folder / "test", 20, 1)
    return folder


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    code = main(["train", "cifar10_mobilenet_v1_025", "--data", str(pictures), "--folder", str(folder), *TINY])
    assert code == 0
    return folder


def test_train_leaves_a_model_a_log_and_a_result(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert {"model.keras", "best.keras", "checkpoint.npz", "log.csv", "result.json"} <= names
    assert load_keras(run / "model.keras").model.output_shape == (None, 3)


def test_train_goes_on_to_say_that_all_is_done(
    run: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All epochs are done: what is left is to write the model, also as .h5."""
    output = tmp_path / "tiny.h5"
    arguments = ["--data", str(pictures), "--folder", str(run), *TINY, "--resume", "-o", str(output), "--json"]
    assert main(["train", "cifar10_mobilenet_v1_025", *arguments]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["last"]["epoch"] == 1
    contract = read_source_contract(output)
    assert contract is not None
    assert contract.labels == ("bottom", "left", "right")


def test_train_refuses_to_begin_over_a_run(run: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "cifar10_mobilenet_v1_025", "--data", str(pictures), "--folder", str(run), *TINY]) == 1
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["train"], 2, "--list"),
        (["train", "cifar10_mobilenet_v1_25"], 1, "cifar10_mobilenet_v1_025"),
        (["train", "cifar10_mobilenet_v1_025", "--set", "train.epochs"], 2, "KEY=VALUE"),
        (["train", "cifar10_mobilenet_v1_025", "--set", "train.epoch=3"], 1, "epochs"),
        (["train", "cifar10_mobilenet_v1_025", "--epochs", "0"], 1, "from 1 to"),
        (["train", "cifar10_mobilenet_v1_025", "--epochs", "3", "--set", "train.epochs=5"], 2, "is stated twice"),
        (["train", "cifar10_mobilenet_v1_025", "--data", "nowhere", "-o", ""], 1, "a name in .keras or .h5"),
        (["regroup", "nowhere.h5", "--alpha", "0.5", "-o", "x.keras"], 2, "--arch NAME"),
        (["train", "cifar10_mobilenet_v1_025", "--backend", "tensorflw"], 2, "tensorflow"),
        (["plot", "nowhere"], 1, "no log"),
        (["finetune", "nowhere", "-o", "x.keras", "--base", "nowhere.keras"], 1, "nowhere.keras"),
        (["finetune", "nowhere"], 2, "--output"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_another_network_of_unknown_name_is_told(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(pictures), "--folder", str(tmp_path / "run"), "--model", "mobilnet_v1"]
    assert main(["train", "cifar10_mobilenet_v1_025", "--batch", "16", *arguments]) == 1
    assert "mobilenet_v1" in capsys.readouterr().err


def test_resuming_what_never_began_leaves_nothing(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(pictures), "--folder", str(tmp_path / "run"), *TINY, "--resume"]
    assert main(["train", "cifar10_mobilenet_v1_025", *arguments]) == 1
    assert "nothing to resume" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_data_without_a_test_part_is_not_validated_on_itself(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--data", str(pictures / "train"), "--folder", str(tmp_path / "run"), *TINY]
    assert main(["train", "cifar10_mobilenet_v1_025", *arguments]) == 1
    assert "data.validation" in capsys.readouterr().err


def test_pictures_that_are_skipped_are_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, base = tmp_path / "pictures", tmp_path / "run" / "model.keras"
    write_pictures(data, 48, 0)
    (data / "left" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    skip = ("--on-corrupt", "skip")
    arguments = ["--data", str(data), "--folder", str(base.parent), *TINY, "--set", "data.validation=0.3", *skip]
    assert main(["train", "cifar10_mobilenet_v1_025", *arguments]) == 0
    assert capsys.readouterr().err.count("skipped: left/broken.png: damaged PNG") == 1
    arguments = ["--base", str(base), "--head-epochs", "1", "--epochs", "0", "--folder", str(tmp_path / "two"), *skip]
    assert main(["finetune", str(data), *arguments, "-o", str(tmp_path / "mine.h5")]) == 0
    assert capsys.readouterr().err.count("skipped: left/broken.png: damaged PNG") == 1


def test_the_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--list"]) == 0
    assert "cifar10_mobilenet_v1_025" in capsys.readouterr().out
    assert main(["train", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cifar10_mobilenet_v1_025"]["model"]["alpha"] == 0.25


def test_plot_draws_one_run_and_two(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for logs in ([run], [run, run / "log.csv"]):
        output = tmp_path / f"{len(logs)}.png"
        assert main(["plot", *map(str, logs), "-o", str(output)]) == 0
        image = cv2.imdecode(np.frombuffer(output.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (500, 1200, 3)
        assert image.std() > 5
    assert "1 epochs" in capsys.readouterr().out
    assert main(["plot", str(run), "-o", str(tmp_path / "1.png")]) == 1
    assert "--force" in capsys.readouterr().err


def test_runs_of_one_name_are_told_apart(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All of finetune's are called 1_head and 2_whole."""
    places = [tmp_path / name / "1_head" for name in ("flowers", "tulips")]
    for place in places:
        place.mkdir(parents=True)
        (place / "log.csv").write_bytes((run / "log.csv").read_bytes())
    other = places[0] / "before.csv"
    other.write_bytes((run / "log.csv").read_bytes())
    output = tmp_path / "both.png"
    assert main(["plot", *map(str, places), str(other), str(places[0] / "log.csv"), "-o", str(output)]) == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names[:-1] == ["flowers/1_head", "tulips/1_head", "1_head/before"]
    assert main(["plot", str(tmp_path / "flowers")]) == 1
    assert str(places[0]) in capsys.readouterr().err.partition("try:")[2]


def test_plot_writes_a_png_and_says_so(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", str(run), "-o", str(tmp_path / "curves.jpg")]) == 1
    assert "a name in .png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "{run}/best.keras", "--force"], "the run writes this file itself"),
        (["--weights", "{run}/best.keras", "--force"], "--folder ANOTHER"),
    ],
)
def test_a_runs_own_files_are_neither_written_over_nor_lost(
    run: Path, pictures: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    arguments = [each.format(run=run) for each in arguments]
    known = ["--data", str(pictures), "--folder", str(run), *TINY]
    assert main(["train", "cifar10_mobilenet_v1_025", *known, *arguments]) == 1
    assert told in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize(
    ("is_installed", "told"),
    [(False, "python -m pip install tensorboard"), (True, "TensorBoard's files can't be written")],
)
def test_a_tensorboard_that_cannot_be_written_is_told_before_training(
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_installed: bool,
    told: str,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("mnmodels.training.logs.find_spec", lambda _: object() if is_installed else None)
    arguments = ["--data", str(pictures), "--folder", str(tmp_path / "run"), *TINY]
    assert main(["train", "cifar10_mobilenet_v1_025", *arguments, "--tensorboard", str(tmp_path / "file")]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_finetune_keeps_the_base_that_it_begins_with(
    run: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "mine" / "2_whole" / "best.keras"
    base.parent.mkdir(parents=True)
    base.write_bytes((run / "best.keras").read_bytes())
    arguments = ["--base", str(base), "--folder", str(tmp_path / "mine"), "--force", "-o", str(tmp_path / "new.keras")]
    assert main(["finetune", str(pictures), *arguments]) == 1
    assert "--folder ANOTHER" in capsys.readouterr().err
    assert base.exists()


def test_finetune_writes_what_converts_without_a_flag(
    run: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mine.h5"
    arguments = ["--base", str(run / "model.keras"), "--head-epochs", "1", "--epochs", "1", "--batch", "8"]
    code = main(
        [
            "finetune",
            str(pictures / "train"),
            *arguments,
            "--folder",
            str(tmp_path / "run"),
            "-o",
            str(output),
            "--json",
        ]
    )
    assert code == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ["bottom", "left", "right"]
    contract = read_source_contract(output)
    assert contract is not None
    assert contract.labels == ("bottom", "left", "right")
    assert contract.preprocess is not None
    assert contract.preprocess.mean == (127.5, 127.5, 127.5)
    assert load_keras(output).model.output_shape == (None, 3)


def test_finetune_never_guesses_preprocessing(
    run: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.keras"
    save_keras(load_keras(run / "model.keras").model, bare, contract=SourceContract(labels=None, preprocess=None))
    assert main(["finetune", str(pictures), "--base", str(bare), "-o", str(tmp_path / "out.keras")]) == 1
    assert "--preprocess" in capsys.readouterr().err
    assert parse_preprocess("inception").std == (127.5, 127.5, 127.5)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["train", "cifar10_mobilenet_v1_025", "--data", "{data}", "-o", "out.txt"], 1, "a name in .keras or .h5"),
        (["finetune", "{data}", "-o", "out.txt"], 1, "a name in .keras or .h5"),
        (["finetune", "{data}", "-o", "absent/out.h5"], 1, "make the folder first"),
        (["finetune", "{data}", "-o", "o.h5", "--base", "b.h5", "--alpha", "1"], 2, "leave out --alpha"),
        (["finetune", "{data}", "-o", "o.h5", "--labels", "l.txt"], 2, "No such option"),
    ],
)
def test_what_would_fail_in_the_end_fails_in_the_beginning(
    pictures: Path, arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([each.format(data=pictures) for each in arguments]) == code
    assert told in capsys.readouterr().err
