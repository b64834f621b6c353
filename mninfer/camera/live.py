"""Cameras and streams that OpenCV opens: live sources, of which only the newest frame counts."""

import os
import re
import sys
from collections.abc import Callable
from time import sleep
from typing import TYPE_CHECKING

from mninfer.camera.frame import FrameSource, Pixels, to_rgb
from mninfer.camera.newest_frame import NewestFrame, Patience
from mninfer.camera.playback import FRAMES_THAT_MAY_MISS
from mninfer.errors import InputError

if TYPE_CHECKING:
    import cv2

__all__ = ["CaptureReader", "StreamReader", "open_camera", "open_stream", "without_password"]

_STREAM_TIMEOUT_MS = 10_000
_STREAM_RETRY_S = 1.0
_STREAM_PATIENCE = Patience(
    silence_s=60,
    failing_s=30,
    gone="the stream broke off, and has not come back within 30 seconds",
    hint="see whether the camera, or the program that sends, still runs",
)


def open_camera(index: int) -> FrameSource:
    """The camera that the system numbers so."""
    import cv2

    backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
    capture = cv2.VideoCapture(index, backend)
    if not capture.isOpened():
        raise InputError(f"camera {index} cannot be opened", where=f"--source {index}", hints=_camera_hints())
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return NewestFrame(CaptureReader(capture), where=f"camera {index}")


def open_stream(url: str, tell: Callable[[str], None]) -> FrameSource:
    """A network camera's stream; an error where nothing answers in time. ``tell`` is told where it breaks off."""
    where = without_password(url)
    capture = _captured(url)
    if not capture.isOpened():
        raise InputError(
            f"no video stream there, or none within {_STREAM_TIMEOUT_MS // 1000} seconds",
            where=where,
            hints="try the address in VLC or ffplay; some cameras want user:password@ before the host",
        )
    reader = StreamReader(capture, lambda: _captured(url), lambda: tell(f"the stream broke off, trying again: {where}"))
    return NewestFrame(reader, where=where, patience=_STREAM_PATIENCE)


def _captured(url: str) -> "cv2.VideoCapture":
    import cv2

    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS]
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)


def without_password(url: str) -> str:
    """A URL that can be shown."""
    return re.sub(r"//[^/?#]*@", "//…@", url)  # up to the last @ before the path, as FFmpeg takes it


class CaptureReader:
    """An open ``cv2.VideoCapture``, as ``NewestFrame`` wants its readers."""

    is_over = False

    def __init__(self, capture: "cv2.VideoCapture") -> None:
        import cv2

        self._capture = capture
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        self.frames_per_second = rate if 0 < rate < 1000 else None

    def read(self) -> Pixels | None:
        is_read, pixels = self._capture.read()
        return to_rgb(pixels) if is_read else None

    def close(self) -> None:
        self._capture.release()


class StreamReader(CaptureReader):
    """An open stream. One that breaks off is opened again; a video that has an end is over there, if it came whole."""

    def __init__(
        self, capture: "cv2.VideoCapture", reopen: "Callable[[], cv2.VideoCapture]", tell_broken: Callable[[], None]
    ) -> None:
        import cv2

        super().__init__(capture)
        self._reopen = reopen
        self._tell_broken = tell_broken
        self._num_stated = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)  # 0: live
        self._num_read = 0
        self._is_broken = False

    def read(self) -> Pixels | None:
        if self._is_broken:
            sleep(_STREAM_RETRY_S)
            self._capture = self._reopen()
        pixels = super().read()
        if pixels is not None:
            self._num_read += 1
            self._is_broken = False
        elif self._num_stated:
            self._end()
        else:
            self._break()
        return pixels

    def _end(self) -> None:
        self.is_over = self._num_read >= self._num_stated - FRAMES_THAT_MAY_MISS
        if not self.is_over:
            raise InputError(f"only {self._num_read:,} of the video's {self._num_stated:,} frames came")

    def _break(self) -> None:
        self._capture.release()
        if not self._is_broken:
            self._tell_broken()
        self._is_broken = True


def _camera_hints() -> list[str]:
    """What to try, after a look at this machine."""
    if not sys.platform.startswith("linux"):
        return ["close programs that use the camera, and allow this one to use it in the system's settings"]
    devices = sorted(name for name in os.listdir("/dev") if re.fullmatch(r"video\d+", name))
    hints = ["--source picamera2 for a Raspberry Pi camera: it goes through libcamera, which OpenCV cannot open"]
    if not devices:
        return ["plug a camera in: this machine has no /dev/video*", *hints]
    if not os.access(f"/dev/{devices[0]}", os.R_OK | os.W_OK):
        hints.insert(0, 'sudo usermod -aG video "$USER", then log in again: you may not open the camera')
    return [f"--source N with one of {', '.join(name[5:] for name in devices)}", *hints]
