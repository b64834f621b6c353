import os
import re
import sys
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from mninfer.camera import live
from mninfer.camera.broadcast import Broadcast
from mninfer.camera.live import StreamReader, without_password
from mninfer.camera.newest_frame import NewestFrame, Patience
from mninfer.camera.playback import VideoFile
from mninfer.camera.server import PageServer
from mninfer.camera.source import open_source
from mninfer.errors import InputError, MissingDependencyError
from support.videos import numbered_frame, read_number, write_numbered_video, write_video


@contextmanager
def page_at(port: int, level: int) -> Iterator[str]:
    """A live stream of gray pictures, as ``mninfer camera --http`` sends it."""
    broadcast, is_over = Broadcast(), threading.Event()
    server = PageServer(broadcast, host="127.0.0.1", port=port)
    picture = np.full((64, 64, 3), level, np.uint8)

    def keep_publishing() -> None:
        while not is_over.wait(0.02):
            broadcast.publish(lambda: picture, {})

    publisher = threading.Thread(target=keep_publishing)
    publisher.start()
    try:
        yield server.url
    finally:
        is_over.set()
        publisher.join()
        server.close()


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
@pytest.mark.parametrize("count", [1, 2, 300])
def test_a_video_file_keeps_every_frame_in_order(tmp_path: Path, suffix: str, count: int) -> None:
    path = tmp_path / f"video{suffix}"
    write_numbered_video(path, count)
    source = open_source(str(path))
    frames = list(source.frames())
    source.close()
    assert [read_number(frame.pixels) for frame in frames] == list(range(count))
    assert [frame.number for frame in frames] == list(range(count))
    assert source.is_live is False
    assert source.frames_per_second == pytest.approx(25)


def test_frames_are_rgb(tmp_path: Path) -> None:
    path = tmp_path / "red.avi"
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    write_video(path, [red])
    (frame,) = VideoFile(str(path)).frames()
    assert frame.pixels.dtype == np.uint8
    red_level, _, blue_level = frame.pixels[32, 32]
    assert red_level > 200
    assert blue_level < 60


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="these file systems know no names that are not UTF-8")
def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    plain = tmp_path / "video.avi"
    write_numbered_video(plain, 5)
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/vid\xe9o.avi")
    os.rename(plain, odd)
    source = VideoFile(odd)
    assert [read_number(frame.pixels) for frame in source.frames()] == [0, 1, 2, 3, 4]
    source.close()


def test_a_missing_video_says_what_a_source_can_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such video") as caught:
        open_source(str(tmp_path / "none.mp4"))
    assert "picamera2" in str(caught.value)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a regular file"):
        open_source(str(tmp_path))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(InputError, match="not a regular file"):  # and does not wait for a writer
        open_source(str(fifo))


@pytest.mark.parametrize(
    "content",
    [b"", b"not a video", b"\x00\x00\x00\x20ftypisom" + bytes(2000), b"RIFF\xff\xff\xff\x7fAVI LIST" + bytes(99)],
)
def test_what_is_no_video_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError):
        list(open_source(str(path)).frames())


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_video_that_was_cut_off_ends_in_time_and_says_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    write_numbered_video(path, 200)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    try:
        source = VideoFile(str(path))
        numbers = [read_number(frame.pixels) for frame in source.frames()]
    except InputError:
        assert suffix == ".mp4"  # its index is at the end: nothing can be read
        return
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) < 200
    assert source.warning is not None
    source.close()


def test_one_frame_that_an_avi_lacks_is_told(tmp_path: Path) -> None:
    path = tmp_path / "holed.avi"
    write_numbered_video(path, 25)
    data = bytearray(path.read_bytes())
    begin = [match.start() for match in re.finditer(b"00dc", data)][12] + 8
    size = int.from_bytes(data[begin - 4 : begin], "little")
    data[begin : begin + size] = bytes(size)
    path.write_bytes(data)
    source = VideoFile(str(path))
    numbers = [read_number(frame.pixels) for frame in source.frames()]
    assert len(numbers) == 24
    assert numbers[-1] == 24  # what comes after the hole is read
    assert source.warning == "only 24 of the video's 25 frames could be read: it is damaged or was cut off"
    source.close()


