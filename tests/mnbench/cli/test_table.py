"""``mnbench table``: the formats, where they go, each exit code and message."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from mnbench.cli.main import main
from mnbench.record_file import write_record
from support.commands import Cli, command_line, environment_for, in_this_process
from support.records import many_records, pi_record, workstation_record

pytestmark = pytest.mark.smoke


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return in_this_process(main, capfd)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    path = tmp_path / "ws.json"
    write_record(workstation_record(), path)
    return path


def test_the_table_of_2017_is_what_is_shown(cli: Cli, result: Path) -> None:
    done = cli("table", result)
    assert (done.code, done.err) == (0, "")
    assert "Device" in done.out
    assert "Forward-Backward" in done.out
    assert "Xeon E3-1231 v3" in done.out


@pytest.mark.parametrize(
    ("form", "begin"),
    [("text", "MobileNet V1"), ("md", "## MobileNet V1"), ("csv", "Device,Forward,"), ("html", "<!DOCTYPE html>")],
)
def test_each_format(cli: Cli, result: Path, tmp_path: Path, form: str, begin: str) -> None:
    done = cli("table", result, "--format", form)
    assert done.code == 0
    assert done.out.startswith(begin)
    assert cli("table", result, "--format", form, "-o", tmp_path / "out").out == ""
    written = (tmp_path / "out").read_text(encoding="utf-8")
    assert written == done.out


def test_several_devices(cli: Cli, tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.json" for index in range(4)]
    for path, record in zip(paths, many_records(), strict=True):
        write_record(record, path)
    done = cli("table", *paths, "--layout", "full")
    assert done.code == 0
    assert all(record.device in done.out for record in many_records())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table", "RESULT", "--layout", "2016"], "'2016' is not one of '2017', 'full'"),
        (["table", "RESULT", "--format", "pdf"], "'pdf' is not one of 'text', 'md', 'csv', 'html'"),
        (["table", "RESULT", "-o", ""], "-o is given, and empty"),
    ],
)
def test_usage(cli: Cli, result: Path, arguments: list[str], message: str) -> None:
    done = cli(*(str(result) if each == "RESULT" else each for each in arguments))
    assert done.code == 2
    assert message in done.err
    assert done.out == ""


def test_a_result_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    done = cli("table", tmp_path / "none.json")
    assert done.code == 1
    assert "the result can't be read: No such file or directory" in done.err
    assert "none.json" in done.err


@pytest.mark.parametrize("content", ["", "{", "[]", "7", '{"kind": "mnbench", "schema": 99}', '{"schema": 1}'])
def test_what_is_no_record(cli: Cli, tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    done = cli("table", tmp_path / "x.json")
    assert done.code == 1
    assert done.err.startswith("Error: ")
    assert "x.json" in done.err
    assert "Traceback" not in done.err


def test_an_engine_of_tomorrow_is_shown_by_its_name(cli: Cli, tmp_path: Path) -> None:
    value = json.loads(json.dumps(pi_record().to_json()))
    for row in value["rows"]:
        row["cell"]["engine"] += "-of-tomorrow"
    (tmp_path / "x.json").write_text(json.dumps(value), encoding="utf-8")
    for layout in ("2017", "full"):
        done = cli("table", tmp_path / "x.json", "--layout", layout)
        assert done.code == 0
        assert "of-tomorrow" in done.out


def test_a_file_that_is_there_is_kept(cli: Cli, result: Path, tmp_path: Path) -> None:
    (tmp_path / "out.md").write_text("mine", encoding="utf-8")
    done = cli("table", result, "-o", tmp_path / "out.md")
    assert done.code == 1
    assert "--force" in done.err
    assert (tmp_path / "out.md").read_text(encoding="utf-8") == "mine"
    assert cli("table", result, "-o", tmp_path / "out.md", "--force").code == 0
    assert (tmp_path / "out.md").read_text(encoding="utf-8") != "mine"


def test_a_folder_that_is_not_there(cli: Cli, result: Path, tmp_path: Path) -> None:
    done = cli("table", result, "-o", tmp_path / "none" / "out.md")
    assert done.code == 1
    assert "make the folder first" in done.err


@pytest.mark.parametrize("columns", [80, 160])
def test_a_terminal_gets_lines_of_its_width_and_no_control_character(tmp_path: Path, columns: int) -> None:
    value = json.loads(json.dumps(workstation_record().to_json()))
    value["device"] = "\x1b]0;owned\x07\x1b[2Jpi"
    (tmp_path / "x.json").write_text(json.dumps(value), encoding="utf-8")
    ours, theirs = pty.openpty()
    environment = environment_for(COLUMNS=str(columns), PYTHONIOENCODING="utf-8")
    command = command_line("table", tmp_path / "x.json", "--layout", "full", package="mnbench")
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not chunk:
                break
            said += chunk
    os.close(ours)
    assert process.returncode == 0
    lines = said.decode().replace("\r\n", "\n").split("\n")
    assert max(map(len, lines)) <= columns
    assert max(map(len, lines)) > columns - 20
    assert all(line.isprintable() for line in lines)
    assert "\\x1b]0;owned" in said.decode()


def test_help_runs_without_reading_anything() -> None:
    done = subprocess.run(
        command_line("table", "--help", package="mnbench"), env=environment_for(), capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"--layout" in done.stdout


def test_without_a_result_it_shows_what_a_run_writes(
    cli: Cli, result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = cli("table")
    assert missing.code == 2
    assert "no RESULT is given, and there is no mnbench.json here: mnbench run writes one" in missing.err
    result.rename(tmp_path / "mnbench.json")
    assert cli("table").out == cli("table", "mnbench.json").out != ""
    assert cli("report", "-o", "page.html").code == 0
    assert cli("plot", "-o", "plot.svg").code == 0
