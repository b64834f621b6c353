"""``mnmodels summary`` through its entry point: what it says, its exit codes and its messages. Without Keras."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import Outcome
from support.networks import shapes_float

pytestmark = pytest.mark.smoke

Cli = Callable[..., Outcome]


@pytest.fixture
def flatbuffer(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.tflite"
    path.write_bytes(shapes_float())
    return path


def test_a_flatbuffer_is_counted_without_keras(cli: Cli, flatbuffer: Path) -> None:
    outcome = cli("summary", flatbuffer)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["operator", "kind", "output", "parameters", "multiply-adds"]
    assert any(line.startswith("peak memory") for line in lines)
    assert sum("CONV_2D" in line for line in lines) > 1


def test_only_the_totals_where_asked(cli: Cli, flatbuffer: Path) -> None:
    outcome = cli("summary", flatbuffer, "--no-layers")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["model", "parameters", "multiply-adds", "peak"]


def test_json_is_the_count_and_nothing_else(cli: Cli, flatbuffer: Path) -> None:
    value = json.loads(cli("summary", flatbuffer, "--json").out)
    assert value["kind"] == "tflite"
    assert value["macs"] == sum(layer["macs"] for layer in value["layers"])
    assert value["flops"] == 2 * value["macs"]
    assert value["parameters"] == sum(layer["parameters"] for layer in value["layers"])
    assert "layers" not in json.loads(cli("summary", flatbuffer, "--json", "--no-layers").out)


def test_the_rule_of_counting_is_in_the_help(cli: Cli) -> None:
    outcome = cli("summary", "--help")
    assert outcome.code == 0
    assert "Not counted: biases" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("name", "hint"), [("mobilnet_v1", "did you mean mobilenet_v1?"), ("zzzz", "a file, or one of mobilenet_v1")]
)
def test_a_name_that_is_not_there_is_told_with_near_ones(cli: Cli, name: str, hint: str) -> None:
    outcome = cli("summary", name)
    assert (outcome.code, outcome.out) == (1, "")
    assert f'"{name}" is neither a network of the registry nor a file' in outcome.err
    assert hint in outcome.err


def test_a_near_file_is_offered(cli: Cli, flatbuffer: Path) -> None:
    outcome = cli("summary", flatbuffer.with_name("shape.tflite"))
    assert outcome.code == 1
    assert f"did you mean {flatbuffer}?" in outcome.err


def test_two_names_contradict_each_other(cli: Cli) -> None:
    outcome = cli("summary", "mobilenet_v1", "--arch", "mobilenet_v2")
    assert outcome.code == 2
    assert 'MODEL says "mobilenet_v1" and --arch says "mobilenet_v2"' in outcome.err


def test_options_that_would_change_nothing_are_refused(cli: Cli, flatbuffer: Path) -> None:
    outcome = cli("summary", flatbuffer, "--alpha", "0.5")
    assert outcome.code == 2
    assert "a .tflite says itself what it is" in outcome.err


def test_a_description_without_a_name_is_a_usage_error(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    outcome = cli("summary", path, "--alpha", "0.5")
    assert outcome.code == 2
    assert "--arch NAME" in outcome.err


def test_a_size_that_does_not_fit_is_located(cli: Cli, flatbuffer: Path) -> None:
    outcome = cli("summary", flatbuffer, "--input-size", "13x13")
    assert outcome.code == 1
    assert f"where: {flatbuffer}" in outcome.err


def test_what_is_no_model_is_named(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "page.tflite"
    path.write_text("<!DOCTYPE html><html></html>")
    outcome = cli("summary", path)
    assert outcome.code == 1
    assert "HTML page" in outcome.err


@pytest.mark.parametrize("option", [("--lambda", "a=x"), ("--custom", "os:getcwd"), ("--trust",)])
def test_what_is_said_of_keras_files_means_nothing_elsewhere(cli: Cli, flatbuffer: Path, option: tuple[str]) -> None:
    for target in (flatbuffer, "mobilenet_v1"):
        outcome = cli("summary", target, *option)
        assert outcome.code == 2
        assert f"leave out {option[0]}" in outcome.err
