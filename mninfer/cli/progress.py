"""A line on stderr that says how far a run is: count, rate, time left. Shown on a terminal only."""

import sys
from time import monotonic

from mninfer.cli.output import is_terminal

__all__ = ["Progress", "clock"]

_REDRAW_S = 0.1


class Progress:
    """``with Progress(total) as progress: progress.step()``; silent where stderr is a file or a pipe."""

    def __init__(self, total: int, *, num_done: int = 0, is_wanted: bool = True) -> None:
        self.total = total
        self.num_done = num_done
        self._num_before = num_done
        self._begin = self._drawn = monotonic()
        self._is_shown = is_wanted and total > 1 and is_terminal(sys.stderr)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def step(self) -> None:
        """One more is done."""
        self.num_done += 1
        now = monotonic()
        if self._is_shown and now - self._drawn >= _REDRAW_S:
            self._drawn = now
            sys.stderr.write(f"\r\x1b[K{self.line(now - self._begin)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def line(self, elapsed_s: float) -> str:
        """The text after ``elapsed_s`` seconds, without the control characters that place it."""
        rate = (self.num_done - self._num_before) / max(elapsed_s, 1e-9)
        share = self.num_done / self.total
        filled = int(share * 20)
        left = clock((self.total - self.num_done) / rate) if rate else "?"
        full, empty = "█░" if (sys.stderr.encoding or "").lower().startswith("utf") else "#."
        bar = full * filled + empty * (20 - filled)
        return f"{bar} {self.num_done:,} of {self.total:,}  {rate:,.1f}/s  {left} left"


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
