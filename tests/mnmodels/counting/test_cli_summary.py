"""``mnmodels summary`` through its entry point: what it says, its exit codes and its messages. Without Keras."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mnmodels.cli.main import main
from support.networks import shapes_float

pytestmark = pytest.mark.smoke

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def run_it(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["summary", *(str(argument) for argument in arguments)])
        out, err = capfd.readouterr()
        return code, out, err

    return run_it


@pytest.fixture
def flatbuffer(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.tflite"
    path.write_bytes(shapes_float())
    return path


def test_a_flatbuffer_is_counted_without_keras(run: Run, flatbuffer: Path) -> None:
    code, out, err = run(flatbuffer)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["operator", "kind", "output", "parameters", "multiply-adds"]
    assert any(line.startswith("peak memory") for line in lines)
    assert sum("CONV_2D" in line for line in lines) > 1


def test_only_the_totals_where_asked(run: Run, flatbuffer: Path) -> None:
    code, out, _ = run(flatbuffer, "--no-layers")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["model", "parameters", "multiply-adds", "peak"]


def test_json_is_the_count_and_nothing_else(run: Run, flatbuffer: Path) -> None:
    value = json.loads(run(flatbuffer, "--json")[1])
    assert value["kind"] == "tflite"
    assert value["macs"] == sum(layer["macs"] for layer in value["layers"])
    assert value["flops"] == 2 * value["macs"]
    assert value["parameters"] == sum(layer["parameters"] for layer in value["layers"])
    assert "layers" not in json.loads(run(flatbuffer, "--json", "--no-layers")[1])


def test_the_rule_of_counting_is_in_the_help(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "Not counted: biases" in " ".join(out.split())


@pytest.mark.parametrize(
    ("name", "hint"), [("mobilnet_v1", "did you mean mobilenet_v1?"), ("zzzz", "a file, or one of mobilenet_v1")]
)
def test_a_name_that_is_not_there_is_told_with_near_ones(run: Run, name: str, hint: str) -> None:
    code, out, err = run(name)
    assert (code, out) == (1, "")
    assert f'"{name}" is neither a network of the registry nor a file' in err
    assert hint in err


def test_a_near_file_is_offered(run: Run, flatbuffer: Path) -> None:
    code, _, err = run(flatbuffer.with_name("shape.tflite"))
    assert code == 1
    assert f"did you mean {flatbuffer}?" in err


def test_two_names_contradict_each_other(run: Run) -> None:
    code, _, err = run("mobilenet_v1", "--arch", "mobilenet_v2")
    assert code == 2
    assert 'MODEL says "mobilenet_v1" and --arch says "mobilenet_v2"' in err


def test_options_that_would_change_nothing_are_refused(run: Run, flatbuffer: Path) -> None:
    code, _, err = run(flatbuffer, "--alpha", "0.5")
    assert code == 2
    assert "a .tflite says itself what it is" in err


def test_a_description_without_a_name_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    code, _, err = run(path, "--alpha", "0.5")
    assert code == 2
    assert "--arch NAME" in err


def test_a_size_that_does_not_fit_is_located(run: Run, flatbuffer: Path) -> None:
    code, _, err = run(flatbuffer, "--input-size", "13x13")
    assert code == 1
    assert f"where: {flatbuffer}" in err


def test_what_is_no_model_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "page.tflite"
    path.write_text("<!DOCTYPE html><html></html>")
    code, _, err = run(path)
    assert code == 1
    assert "HTML page" in err
