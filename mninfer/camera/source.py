"""Where frames come from. A video file gives every frame in order; a camera its newest, dropping stale ones."""

import os
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    import cv2

__all__ = [
    "CaptureReader",
    "Frame",
    "FrameSource",
    "VideoFile",
    "missing_picamera",
    "open_source",
    "to_rgb",
    "without_password",
]

Pixels = npt.NDArray[np.uint8]
_URL = re.compile(r"(rtsps?|https?|rtmp|udp|tcp)://", re.IGNORECASE)
_STREAM_TIMEOUT_MS = 10_000
_MISSING_FRAMES_TOLD = 2  # a container's frame count is an estimate: one more or less is no news


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """``pixels`` are uint8 RGB; ``number`` counts from 0 in the source, so a gap is a frame that was dropped."""

    pixels: Pixels
    number: int


class FrameSource(Protocol):
    """``frames_per_second`` is what the source says of itself, None where it says nothing."""

    is_live: bool
    frames_per_second: float | None

    def frames(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


def open_source(text: str) -> FrameSource:
    """``text``: a camera's number, ``picamera2``, a stream's URL, or a video file."""
    if text == "picamera2":
        from mninfer.camera.picamera import open_picamera

        return open_picamera()
    if text.isdecimal():
        return _open_camera(int(text))
    if _URL.match(text):
        return _open_stream(text)
    return VideoFile(text)


class VideoFile:
    """A video on disk: every frame, in order, as fast as asked for. ``warning`` is set where it ends too early."""

    is_live = False

    def __init__(self, path: str) -> None:
        import cv2

        _require_regular_file(path)
        self.path = path
        self.warning: str | None = None
        self._link: tempfile.TemporaryDirectory[str] | None = None
        self._capture = cv2.VideoCapture(self._openable(os.path.abspath(path)), cv2.CAP_ANY)
        if not self._capture.isOpened():
            self.close()
            raise InputError(
                "not a video that this OpenCV can read, or a damaged one", where=path, hints=_remux_hint(path)
            )
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.frames_per_second = rate if 0 < rate < 1000 else None
        self.num_frames_stated = int(max(self._capture.get(cv2.CAP_PROP_FRAME_COUNT), 0))

    def _openable(self, path: str) -> str:
        """A name that OpenCV takes: it wants UTF-8, file systems don't care."""
        try:
            path.encode()
        except UnicodeEncodeError:
            self._link = tempfile.TemporaryDirectory(prefix="mninfer-")
            link = os.path.join(self._link.name, "video" + os.path.splitext(path)[1].encode("ascii", "ignore").decode())
            os.symlink(path, link)
            return link
        return path

    def frames(self) -> Iterator[Frame]:
        """Each frame once. An error where there is none at all."""
        number = 0
        while True:
            is_read, pixels = self._capture.read()
            if not is_read:
                break
            yield Frame(to_rgb(pixels), number)
            number += 1
        if number == 0:
            raise InputError("the video has no frame that can be read", where=self.path, hints=_remux_hint(self.path))
        if number < self.num_frames_stated - _MISSING_FRAMES_TOLD:
            self.warning = (
                f"the video ends at frame {number:,} of {self.num_frames_stated:,}: it is damaged or was cut off"
            )

    def close(self) -> None:
        if hasattr(self, "_capture"):
            self._capture.release()
        if self._link:
            self._link.cleanup()


def to_rgb(pixels: Any) -> Pixels:
    """What OpenCV captured, as RGB."""
    import cv2

    code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 or pixels.shape[2] == 1 else cv2.COLOR_BGR2RGB
    result: Pixels = cv2.cvtColor(pixels, code)
    return result


def _require_regular_file(path: str) -> None:
    try:
        status = os.stat(path)
    except OSError as error:
        raise InputError(
            f"no such video: {error.strerror}",
            where=path,
            hints="--source takes a camera's number (0), picamera2, a video file, or a stream's URL",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        device = re.fullmatch(r"/dev/video(\d+)", os.path.realpath(path))
        hint = f"--source {device[1]}" if device else "a video file; for a folder of pictures: mninfer classify"
        raise InputError("not a regular file", where=path, hints=hint)
    if status.st_size == 0:
        raise InputError("the video is empty (0 bytes)", where=path)


def _remux_hint(path: str) -> str:
    return f"see whether ffmpeg can repair it: ffmpeg -i {os.path.basename(path)} -c copy repaired.mp4"


def _open_camera(index: int) -> FrameSource:
    import cv2

    from mninfer.camera.newest_frame import NewestFrame

    backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
    capture = cv2.VideoCapture(index, backend)
    if not capture.isOpened():
        raise InputError(f"camera {index} cannot be opened", where=f"--source {index}", hints=_camera_hints())
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return NewestFrame(CaptureReader(capture), where=f"camera {index}")


def _open_stream(url: str) -> FrameSource:
    import cv2

    from mninfer.camera.newest_frame import NewestFrame

    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS]
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)
    where = without_password(url)
    if not capture.isOpened():
        raise InputError(
            f"no video stream there, or none within {_STREAM_TIMEOUT_MS // 1000} seconds",
            where=where,
            hints="try the address in VLC or ffplay; some cameras want user:password@ before the host",
        )
    return NewestFrame(CaptureReader(capture), where=where)


def without_password(url: str) -> str:
    """A URL that can be shown."""
    return re.sub(r"//[^/@]*@", "//…@", url)


class CaptureReader:
    """An open ``cv2.VideoCapture``, as ``NewestFrame`` wants its readers."""

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


def missing_picamera() -> MissingDependencyError:
    """Only Raspberry Pi OS has it, and a virtual environment does not see it unless told to."""
    return MissingDependencyError(
        "picamera2 is not installed for this Python",
        hints=[
            "sudo apt install -y python3-picamera2",
            "in a virtual environment: python3 -m venv --system-site-packages VENV",
        ],
    )
