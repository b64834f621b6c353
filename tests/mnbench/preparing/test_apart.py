"""Bundles made in a child process: its steps and errors arrive here, and its end, whatever it is."""

import json
import sys
from pathlib import Path

import pytest

from mnbench.cell import Variant
from mnbench.preparing import apart, converting, prepare
from mnbench.preparing.apart import make_apart
from mnbench.preparing.wanted import wanted_of
from mninfer.errors import KerasFileError, MissingDependencyError, MnError
from support.networks import shapes_float

pytestmark = pytest.mark.smoke

WANTED = wanted_of([Variant.FLOAT32], [1])


def with_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str) -> None:
    """Let the child be another program, which gets the same arguments."""
    script = tmp_path / "child.py"
    script.write_text(f"import json, os, sys\nMARK = {apart._MARK!r}\n{program}")
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$3"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(apart.sys, "executable", str(launcher))


def test_a_child_makes_the_bundle(tmp_path: Path) -> None:
    """A flatbuffer, because it needs no Keras; otherwise it is made in this process."""
    path = tmp_path / "net.tflite"
    path.write_bytes(shapes_float())
    steps: list[str] = []
    make_apart([str(path)], WANTED, tmp_path / "bundles", steps.append)
    assert json.loads((tmp_path / "bundles/net/bundle.json").read_text())["model"]["name"] == "net"
    assert "net: reading the file" in steps


def test_an_error_comes_back_as_what_it_was(tmp_path: Path) -> None:
    with pytest.raises(MnError, match="there is no such model file") as caught:
        make_apart([str(tmp_path / "absent.keras")], WANTED, tmp_path, lambda _: None)
    assert type(caught.value).__name__ == "InputError"
    assert caught.value.where == str(tmp_path / "absent.keras")


def test_hints_and_kind_of_an_error_cross_over() -> None:
    error = KerasFileError("torn", where="a.h5", hints=("one", "two"))
    again = apart._as_error(apart._as_json(error))
    assert type(again) is KerasFileError
    assert str(again) == str(error)


def test_a_child_that_dies_is_an_error_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_child(monkeypatch, tmp_path, 'print("out of memory", file=sys.stderr)\nsys.exit(9)\n')
    with pytest.raises(MnError, match=r"preparing died \(exit code 9\): out of memory"):
        make_apart(["net"], WANTED, tmp_path, lambda _: None)


def test_what_others_print_is_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_child(
        monkeypatch,
        tmp_path,
        """
print("TensorFlow says hello")
print(MARK + json.dumps({"step": "one"}))
print('{"step": "two"}')
print(MARK + json.dumps({"error": {}}))
""",
    )
    steps: list[str] = []
    make_apart(["net"], WANTED, tmp_path, steps.append)
    assert steps == ["one"]


def test_the_child_computes_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU rounds to fewer bits, and the reference is what all others are held against."""
    with_child(
        monkeypatch,
        tmp_path,
        """
print(MARK + json.dumps({"step": os.environ["CUDA_VISIBLE_DEVICES"] + os.environ["JAX_PLATFORMS"]}))
print(MARK + json.dumps({"error": {}}))
""",
    )
    steps: list[str] = []
    make_apart(["net"], WANTED, tmp_path, steps.append)
    assert steps == ["-1cpu"]


class TestWithoutKeras:
    def test_both_ways_out_are_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(converting, "find_spec", lambda _: None)
        with pytest.raises(MissingDependencyError, match=r'flatbuffers of "mobilenet_v1_1\.0_224"') as caught:
            prepare(["mobilenet_v1"], folder=tmp_path)
        assert caught.value.hints[0].startswith("python -m pip install tensorflow")
        assert "mnbench prepare on a machine that has it" in caught.value.hints[1]
        assert not list(tmp_path.iterdir())

    def test_jax_is_enough_for_weights_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(converting, "find_spec", lambda name: None if name == "tensorflow" else name)
        converting.refuse_without_keras("net", has_flatbuffers=False)
        with pytest.raises(MissingDependencyError, match="TensorFlow and Keras make the flatbuffers"):
            converting.refuse_without_keras("net", has_flatbuffers=True)