def test_a_camera_that_is_not_there_says_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="camera 97 cannot be opened") as caught:
        open_source("97")
    assert "picamera2" in str(caught.value) or not sys.platform.startswith("linux")


def test_a_stream_that_is_not_there_is_an_error_without_its_password() -> None:
    with pytest.raises(InputError) as caught:
        open_source("http://user:secret@127.0.0.1:9/video")
    assert "secret" not in str(caught.value)
    assert without_password("rtsp://user:secret@host/1") == "rtsp://…@host/1"


def test_a_stream_that_breaks_off_is_opened_again_and_that_is_told() -> None:
    told: list[str] = []
    with page_at(0, level=40) as url:
        source = open_source(f"{url}stream.mjpg", told.append)
        frames = source.frames()
        assert abs(int(next(frames).pixels[9, 9, 0]) - 40) < 4
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    with page_at(port, level=200):
        assert any(abs(int(frame.pixels[9, 9, 0]) - 200) < 4 for frame in frames)
        source.close()
    assert told == [f"the stream broke off, trying again: {url}stream.mjpg"]


class Capture:
    """A stream that says it has ``num_stated`` frames and sends ``num_sent``."""

    def __init__(self, num_stated: int, num_sent: int) -> None:
        self.num_stated, self.num_left = num_stated, num_sent

    def get(self, what: int) -> float:
        return self.num_stated if what == cv2.CAP_PROP_FRAME_COUNT else 25.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.num_left -= 1
        return (True, numbered_frame(0)) if self.num_left >= 0 else (False, None)

    def release(self) -> None: ...


def never_again() -> Capture:
    raise AssertionError("it would begin anew")


def test_a_video_on_the_network_ends_without_an_error_if_it_came_whole() -> None:
    def source(num_sent: int) -> NewestFrame:
        return NewestFrame(StreamReader(Capture(50, num_sent), never_again, never_again), where="a video")

    assert 1 <= len(list(source(50).frames())) <= 50
    with pytest.raises(InputError, match="only 30 of the video's 50 frames came") as caught:
        list(source(30).frames())
    assert caught.value.where == "a video"


def test_a_stream_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_STREAM_RETRY_S", 0.01)
    told: list[str] = []
    reader = StreamReader(Capture(-1, 3), lambda: Capture(-1, 0), lambda: told.append("broke off"))
    source = NewestFrame(reader, where="a stream", patience=Patience(failing_s=0.1, gone="has not come back"))
    with pytest.raises(InputError, match="has not come back"):
        list(source.frames())
    assert told == ["broke off"]


def test_without_picamera2_the_message_has_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingDependencyError) as caught:
        open_source("picamera2")
    assert "sudo apt install -y python3-picamera2" in str(caught.value)
    assert "--system-site-packages" in str(caught.value)


