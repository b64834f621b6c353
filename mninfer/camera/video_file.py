"""Writes a video: to a sibling first, looked at when complete (OpenCV reports no failed write), then put in place."""

import os
from time import monotonic
from typing import TYPE_CHECKING

from mninfer.camera.frame import Pixels
from mninfer.errors import OutputError
from mninfer.files import put_in_place, refuse_existing, remove_if_there

if TYPE_CHECKING:
    import cv2

__all__ = ["VIDEO_CODECS", "VideoSaver"]

# Codecs that every OpenCV wheel encodes by itself: no licence, no system package.
VIDEO_CODECS = {".avi": "MJPG", ".mkv": "MJPG", ".mp4": "mp4v"}
_MOST_REPEATS = 300
_ELSEWHERE = "another name: --save FILE"


class VideoSaver:
    """``add`` frames, ``close`` to have the file. A live source's frame is repeated until the next, to keep time."""

    def __init__(self, name: str, *, frames_per_second: float | None, is_live: bool, force: bool) -> None:
        self.name = name
        self.num_frames = 0
        self._rate = _rate_that_fits(frames_per_second or 25.0)
        self._is_live = is_live
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in VIDEO_CODECS:
            raise OutputError(
                f'"{suffix}" is no kind of video that can be written',
                where=name,
                hints=f"end it in {', '.join(VIDEO_CODECS)}",
            )
        refuse_existing(name, force=force, elsewhere=_ELSEWHERE)
        self._force = force
        self._codec = VIDEO_CODECS[suffix.lower()]
        self._part = f"{stem}.{os.getpid()}.part{suffix}"
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._begin = 0.0

    def add(self, pixels: Pixels) -> None:
        """One RGB frame; all have the size of the first."""
        import cv2

        if self._writer is None:
            self._open(pixels)
        assert self._writer is not None
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        if (bgr.shape[1], bgr.shape[0]) != self._size:
            bgr = cv2.resize(bgr, self._size, interpolation=cv2.INTER_AREA)
        for _ in range(self._repeats()):
            self._writer.write(bgr)
            self.num_frames += 1

    def close(self) -> None:
        """Complete the file, look whether it holds every frame, and give it its name."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        found = _count_frames(self._part)
        if found < self.num_frames:
            remove_if_there(self._part)
            raise OutputError(
                f"only {found:,} of {self.num_frames:,} frames could be written",
                where=self.name,
                hints="free some space",
            )
        try:
            put_in_place(self._part, self.name, force=self._force, elsewhere=_ELSEWHERE)
        except OSError as error:
            raise OutputError(f"cannot write: {error.strerror}", where=self.name) from error

    def _repeats(self) -> int:
        """How often this frame goes in: once, or until a live video has caught up with the clock."""
        if not self._is_live:
            return 1
        behind = int((monotonic() - self._begin) * self._rate) + 1 - self.num_frames
        return min(max(behind, 0), _MOST_REPEATS)

    def _open(self, pixels: Pixels) -> None:
        import cv2

        _try_to_create(self._part)
        self._size = (pixels.shape[1] & ~1, pixels.shape[0] & ~1)  # the codecs halve the colours' resolution
        code = cv2.VideoWriter.fourcc(*self._codec)
        try:
            self._writer = cv2.VideoWriter(self._part, cv2.CAP_FFMPEG, code, self._rate, self._size)
            is_opened = self._writer.isOpened()
        except (cv2.error, UnicodeError) as error:
            self._writer = None
            remove_if_there(self._part)
            raise OutputError("OpenCV cannot write to this path", where=self.name, hints="a path in UTF-8") from error
        if not is_opened:
            self._writer = None
            remove_if_there(self._part)
            raise OutputError(
                f"this OpenCV cannot encode {self._codec} video of {self._size[0]} x {self._size[1]} pixels",
                where=self.name,
                hints="another ending: .avi takes the least of an encoder",
            )
        self._begin = monotonic()


def _rate_that_fits(rate: float) -> float:
    """The rate in the most decimals, three at most, that MPEG-4 has room for: its clock counts up to 65,535."""
    steps = next((steps for steps in (1000, 100, 10) if rate * steps < 65_535), 1)
    return max(round(rate * steps), 1) / steps


def _try_to_create(path: str) -> None:
    """OpenCV says nothing of why it cannot open a file; the system does."""
    try:
        with open(path, "xb"):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write: {error.strerror}", where=path, hints="a folder that you may write to"
        ) from error


def _count_frames(path: str) -> int:
    """The frames in a video by its index, 0 where it cannot be opened."""
    import cv2

    capture = cv2.VideoCapture(path)
    try:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    finally:
        capture.release()
