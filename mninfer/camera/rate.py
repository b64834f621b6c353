"""Frames per second over the last few seconds, and waiting so that a video is shown at its own speed."""

from collections import deque
from collections.abc import Callable
from time import monotonic, sleep

__all__ = ["FrameRate", "Pace"]

_WINDOW_S = 2.0


class FrameRate:
    """``tick`` at each frame; ``per_second`` is the mean over the last two seconds, 0 before there are two frames."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque()

    def tick(self) -> float:
        now = self._clock()
        self._times.append(now)
        while len(self._times) > 2 and now - self._times[0] > _WINDOW_S:
            self._times.popleft()
        return self.per_second

    @property
    def per_second(self) -> float:
        elapsed = self._times[-1] - self._times[0] if self._times else 0.0
        return (len(self._times) - 1) / elapsed if elapsed > 0 else 0.0


class Pace:
    """Waits before a frame that comes early; one that comes late is not made up for."""

    def __init__(self, frames_per_second: float) -> None:
        self._period_s = 1 / frames_per_second
        self._due = monotonic()

    def wait(self) -> None:
        now = monotonic()
        if self._due > now:
            sleep(self._due - now)
        self._due = max(self._due, now - self._period_s) + self._period_s
