import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.cli import chatter
from mninfer.cli.chatter import without_chatter
from mninfer.cli.output import finite, json_line, printable, say
from mninfer.cli.progress import Progress, clock


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("piñata 猫 🐈", "piñata 猫 🐈"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\tc\r", "a\\x0ab\\x09c\\x0d"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("caf\udce9.jpg", "caf\\xe9.jpg"),
    ],
)
def test_what_is_not_printable_is_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_printable_text_is_one_line_that_any_terminal_takes(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1 or "\x85" not in shown
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    assert printable(shown) == shown


def test_lines_are_kept_in_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\ntwo\x1b")
    assert capsys.readouterr().out == "one\ntwo\\x1b\n"


def test_json_is_ascii_and_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    json_line({"label": "piñata\x9b", "score": float("nan"), "path": "\udce9", "list": [float("inf"), 1.5]})
    line = capsys.readouterr().out
    assert line.isascii()
    assert json.loads(line) == {"label": "piñata\x9b", "score": None, "path": "\udce9", "list": [None, 1.5]}
    assert finite((1, 2.5)) == [1, 2.5]


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(3) as progress:
        progress.step()
    assert capsys.readouterr() == ("", "")


def test_the_progress_line_has_count_rate_and_time_left() -> None:
    progress = Progress(10_000, num_done=1_000)
    progress.num_done = 3_000
    line = progress.line(10.0)
    assert "3,000 of 10,000" in line
    assert "200.0/s" in line  # what was there before counts for nothing
    assert "0:35 left" in line
    assert "? left" in Progress(5).line(0)


def test_progress_is_drawn_on_a_terminal_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Terminal:
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> None:
            written.append(text)

        def flush(self) -> None: ...

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("mninfer.cli.progress._REDRAW_S", 0)
    with Progress(4) as progress:
        progress.step()
        progress.step()
    assert "2 of 4" in written[-2]
    assert "#" in written[-2]
    assert written[-1] == "\r\x1b[K"
    with Progress(4, is_wanted=False) as progress:
        progress.step()
    assert len(written) == 3


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (61.4, "1:01"), (3600, "1:00:00"), (86399, "23:59:59")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="engines are let talk where there is no memfd")
def test_announcements_of_native_code_are_held_back_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    with without_chatter():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nERROR: odd\n")
        os.write(2, b"[ WARN:0@0.017] global cap.cpp\nlast")
    assert capfd.readouterr().err == "ERROR: odd\nlast"
    with pytest.raises(OSError), without_chatter():  # noqa: PT012  # what is said before an error is passed on
        os.write(2, b"seen\n")
        os.close(-1)
    assert capfd.readouterr().err == "seen\n"


def test_without_memfd_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delattr(chatter.os, "memfd_create", raising=False)
    with without_chatter():
        os.write(2, b"INFO: x\n")
    assert capfd.readouterr().err == "INFO: x\n"


def test_labels_cannot_reach_the_terminal_with_escapes(cli, models: Path, picture_folder: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_bytes(b"\n".join(b"\x1b]0;evil\x07 %d" % number for number in range(16)) + b"\n")
    picture = next(picture_folder.glob("*.png"))
    for arguments in (["--top", "2"], ["--json"]):
        outcome = cli("classify", models / "shapes.tflite", picture, "--labels", labels, *arguments)
        assert outcome.code == 0
        assert "\x1b" not in outcome.out
        assert "evil" in outcome.out
