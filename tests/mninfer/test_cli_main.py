import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from mninfer.cli import frame
from mninfer.cli.main import group, main
from mninfer.errors import InputError, VerifyError
from support.commands import Outcome, command_line, environment_for, run_mninfer

COMMANDS = ("annotate", "camera", "check", "classify", "detect", "info", "segment")


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(cli, name: str, flag: str) -> None:
    outcome = cli(name, flag)
    assert outcome.code == 0
    assert f"mninfer {name} " in outcome.out.split("Examples:")[1]
    assert outcome.err == ""


def test_help_lists_the_commands(cli) -> None:
    outcome = cli("--help")
    assert outcome.code == 0
    assert all(f"  {name}" in outcome.out for name in COMMANDS)


def test_no_arguments_are_a_usage_error(cli) -> None:
    outcome = cli()
    assert outcome.code == 2
    assert "Commands:" in outcome.err
    assert outcome.out == ""


def test_the_version(cli) -> None:
    outcome = cli("--version")
    assert outcome.code == 0
    assert outcome.out.startswith("mninfer")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clasify"], 'no command "clasify". Did you mean "classify"?'),
        (["xyz"], "The commands are classify, detect, segment, camera, info, check, annotate."),
        (["classify"], "Missing argument 'MODEL'"),
        (["classify", "m.tflite"], "Missing argument 'IMAGE_OR_FOLDER_OR_GLOB...'"),
        (["classify", "m", "p", "--engine", "litrt"], 'Did you mean "litert"?'),
        (["classify", "m", "p", "--interpolation", "biliner"], 'Did you mean "bilinear"?'),
        (["classify", "m", "p", "--treads", "2"], "--threads"),
        (["classify", "m", "p", "--threads", "0"], "0 is not in the range"),
        (["classify", "m", "p", "--top", "0"], "0 is not in the range"),
        (["classify", "m", "p", "--max-megapixels", "0"], "0.0 is not in the range"),
        (["classify", "m", "p", "--out", "x.txt"], "does not end in .csv, .jsonl or .parquet"),
        (["classify", "m", "p", "--resume"], "--resume goes on with a file: say which with --out"),
        (["classify", "m", "p", "--preprocess", "incepton"], 'did you mean "inception"?'),
        (["classify", "m", "p", "--preprocess", "mean=a,std=1"], '"a" is not a number'),
        (["classify", "m", "p", "--resize", "crop:2"], "above 0 and at most 1"),
        (["classify", "m", "p", "--resize", "strech"], 'did you mean "stretch"?'),
        (["classify", "m", "p", "--input-size", "224"], "is not WIDTHxHEIGHT"),
        (["annotate", "m"], "Missing option '-o'"),
        (["annotate", "m", "-o", "x", "--task", "clasify"], 'Did you mean "classify"?'),
        (["camera", "m", "--http", "99999"], "99999 is not in the range"),
        (["detect", "m", "p", "--threshold", "2"], "2.0 is not in the range"),
    ],
)
def test_usage_errors(cli, arguments: list[str], message: str) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        (InputError("what", where="here", hints="that"), 1, "Error: what\n  where: here\n  try:   that\n"),
        (VerifyError("differs"), 3, "Error: differs\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.Abort(), 130, "interrupted\n"),
        (BrokenPipeError(), 141, ""),
        (click.UsageError("no"), 2, "Error: no\n"),
    ],
)
def test_every_outcome_has_its_exit_code(
    cli, monkeypatch: pytest.MonkeyPatch, raised: BaseException, code: int, message: str
) -> None:
    def fail(*_: object) -> int:
        raise raised

    monkeypatch.setattr(frame, "_run", fail)
    monkeypatch.setattr(frame, "_discard_results", lambda: None)
    assert cli("info", "x") == Outcome(code, "", message)


