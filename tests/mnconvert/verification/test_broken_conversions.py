"""Conversions that are known to be broken, of a network with real weights, end in exit code 3 and no file."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

from measure_limits import Labelled, Network, network, noise, stock
from mnconvert.cli.main import main
from mnconvert.converting import Stages

pytestmark = [pytest.mark.slow, pytest.mark.shared]


@pytest.fixture(scope="module")
def path(shared: Path) -> Path:
    return shared / "models" / "imagenet_mobilenet_v1_025_128.h5"


@pytest.fixture(scope="module")
def mobilenet(path: Path) -> Network:
    return network(path, Labelled([], [], []))


def convert(path: Path, out: Path, *options: str) -> int:
    return main(["--quantize", "int8", str(path), "-o", str(out), *options])


def test_ours_is_written(path, tmp_path):
    out = tmp_path / "ours.tflite"
    assert convert(path, out) == 0
    assert out.stat().st_size > 400_000


@pytest.mark.parametrize("is_per_tensor", [False, True], ids=["per channel", "per tensor"])
def test_noise_as_data_exits_3(mobilenet, path, tmp_path, monkeypatch, capfd, is_per_tensor):
    """Calibrated on noise it answers half of what the float model answers, and agrees with it on noise."""
    broken = stock(mobilenet, noise(mobilenet.shape, 20), is_per_tensor=is_per_tensor)
    monkeypatch.setattr(Stages, "flatbuffer", lambda *_: broken)
    out = tmp_path / "noise.tflite"
    assert convert(path, out) == 3
    assert not out.exists()
    assert "dB of signal to noise" in capfd.readouterr().err


def test_what_failed_can_be_kept(mobilenet, path, tmp_path, monkeypatch):
    broken = stock(mobilenet, noise(mobilenet.shape, 2))
    monkeypatch.setattr(Stages, "flatbuffer", lambda *_: broken)
    assert convert(path, tmp_path / "noise.tflite", "--keep-failed") == 3
    assert [found.suffix for found in tmp_path.iterdir()] == [".tflite"]
    assert not (tmp_path / "noise.tflite").exists()