class FakePicamera:
    """As much of picamera2 as we use; ``capture_array`` gives numbered frames."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.number = 0

    def create_video_configuration(self, main: dict[str, object]) -> dict[str, object]:
        assert main["format"] == "BGR888"  # picamera2's name for arrays of red, green, blue
        return main

    def configure(self, configuration: object) -> None:
        self.calls.append("configure")

    def start(self) -> None:
        self.calls.append("start")

    def capture_array(self, name: str) -> object:
        time.sleep(0.005)
        self.number += 1
        return numbered_frame(self.number - 1)

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


def test_picamera2_is_started_read_and_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras: list[FakePicamera] = []

    def make() -> FakePicamera:
        cameras.append(FakePicamera())
        return cameras[-1]

    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=make))
    source = open_source("picamera2")
    frames = source.frames()
    numbers = [next(frames).number for _ in range(3)]
    source.close()
    assert numbers == sorted(set(numbers))
    assert source.is_live
    assert cameras[0].calls == ["configure", "start", "stop", "close"]


def test_a_pi_without_a_camera_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_camera() -> object:
        raise IndexError("list index out of range")

    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=no_camera))
    with pytest.raises(InputError, match="cannot be started"):
        open_source("picamera2")


class Reader:
    """A camera that gives a frame whenever the test says so, and then fails ``num_failures`` times or for good."""

    frames_per_second = 30.0
    is_over = False

    def __init__(self, num_frames: int) -> None:
        self.num_frames = num_frames
        self.number = 0
        self.all_read = threading.Event()
        self.is_closed = False

    def read(self) -> object:
        if self.number == self.num_frames:
            self.all_read.set()
            time.sleep(0.001)
            return None
        self.number += 1
        return numbered_frame(self.number - 1)

    def close(self) -> None:
        self.is_closed = True


def test_a_live_source_gives_the_newest_frame_and_drops_the_stale_ones() -> None:
    reader = Reader(50)
    source = NewestFrame(reader, where="test")
    assert reader.all_read.wait(5)
    frames = source.frames()
    newest = next(frames)
    assert newest.number == 49
    assert read_number(newest.pixels) == 49
    with pytest.raises(InputError, match="no more pictures"):
        next(frames)
    source.close()
    assert reader.is_closed


def test_a_silent_camera_is_an_error_and_not_a_hang() -> None:
    class Silent(Reader):
        def read(self) -> object:
            time.sleep(0.5)
            return None

    source = NewestFrame(Silent(0), where="test", patience=Patience(silence_s=0.05))
    with pytest.raises(InputError, match=r"no picture for 0.05 seconds"):
        next(source.frames())
    source.close()


def test_an_error_in_the_cameras_thread_reaches_the_reader_of_frames() -> None:
    class Broken(Reader):
        def read(self) -> object:
            raise RuntimeError("USB gone")

    source = NewestFrame(Broken(0), where="test")
    with pytest.raises(InputError) as caught:
        next(source.frames())
    assert "USB gone" in repr(caught.value.__cause__)


def test_closing_ends_the_frames() -> None:
    source = NewestFrame(Reader(1), where="test", patience=Patience(silence_s=5))
    frames = source.frames()
    next(frames)
    threading.Timer(0.02, source.close).start()
    assert list(frames) == []


def without_some_frames(data: bytes, keep: int) -> tuple[bytes, int]:
    """A Matroska file with every block after the first ones but each ``keep``-th voided; how many are left."""
    blocks = []
    for match in re.finditer(rb"\xa3(?=[\x10-\xff][\s\S]{0,3}?\x81[\s\S]{3}\xff\xd8)", data):
        blocks.append(match.start())
    changed, gone = bytearray(data), [at for number, at in enumerate(blocks[3:-1]) if number % keep]
    for at in gone:
        changed[at] = 0xEC  # EBML's Void
    return bytes(changed), len(blocks) - len(gone)


def test_frames_at_no_steady_rate_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "webcam.mkv"
    write_numbered_video(path, 120, 30)
    data, left = without_some_frames(path.read_bytes(), 3)
    assert 30 < left < 60
    path.write_bytes(data)
    source = VideoFile(str(path))
    assert source.num_frames_stated == 120
    assert len(list(source.frames())) == left
    assert source.warning is None
    source.close()
    path.write_bytes(data[: len(data) // 2])
    source = VideoFile(str(path))
    assert len(list(source.frames())) < left
    assert source.warning is not None
    source.close()


@pytest.mark.parametrize("text", ["99999999999", "9" * 5000, "\u0663"])
def test_a_number_that_no_camera_has_is_no_source(text: str) -> None:
    with pytest.raises(InputError, match="no such video"):
        open_source(text)


@pytest.mark.smoke
def test_no_part_of_a_password_is_shown() -> None:
    assert without_password("rtsp://user:p@ss@host:554/1?a=b@c") == "rtsp://…@host:554/1?a=b@c"
    assert without_password("rtsp://host/user@1") == "rtsp://host/user@1"
