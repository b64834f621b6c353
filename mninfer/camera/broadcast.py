"""One frame to many viewers: encoded once, if anybody watches; the newest to whoever asks; nobody waits for another."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mninfer.camera.frame import Pixels
from mninfer.errors import OutputError

__all__ = ["Broadcast", "Update"]

_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Update:
    """A frame as viewers get it: ``status`` is the JSON of what was found in it, ``jpeg`` its picture.

    ``jpeg`` is None where nobody was watching.
    """

    number: int
    status: bytes
    jpeg: bytes | None


class Broadcast:
    """The camera's loop publishes; each viewer's thread waits for something newer than what it has sent."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._update: Update | None = None
        self._number = self._num_watching = 0
        self.is_closed = False

    def publish(self, picture: Callable[[], Pixels], status: dict[str, Any]) -> None:
        """Wake the viewers; ``picture`` makes the RGB frame, and is called while somebody watches."""
        jpeg = _encoded(picture()) if self._num_watching else None
        with self._news:
            self._number += 1
            self._update = Update(self._number, json.dumps(status).encode(), jpeg)
            self._news.notify_all()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Meanwhile what is published has its picture."""
        with self._news:
            self._num_watching += 1
        try:
            yield
        finally:
            with self._news:
                self._num_watching -= 1

    def newer_than(self, number: int, timeout_s: float, *, needs_picture: bool = False) -> Update | None:
        """The newest update once there is one after ``number``; None when closed, or nothing came in time."""

        def has_newer() -> bool:
            update = self._update
            return update is not None and update.number > number and not (needs_picture and update.jpeg is None)

        with self._news:
            self._news.wait_for(lambda: self.is_closed or has_newer(), timeout_s)
            return self._update if has_newer() and not self.is_closed else None

    def close(self) -> None:
        """Let every viewer go."""
        with self._news:
            self.is_closed = True
            self._news.notify_all()


def _encoded(pixels: Pixels) -> bytes:
    import cv2

    is_encoded, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not is_encoded:
        raise OutputError("a frame could not be encoded as JPEG")
    return jpeg.tobytes()
