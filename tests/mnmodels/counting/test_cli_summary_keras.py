"""``mnmodels summary`` of networks of the registry and of Keras files."""

import json
from pathlib import Path

import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")
# ruff: noqa: E402 - what imports Keras comes after

from mnmodels.cli.main import main

SMALL = ("--alpha", "0.25", "--form", "cifar_small", "--option", "classes=10")


def summary(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capfd.readouterr()
    code = main(["summary", *(str(argument) for argument in arguments)])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_network_of_the_registry_is_counted_as_its_options_say(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = summary(capfd, "mobilenet_v1", *SMALL)
    assert code == 0
    assert "mobilenet_v1 alpha=0.25 form=cifar_small classes=10  (input 32 x 32 x 3, 89 layers)" in out
    assert "9.182 M  (9,181,696), FLOPs 18.36 M" in out
    assert "trainable 215.6 k  (215,642), not trained 5,472" in out


def test_a_file_and_the_network_that_it_holds_count_alike(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from mnmodels import build_model

    path = tmp_path / "small.keras"
    build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10).save(path)
    of_file = json.loads(summary(capfd, path, "--json")[1])
    of_name = json.loads(summary(capfd, "mobilenet_v1", *SMALL, "--json")[1])
    assert of_file.pop("model") == str(path)
    assert of_name.pop("model").startswith("mobilenet_v1")
    assert of_file == of_name


def test_a_layer_without_a_rule_is_warned_of(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "own.keras"
    inputs = keras.Input((4, 5))
    keras.Model(inputs, keras.layers.LSTM(3, name="memory")(inputs)).save(path)
    code, out, err = summary(capfd, path)
    assert code == 0
    assert 'warning: no rule counts the multiply-adds of "memory" (LSTM): the sum is without them' in err
    assert "not counted     memory (LSTM)" in out


def test_a_wrong_option_is_told_with_a_near_one(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = summary(capfd, "mobilenet_v1", "--option", "clases=10")
    assert code == 2
    assert "classes" in err


def test_a_size_that_a_network_does_not_have_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = summary(capfd, "mobilenet_v1", *SMALL, "--input-size", "64x64")
    assert code == 1
    assert "32 x 32 pixels, not 64 x 64" in err
