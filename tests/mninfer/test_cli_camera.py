import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import mninfer
from mninfer.camera.playback import VideoFile
from mninfer.camera.server import PageServer
from mninfer.cli.camera import _fitting
from support.commands import command_line, environment_for, run_mninfer
from support.pictures import draw_shape
from support.videos import numbered_frame, read_number, write_numbered_video, write_video


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Thirty frames: a red square that wanders to the right."""
    path = tmp_path / "red.avi"
    frames = [
        draw_shape("red", "square", size=(160, 120), centre=(40 + 2 * n, 60), radius=30, background=120)
        for n in range(30)
    ]
    write_video(path, frames)
    return path


def test_every_frame_of_a_video_is_done_in_order(cli, models: Path, video: Path) -> None:
    outcome = cli("camera", models / "shapes.tflite", "--source", video, "--json")
    assert outcome.code == 0
    records = [json.loads(line) for line in outcome.out.splitlines()]
    assert [record["frame"] for record in records] == list(range(30))
    assert {record["predictions"][0]["label"] for record in records} == {"red square"}
    assert list(records[0]) == ["frame", "frames_per_second", "predictions", "preprocess_source"]
    assert records[-1]["frames_per_second"] > 0


def test_text_is_a_line_to_a_frame(cli, models: Path, video: Path) -> None:
    outcome = cli("camera", models / "shapes.tflite", "--source", video, "--frames", 7, "--top", 1)
    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert len(lines) == 7
    assert re.fullmatch(r" +6 +[\d.]+ fps  red square [\d.]+%", lines[-1])


def test_on_a_terminal_one_line_is_written_over(cli, models: Path, video: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    outcome = cli("camera", models / "shapes.tflite", "--source", video, "--frames", 3)
    assert outcome.out.count("\r\x1b[K") == 3
    assert outcome.out.count("\n") == 1


@pytest.mark.parametrize(
    ("letters", "columns", "shown"),
    [("abc", 3, "abc"), ("abc", 2, "ab"), ("赤い四角", 5, "赤い"), ("e\u0301a", 2, "e\u0301a"), ("abc", 0, "")],
)
def test_a_line_is_as_long_as_it_looks(letters: str, columns: int, shown: str) -> None:
    assert _fitting(letters, columns) == shown


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of our own are POSIX")
def test_wide_letters_do_not_wrap_on_a_terminal(
    cli, models: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    num_labels = len(mninfer.load(models / "shapes.tflite").spec.labels)
    (tmp_path / "labels.txt").write_text("".join(f"{'赤' * 30}{n}\n" for n in range(num_labels)), encoding="utf-8")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    labels = ["--labels", tmp_path / "labels.txt"]
    outcome = cli("camera", models / "shapes.tflite", "--source", video, "--frames", 2, *labels)
    lines = outcome.out.split("\r\x1b[K")[1:]
    assert all(15 < line.count("赤") <= 20 for line in lines)  # of 60 columns the number and the rate take their own


@pytest.mark.parametrize(("model", "word"), [("red", "objects"), ("colours", "classes")])
def test_detectors_and_segmenters_watch_too(
    cli, models: Path, video: Path, tmp_path: Path, model: str, word: str
) -> None:
    out = tmp_path / "out.avi"
    outcome = cli("camera", models / f"{model}.tflite", "--source", video, "--json", "--save", out)
    assert outcome.code == 0
    records = [json.loads(line) for line in outcome.out.splitlines()]
    assert any("red" in each["label"] for each in records[5][word])
    before, after = (list(VideoFile(str(path)).frames()) for path in (video, out))
    assert len(before) == len(after) == 30
    assert np.abs(before[5].pixels.astype(int) - after[5].pixels).max() > 60  # something is drawn


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_the_saved_video_has_every_frame_in_order(cli, models: Path, tmp_path: Path, suffix: str) -> None:
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    write_numbered_video_upside_down(source, 50)
    outcome = cli("camera", models / "shapes.tflite", "--source", source, "--save", out, "--top", 1)
    assert outcome.code == 0
    assert f"50 frames -> {out}" in outcome.err
    saved = VideoFile(str(out))
    assert [read_number(frame.pixels[::-1]) for frame in saved.frames()] == list(range(50))
    assert saved.frames_per_second == pytest.approx(25)


def write_numbered_video_upside_down(path: Path, count: int) -> None:
    """The number at the bottom, where no label is drawn over it."""
    write_video(path, [numbered_frame(number, height=160)[::-1].copy() for number in range(count)])


def test_an_embedder_has_nothing_to_show(cli, models: Path, video: Path) -> None:
    outcome = cli("camera", models / "features.tflite", "--source", video)
    assert outcome.code == 1
    assert "finds nothing that could be shown" in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "none.mp4"], "no such video"),
        (["--source", "96"], "camera 96 cannot be opened"),
        (["--save", "out.gif"], '".gif" is no kind of video'),
        (["--save", "none/out.avi"], "No such file or directory"),
        (["--host", "192.0.2.7", "--http", "0"], "cannot serve there"),
    ],
)
def test_known_errors(cli, models: Path, video: Path, options: list[str], message: str) -> None:
    outcome = cli("camera", models / "shapes.tflite", "--source", video, *options)
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.err


def test_a_window_needs_an_opencv_with_windows(cli, models: Path, video: Path) -> None:
    import cv2

    if "GUI:                           NONE" not in cv2.getBuildInformation():
        pytest.skip("this OpenCV has windows")
    outcome = cli("camera", models / "shapes.tflite", "--source", video, "--show")
    assert outcome.code == 1
    assert "this OpenCV was built without windows" in outcome.err
    assert "python -m pip install opencv-python" in outcome.err
    assert "--http 8000" in outcome.err


def test_a_video_that_ends_too_early_is_told(cli, models: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.avi"
    write_numbered_video(path, 200)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    outcome = cli("camera", models / "shapes.tflite", "--source", path)
    assert outcome.code == 1
    assert len(outcome.out.splitlines()) > 50
    assert "of the video's 200 frames could be read: it is damaged or was cut off" in outcome.err


def test_a_video_is_not_saved_over_itself(cli, models: Path, tmp_path: Path) -> None:
    path = tmp_path / "street.avi"
    write_numbered_video(path, 5)
    data = path.read_bytes()
    outcome = cli("camera", models / "shapes.tflite", "--source", path, "--save", path, "--force")
    assert outcome.code == 1
    assert "this would write over the video itself" in outcome.err
    assert path.read_bytes() == data


class LiveUntilCtrlC:
    """A camera that gives four frames, and then the person at it has had enough."""

    is_live = True
    frames_per_second = 10.0
    warning = None

    def frames(self):
        from mninfer.camera.frame import Frame

        for number in range(4):
            yield Frame(numbered_frame(number), number)
        raise KeyboardInterrupt

    def close(self) -> None: ...


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--frames", 99], 130), (["--frames", 4], 0)])
def test_ctrl_c_is_how_a_camera_ends_but_not_before_a_stated_number_of_frames(
    cli, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[object], code: int
) -> None:
    monkeypatch.setattr("mninfer.camera.source.open_source", lambda *_, **__: LiveUntilCtrlC())
    out = tmp_path / "out.avi"
    outcome = cli("camera", models / "shapes.tflite", "--save", out, *options)
    assert outcome.code == code
    assert len(outcome.out.splitlines()) == 4
    assert f" frames -> {out}" in outcome.err
    assert list(VideoFile(str(out)).frames())


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_second_sigterm_lets_the_video_be_completed(
    cli, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = PageServer.close
    monkeypatch.setattr(PageServer, "close", lambda server: (close(server), signal.raise_signal(signal.SIGTERM)))
    monkeypatch.setattr("mninfer.camera.source.open_source", lambda *_, **__: LiveUntilCtrlC())
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        outcome = cli("camera", models / "shapes.tflite", "--http", "0", "--save", tmp_path / "out.avi")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert outcome.code == 130
    assert list(VideoFile(str(tmp_path / "out.avi")).frames())


def test_another_address_than_loopback_comes_with_a_warning(cli, models: Path, video: Path) -> None:
    options = ["--http", "0", "--host", "0.0.0.0", "--frames", "1"]
    outcome = cli("camera", models / "shapes.tflite", "--source", video, *options)
    assert outcome.code == 0
    assert "warning: anyone who can reach 0.0.0.0 can watch" in outcome.err


def start(models: Path, *options: object) -> "subprocess.Popen[str]":
    arguments = command_line("camera", models / "shapes.tflite", *map(str, options))
    return subprocess.Popen(arguments, env=environment_for(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def url_of(running: "subprocess.Popen[str]") -> str:
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("live at http://"):
            return line.split("http://")[1].strip().rstrip("/")
    raise AssertionError("no address was told")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_of_a_running_camera_until_it_is_stopped(models: Path, tmp_path: Path, number: signal.Signals) -> None:
    source, out = tmp_path / "in.avi", tmp_path / "out.avi"
    write_numbered_video_upside_down(source, 500)
    running = start(models, "--source", source, "--http", 0, "--save", out, "--json")
    try:
        connection = http.client.HTTPConnection(url_of(running), timeout=20)
        connection.request("GET", "/status.json")
        status = json.loads(connection.getresponse().read())
        assert status["model"] == "shapes.tflite"
        assert len(status["predictions"]) == 3
        connection.request("GET", "/")
        assert b"<title>mninfer" in connection.getresponse().read()
        connection.close()
    finally:
        running.send_signal(number)
        lines, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    num_saved = int(re.search(r"(\d+) frames -> ", err)[1])
    numbers = [read_number(frame.pixels[::-1]) for frame in VideoFile(str(out)).frames()]
    assert numbers == list(range(num_saved))
    assert 0 < num_saved < 500
    assert abs(len(lines.splitlines()) - num_saved) <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_page_shows_a_video_at_its_own_speed(models: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.avi"
    write_numbered_video(source, 20, frames_per_second=20)
    begin = time.monotonic()
    outcome = run_mninfer("camera", models / "shapes.tflite", "--source", source, "--http", "0")
    assert outcome.code == 0
    assert time.monotonic() - begin > 0.9
    assert len(outcome.out.splitlines()) == 20


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_full_disk_under_a_saved_video(models: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.avi", tmp_path / "out.avi"
    rng = np.random.default_rng(0)
    write_video(source, [rng.integers(0, 255, (240, 320, 3), np.uint8) for _ in range(30)])
    words = command_line("camera", models / "shapes.tflite", "--source", source, "--save", out)
    line = " ".join(map(str, words))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 128; {line}"], env=environment_for(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "frames could be written" in done.stderr
    assert os.listdir(tmp_path) == ["in.avi"]


def test_the_documented_json_is_what_is_printed(cli, models: Path, video: Path, repository: Path) -> None:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    example = json.loads(re.search(r"<!-- example: camera -->\n```json\n(.*?)```", text, re.DOTALL)[1])
    outcome = cli("camera", models / "shapes.tflite", "--source", video, "--json", "--frames", 1, "--top", 2)
    printed = json.loads(outcome.out)
    assert list(printed) == list(example)
    assert [list(each) for each in printed["predictions"]] == [list(each) for each in example["predictions"]]
