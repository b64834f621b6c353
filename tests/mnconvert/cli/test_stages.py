"""Progress: a line to each stage on a terminal, nothing elsewhere, whatever native code does to stderr."""

import os
import re
import sys
import time

import pytest

from mnconvert.cli.stages import StageLine, stage_text
from mninfer.cli.chatter import without_chatter

pytestmark = pytest.mark.smoke


def shown(text: str) -> list[str]:
    """What stays on the terminal, line by line."""
    return [re.split(r"\r\x1b\[K", line)[-1] for line in text.split("\n")]


def test_every_stage_keeps_its_line_and_its_time(capfd: pytest.CaptureFixture[str]) -> None:
    with StageLine(is_wanted=True) as line:
        line.stage("reading")
        line.stage("reading")
        line.stage("lowering")
        time.sleep(0.5)
    lines = shown(capfd.readouterr().err)
    assert [text.split("s  ")[1] for text in lines[:-1]] == ["reading", "lowering"]
    assert 0.5 <= float(lines[1].split()[0]) < 5
    assert lines[-1] == ""


def test_the_clock_runs_meanwhile(capfd: pytest.CaptureFixture[str]) -> None:
    with StageLine(is_wanted=True) as line:
        line.stage("lowering")
        time.sleep(0.7)
    assert capfd.readouterr().err.count("lowering") >= 3


def test_a_stage_that_fails_leaves_no_line(capfd: pytest.CaptureFixture[str]) -> None:
    def run() -> None:
        with StageLine(is_wanted=True) as line:
            line.stage("reading")
            line.stage("lowering")
            raise ValueError

    with pytest.raises(ValueError):
        run()
    assert shown(capfd.readouterr().err)[-1] == ""


def test_what_holds_stderr_back_does_not_hold_this(capfd: pytest.CaptureFixture[str]) -> None:
    with StageLine(is_wanted=True) as line, without_chatter():
        line.stage("lowering")
        os.write(2, b"INFO: native chatter\n")
    assert "lowering" in shown(capfd.readouterr().err)[0]


def test_nothing_where_no_terminal_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    with StageLine() as line:
        line.stage("lowering")
    assert capfd.readouterr().err == ""


def test_a_name_cannot_carry_an_escape_sequence() -> None:
    assert stage_text("a\x1b[2Jb", 1.26) == "   1.3 s  a\\x1b[2Jb"
