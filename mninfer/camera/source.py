"""Which source a ``--source`` names. Video files give every frame; cameras their newest, dropping stale ones."""

import re
from collections.abc import Callable

from mninfer.camera.frame import FrameSource

__all__ = ["open_source"]

_URL = re.compile(r"(rtsps?|https?|rtmp|udp|tcp)://", re.IGNORECASE)


def open_source(text: str, tell: Callable[[str], None] = lambda _: None) -> FrameSource:
    """``text``: a camera's number, ``picamera2``, a stream's URL, or a video file.

    ``tell`` gets what is to be known before the frames are over.
    """
    if text == "picamera2":
        from mninfer.camera.picamera import open_picamera

        return open_picamera()
    if re.fullmatch(r"[0-9]{1,9}", text):
        from mninfer.camera.live import open_camera

        return open_camera(int(text))
    if _URL.match(text):
        from mninfer.camera.live import open_stream

        return open_stream(text, tell)
    from mninfer.camera.playback import VideoFile

    return VideoFile(text)
