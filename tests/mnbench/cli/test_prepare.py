"""``mnbench prepare`` from its entry point: exit codes, messages, and what it makes of files."""

import json
from pathlib import Path

import pytest

from mnbench.cli.main import main
from support.networks import shapes_int8

pytestmark = pytest.mark.smoke


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "kitchen.tflite"
    path.write_bytes(shapes_int8())
    return path


def test_a_flatbuffer_is_prepared(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model.parent / "models"
    assert main(["prepare", "--models", str(model), "-o", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"kitchen (kitchen.tflite): {folder / 'kitchen'}"
    assert "  int8     0.0 MB" in lines
    assert any(line.startswith("  float32       -  the file is int8") for line in lines)
    assert (folder / "kitchen" / "bundle.json").exists()


def test_what_was_made_can_be_asked_for_again(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = model.parent / "models"
    main(["prepare", "--models", str(model), "--batch", "1,2", "-o", str(folder)])
    capsys.readouterr()
    assert main(["prepare", "--models", str(folder / "kitchen"), "--json"]) == 0
    (value,) = json.loads(capsys.readouterr().out)
    assert set(value["inputs"]) == {"1", "2"}
    assert value["missing"]["int8@b2"] == "the file is made for a batch of 1"


def test_without_a_folder_it_is_the_cache(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(model.parent / "cache"))
    assert main(["prepare", "--models", str(model)]) == 0
    assert str(model.parent / "cache" / "mnkit" / "mnbench" / "kitchen") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--models", "mobilnet_v1"], 1, 'did you mean "mobilenet_v1"?'),
        (["--models", "absent.tflite"], 1, "there is no such model file"),
        (["--variants", "int9"], 2, 'Did you mean "int8"?'),
        (["--batch", "0"], 2, '--batch: "0" is no whole number'),
        (["-o", ""], 2, "-o is given, and empty"),
    ],
)
def test_what_can_not_be_is_told(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", *arguments]) == code
    assert message in capsys.readouterr().err


def test_a_folder_that_can_not_be_made_is_a_known_error(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--models", str(model), "-o", str(model / "below")]) == 1
    assert "can't be made" in capsys.readouterr().err
