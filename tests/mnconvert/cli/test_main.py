"""The command line as a whole: help, usage errors, what is asked of the converter."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from mnconvert.cli.main import command
from mnconvert.config import Ends, Scores, Variant
from support.commands import Outcome, command_line, environment_for

pytestmark = pytest.mark.smoke

Cli = Callable[..., Outcome]


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_has_examples_and_exit_codes(cli: Cli, flag: str) -> None:
    outcome = cli(flag)
    assert outcome.code == 0
    assert "mnconvert --quantize int8 mobilenet.h5" in outcome.out.split("Examples:")[1]
    assert "3  the file would not do what MODEL does" in outcome.out
    assert outcome.err == ""


def test_every_option_says_what_it_is_for() -> None:
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert not [each.opts for each in options if not each.help]


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out.startswith("mnconvert")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Usage: mnconvert"),
        (["--quantize", "int8"], "Missing argument 'MODEL'"),
        (["net.h5", "--quantize", "int9"], 'Did you mean "int8"?'),
        (["net.h5", "--quantise", "int8"], "--quantize"),
        (["net.h5", "--no-fuse-bn", "--quantize", "int8"], "unfused BatchNorm and int8 exclude each other"),
        (["net.h5", "--per-tensor"], "scales per tensor are for int8 alone"),
        (["net.h5", "--keep-float", "x*"], "kept float in an int8 file alone"),
        (["net.h5", "--io", "uint8"], "--quantize none makes float32 ends, not uint8"),
        (["net.h5", "--quantize", "int16x8", "--io", "int8"], "--quantize int16x8 makes float32 ends, not int8"),
        (["net.h5", "--io", "uint9"], 'Did you mean "uint8"?'),
        (["net.h5", "--scores", "logit"], 'Did you mean "logits"?'),
        (["net.h5", "--batch", "0"], "--batch"),
        (["net.h5", "--size", "0", "5"], "--size"),
        (["net.h5", "--target-runtime", "two"], '"two" is no release of TensorFlow Lite, such as 2.14'),
        (["net.h5", "--preprocess", "inceptoin"], "inception"),
        (["net.h5", "--resize", "crop:2"], "crop"),
        (["net.h5", "--samples", "5"], "--calibrate"),
        (["net.h5", "--classes-from", "x"], "--evaluate"),
        (["net.h5", "--max-drop", "1"], "--evaluate FOLDER"),
        (["net.h5", "--evaluate", "x", "--batch", "4"], "leave out --batch"),
        (["net.h5", "--max-drop", "nan"], "nan is not a finite number"),
        (["net.h5", "--max-drop", "1", "--evaluate", "x"], "--quantize int8"),
        (["net.h5", "--all", "--evaluate", "x", "--max-drop", "1"], "one int8 file"),
        (["net.h5", "--explain"], "--quantize int8"),
        (["net.h5", "--all", "--quantize", "int8"], "leave out --quantize"),
        (["net.h5", "--all", "--per-tensor", "--fuse-bn"], "leave out --fuse-bn/--no-fuse-bn and --per-tensor"),
        (["net.h5", "--all", "-o", "one.tflite"], '-o is a folder, not "one.tflite"'),
        (["net.h5", "-o", ""], "-o is given, and empty"),
        (["net.h5", "--report="], "--report is given, and empty"),
        (["net.h5", "--calibrate", ""], "--calibrate is given, and empty"),
        (["net.h5", "--lambda", "x"], "is not NAME=EXPRESSION"),
        (["net.h5", "--arch", "mobilnet_v1"], 'Did you mean "mobilenet_v1"?'),
    ],
)
def test_usage_errors(cli: Cli, converter: Any, arguments: list[str], message: str) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == ""
    assert not converter.opened


def test_every_flag_arrives(cli: Cli, converter: Any, model: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\n", encoding="utf-8")
    outcome = cli(
        model, "--quantize", "int8", "--per-tensor", "--io", "int8", "--scores", "logits", "--keep-float", "a*",
        "--keep-float", "b", "--batch", 2, "--size", 32, 48, "--target-runtime", "2.14", "--seed", 7,
        "--preprocess", "torch", "--resize", "letterbox", "--labels", labels, "--lambda", "f=x/2", "--custom", "m:C",
        "--trust", "--arch", "mobilenet_v1", "--alpha", 0.5,
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    ((config, options),) = converter.asked
    assert (config.variant, config.is_per_tensor, config.ends) == (Variant.INT8, True, Ends.INT8)
    assert (config.scores, config.keep_float, config.batch) == (Scores.LOGITS, ("a*", "b"), 2)
    assert (config.size, config.target_runtime, config.seed) == ((32, 48), "2.14", 7)
    assert (config.labels, config.preprocess.is_empty) == (("a", "b"), False)
    assert options["samples"] is options["evaluate_on"] is options["max_drop"] is None
    ((opened, keras),) = converter.opened
    assert opened == str(model)
    assert keras == {
        "arch": {"name": "mobilenet_v1", "alpha": 0.5}, "lambdas": {"f": "x/2"}, "custom": ("m:C",), "trust": True,
    }  # fmt: skip


def test_nothing_asked_is_the_float_file(cli: Cli, converter: Any, model: Path) -> None:
    assert cli(model).code == 0
    ((config, _),) = converter.asked
    assert (config.variant, config.is_fused, config.ends, config.size) == (Variant.NONE, True, None, None)


@pytest.mark.parametrize(
    ("option", "message"),
    [("--labels", "the label file is not there"), ("--calibrate", "no such picture or folder"), ("--evaluate", "none")],
)
def test_what_is_named_and_not_there(cli: Cli, converter: Any, model: Path, option: str, message: str) -> None:
    outcome = cli(model, "--quantize", "int8", option, model.parent / "none")
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not converter.opened


def test_python_m_mnconvert_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        command_line(tmp_path / "none.tflite", "-o", tmp_path / "out.tflite", "--explain", package="mnconvert"),
        env=environment_for(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--quantize int8" in done.stderr
    assert "Traceback" not in done.stderr


def test_completion_for_shells_is_clicks_own() -> None:
    done = subprocess.run(
        command_line(package="mnconvert"),
        env=environment_for(_MNCONVERT_COMPLETE="bash_source"), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "_MNCONVERT_COMPLETE=bash_complete" in done.stdout
