"""A live source never waits for the model: a thread keeps the newest frame, and what nobody took in time is dropped."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mninfer.camera.frame import Frame, Pixels
from mninfer.errors import InputError

__all__ = ["FrameReader", "NewestFrame", "Patience"]

_RETRY_S = 0.01


class FrameReader(Protocol):
    """Blocks until the next frame; None where a read failed. ``is_over``: there was an end, and it has been reached."""

    frames_per_second: float | None
    is_over: bool

    def read(self) -> Pixels | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a source may send nothing, and how long its reads may fail, before it has ``gone``, as is said then."""

    silence_s: float = 10.0
    failing_s: float = 0.3
    gone: str = "the camera sends no more pictures"
    hint: str = "see whether it is plugged in, or used by another program"


class NewestFrame:
    """The newest frame of a ``reader`` that a thread keeps reading."""

    is_live = True
    warning: str | None = None

    def __init__(self, reader: FrameReader, *, where: str, patience: Patience = Patience()) -> None:
        self.frames_per_second = reader.frames_per_second
        self._reader = reader
        self._where = where
        self._patience = patience
        self._news = threading.Condition()
        self._newest: Frame | None = None
        self._is_closed = self._has_ended = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._keep_reading, name="camera", daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time; an error once the camera has gone away, the end where there is one."""
        while True:
            with self._news:
                has_news = self._news.wait_for(self._is_ready, timeout=self._patience.silence_s)
                frame, self._newest = self._newest, None
                if frame is None and not self._is_closed and not self._reader.is_over:
                    raise self._gone(has_news)
            if frame is None:
                return
            yield frame

    def close(self) -> None:
        """Stop the thread; the reader is released by whoever can do so without pulling it away from under a read."""
        with self._news:
            self._is_closed = True
            self._news.notify_all()
        self._thread.join(timeout=2)

    def _is_ready(self) -> bool:
        return self._newest is not None or self._has_ended or self._is_closed

    def _gone(self, has_ended: bool) -> InputError:
        if isinstance(self._error, InputError):
            self._error.at(self._where)
            return self._error
        what = self._patience.gone if has_ended else f"no picture for {self._patience.silence_s:g} seconds"
        error = InputError(what, where=self._where, hints=self._patience.hint)
        error.__cause__ = self._error
        return error

    def _keep_reading(self) -> None:
        number, failing_since = 0, None
        try:
            while not (self._is_closed or self._reader.is_over):
                pixels = self._reader.read()
                if pixels is None:
                    failing_since = failing_since or time.monotonic()
                    if time.monotonic() - failing_since > self._patience.failing_s:
                        break
                    time.sleep(_RETRY_S)
                    continue
                failing_since = None
                with self._news:
                    self._newest = Frame(pixels, number)
                    self._news.notify_all()
                number += 1
        except Exception as error:  # noqa: BLE001  # a driver's, in a thread: handed to whoever waits for frames
            self._error = error
        finally:
            self._reader.close()
            with self._news:
                self._has_ended = True
                self._news.notify_all()
