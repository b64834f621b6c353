"""One frame to many viewers: encoded once, the newest to whoever asks, and nobody waits for a slow one."""

import json
import threading
from dataclasses import dataclass
from typing import Any

from mninfer.camera.frame import Pixels
from mninfer.errors import OutputError

__all__ = ["Broadcast", "Update"]

_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Update:
    """A frame as viewers get it: ``jpeg`` is its picture, ``status`` the JSON of what was found in it."""

    number: int
    jpeg: bytes
    status: bytes


class Broadcast:
    """The camera's loop publishes; each viewer's thread waits for something newer than what it has sent."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._update: Update | None = None
        self._number = 0
        self.is_closed = False

    def publish(self, pixels: Pixels, status: dict[str, Any]) -> None:
        """Encode one RGB frame and wake the viewers."""
        import cv2

        is_encoded, jpeg = cv2.imencode(
            ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        if not is_encoded:
            raise OutputError("a frame could not be encoded as JPEG")
        data = jpeg.tobytes(), json.dumps(status).encode()
        with self._news:
            self._number += 1
            self._update = Update(self._number, *data)
            self._news.notify_all()

    def newer_than(self, number: int, timeout_s: float) -> Update | None:
        """The newest update once there is one after ``number``; None when closed, or nothing came in time."""
        with self._news:
            self._news.wait_for(lambda: self.is_closed or self._has_newer(number), timeout_s)
            return self._update if self._has_newer(number) and not self.is_closed else None

    def _has_newer(self, number: int) -> bool:
        return self._update is not None and self._update.number > number

    def close(self) -> None:
        """Let every viewer go."""
        with self._news:
            self.is_closed = True
            self._news.notify_all()
