"""A video on disk as a source: every frame, in order."""

import math
import os
import re
import stat
import tempfile
from collections.abc import Iterator

from mninfer.camera.frame import Frame, to_rgb
from mninfer.errors import InputError

__all__ = ["FRAMES_THAT_MAY_MISS", "VideoFile"]

# AVI counts its frames. MP4's count has frames that an edit list leaves out: one more or less is no news. Elsewhere it
# is an estimate, duration times rate, and far too high where frames come at no steady rate, as webcams record them.
FRAMES_THAT_MAY_MISS = 2
_TIME_THAT_MAY_MISS_MS = 1000.0  # after the beginning of the last frame
_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")  # what an MP4 or MOV begins with
_MOST_FAILURES = 100  # in a row, before a damaged video is given up; OpenCV tells no damaged frame from the end


class VideoFile:
    """A video on disk: every frame, in order, as fast as asked for. ``warning`` is set where it ends too early."""

    is_live = False

    def __init__(self, path: str) -> None:
        import cv2

        _require_regular_file(path)
        self.path = path
        self.warning: str | None = None
        self._link: tempfile.TemporaryDirectory[str] | None = None
        self._num_passed_over, self._position_ms = 0, 0.0
        self._capture = cv2.VideoCapture(self._openable(os.path.abspath(path)), cv2.CAP_ANY)
        if not self._capture.isOpened():
            self.close()
            raise InputError(
                "not a video that this OpenCV can read, or a damaged one", where=path, hints=_remux_hint(path)
            )
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.frames_per_second = rate if 0 < rate < 1000 else None
        self.num_frames_stated = int(max(self._capture.get(cv2.CAP_PROP_FRAME_COUNT), 0))
        self._duration_ms = 1000 * self.num_frames_stated / rate if rate > 0 else math.inf
        head = _head(path)
        is_avi = head[:4] == b"RIFF" and head[8:] == b"AVI "
        self._may_miss = 0 if is_avi else FRAMES_THAT_MAY_MISS
        self._is_counted = is_avi or head[4:8] in _ISO_BOXES

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
        """Each frame once; what is damaged is passed over. An error where there is none at all."""
        number = num_failed = 0
        while True:
            is_read, pixels = self._capture.read()
            if is_read:
                self._note_place(num_failed)
                yield Frame(to_rgb(pixels), number)
                number += 1
                num_failed = 0
                continue
            num_failed += 1
            if number + num_failed > self.num_frames_stated or num_failed > _MOST_FAILURES:
                break
        if number == 0:
            raise InputError("the video has no frame that can be read", where=self.path, hints=_remux_hint(self.path))
        if number < self.num_frames_stated - self._may_miss and not self._is_seen_to_its_end():
            self.warning = (
                f"only {number:,} of the video's {self.num_frames_stated:,} frames could be read: "
                "it is damaged or was cut off"
            )

    def _note_place(self, num_failed: int) -> None:
        """A frame has been read, after so many that could not be."""
        import cv2

        self._num_passed_over += num_failed
        self._position_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))

    def _is_seen_to_its_end(self) -> bool:
        """Whether frames are fewer because the number stated is an estimate: none was damaged, and time is up."""
        is_sound = not self._is_counted and not self._num_passed_over
        return is_sound and self._position_ms >= self._duration_ms - _TIME_THAT_MAY_MISS_MS

    def close(self) -> None:
        if hasattr(self, "_capture"):
            self._capture.release()
        if self._link:
            self._link.cleanup()


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


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(12)


def _remux_hint(path: str) -> str:
    return f"see whether ffmpeg can repair it: ffmpeg -i {os.path.basename(path)} -c copy repaired.mp4"