def test_an_unexpected_error_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(frame, "_run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["info", "x"])


def test_a_missing_model(cli, tmp_path: Path) -> None:
    outcome = cli("info", tmp_path / "none.tflite")
    assert outcome.code == 1
    assert "none.tflite" in outcome.err


def test_python_m_mninfer_is_the_command() -> None:
    assert run_mninfer("--version").out.startswith("mninfer")


def test_classifying_loads_no_module_that_it_does_not_need(models: Path, picture_folder: Path) -> None:
    picture = next(picture_folder.glob("*.png"))
    code = (
        "import sys, numpy, cv2; others = set(sys.modules); from mninfer.cli.main import main; "
        f"code = main(['classify', {str(models / 'shapes.tflite')!r}, {str(picture)!r}]); "
        "unwanted = {'csv', 'http.server', 'concurrent.futures', 'mninfer.cli.camera', 'mninfer.cli.records', "
        "'mninfer.camera.source', 'mninfer.draw', 'difflib', 'importlib.metadata', 'PIL', 'pyarrow', "
        "'hashlib', 'mninfer.detection', 'mninfer.segmentation', 'mninfer.model_file.metadata'}; "
        "print(sorted(unwanted & (set(sys.modules) - others))); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment_for(), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_news(models: Path, picture_folder: Path) -> None:
    line = " ".join(map(str, command_line("classify", models / "shapes.tflite", picture_folder, "--json")))
    shell = f"{line} | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], env=environment_for(), capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode in {0, 141}  # 0 where all of it fitted into the pipe before head was gone
    assert len(done.stdout) == 10


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_behind_stdout_is_an_error(models: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command_line("info", models / "shapes.tflite"),
            env=environment_for(), stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "cannot write to standard output: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mninfer cl", ["plain,classify"]),
        ("mninfer classify --engine litert-", ["plain,litert-gpu"]),
        ("mninfer classify mobile", ["file,mobile"]),
        ("mninfer classify model.tflite holi", ["file,holi"]),
        ("mninfer classify --labels lab", ["file,lab"]),
    ],
)
def test_what_is_typed_is_completed_and_else_a_files_name(line: str, expected: list[str]) -> None:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_MNINFER_COMPLETE": "bash_complete"}
    assert run_mninfer(env=environment_for(**words)).out.splitlines() == expected


def test_completion_for_shells_is_clicks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run_mninfer(env=environment_for(_MNINFER_COMPLETE="bash_source"))
    assert "_MNINFER_COMPLETE=bash_complete" in outcome.out


def test_every_command_that_is_listed_exists() -> None:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert sorted(group.list_commands(context)) == list(COMMANDS)


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "1e300"])
def test_a_limit_is_a_finite_number(cli, models: Path, number: str) -> None:
    outcome = cli("classify", models / "shapes.tflite", "x.png", "--max-megapixels", number)
    assert outcome.code == 2
    assert "--max-megapixels" in outcome.err


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("check", ["--preprocess", "torch"]),
        ("check", ["--labels", "x.txt"]),
        ("check", ["--full-decode"]),
        ("annotate", ["--full-decode"]),
        ("annotate", ["--max-megapixels", "5"]),
    ],
)
def test_an_option_that_would_change_nothing_is_none(cli, models: Path, command: str, options: list[str]) -> None:
    outcome = cli(command, models / "shapes.tflite", *(["-o", "x"] if command == "annotate" else []), *options)
    assert outcome.code == 2
    assert "No such option" in outcome.err


def in_a_shell(*arguments: object, redirect: str) -> "subprocess.CompletedProcess[str]":
    line = " ".join(map(str, command_line(*arguments)))
    return subprocess.run(
        ["bash", "-c", f"{line} {redirect}"], env=environment_for(), capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("options", [["--json"], []])
def test_a_closed_stdout_is_an_error(models: Path, picture_folder: Path, options: list[str]) -> None:
    done = in_a_shell("classify", models / "shapes.tflite", picture_folder, *options, redirect=">&-")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: standard output is closed")
    done = in_a_shell("classify", models / "shapes.tflite", picture_folder, *options, redirect=">&- 2>&-")
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["classify", "--help"]])
def test_help_onto_a_full_disk_is_an_error(arguments: list[str]) -> None:
    done = in_a_shell(*arguments, redirect="> /dev/full")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Error: cannot write to standard output: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_ctrl_c_while_starting_is_no_traceback() -> None:
    code = (
        "import sys; from mninfer.cli import console; "
        "stop = type('Stop', (), {'find_spec': lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)}); "
        "sys.meta_path.insert(0, stop()); console.run()"
    )
    done = in_python(code)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_a_thread_that_goes_on_neither_delays_the_end_nor_loses_output_or_exit_handlers() -> None:
    code = (
        "import atexit, sys, threading; from mninfer.cli import console; "
        "atexit.register(print, 'farewell'); threading.Thread(target=threading.Event().wait).start(); "
        "sys.argv = ['mninfer', 'classify']; console.run()"
    )
    done = in_python(code)
    assert (done.returncode, done.stdout) == (2, "farewell\n")
    assert "MODEL" in done.stderr


def in_python(code: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment_for(), capture_output=True, text=True, check=False, timeout=60)


def test_a_preprocessing_out_of_range_is_told_without_numpys_warning(models: Path, picture_folder: Path) -> None:
    picture = next(picture_folder.glob("*.png"))
    done = in_a_shell("classify", models / "shapes.tflite", picture, "--preprocess mean=1e300,std=1e-300", redirect="")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: preprocessing ")
