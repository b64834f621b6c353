"""How far a run is: one line on a terminal that is drawn over; elsewhere a line to a round."""

import sys
import time

from mnbench.cell import Cell
from mninfer.cli.output import is_terminal, note, printable
from mninfer.cli.progress import clock

__all__ = ["RunProgress", "progress_text"]

_BAR = 16


class RunProgress:
    """A Watcher of ``running.run_plan``."""

    def __init__(self) -> None:
        self._is_shown = is_terminal(sys.stderr)
        self._round = -1

    def process(self, cell: Cell, *, round_: int, num_done: int, num_all: int, left_s: float) -> None:
        text = progress_text(cell.key, num_done=num_done, num_all=num_all, left_s=left_s)
        if self._is_shown:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif round_ != self._round:
            note(f"round {round_ + 1}: {num_done} of {num_all} processes done, about {clock(left_s)} left")
        self._round = round_

    def stage(self, text: str) -> None:
        """What is done before anything is measured."""
        if self._is_shown:
            sys.stderr.write(f"\r\x1b[K{printable(text)}")
            sys.stderr.flush()
        else:
            note(text)

    def clear(self) -> None:
        """Take the line away, so that something else can be printed."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def progress_text(key: str, *, num_done: int, num_all: int, left_s: float) -> str:
    """The line, without the control characters that place it."""
    share = num_done / num_all if num_all else 1.0
    filled = round(share * _BAR)
    full, empty = "█░" if (sys.stderr.encoding or "").lower().startswith("utf") else "#."
    ends = clock(left_s)
    at = time.strftime("%H:%M", time.localtime(time.time() + left_s))
    bar = full * filled + empty * (_BAR - filled)
    return f"{bar} {num_done} of {num_all}  {ends} left, until {at}  {printable(key)}"[: _columns()]


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns - 1
