"""Progress on stderr: the stage that runs, and how long each one took. Shown on a terminal only."""

import os
import sys
from io import TextIOWrapper
from threading import Event, Lock, Thread
from time import monotonic
from types import TracebackType

from mninfer.cli.output import is_terminal, printable

__all__ = ["StageLine", "stage_text"]

_REDRAW_S = 0.2


class StageLine:
    """``with StageLine() as line: line.stage("lowering")``: a line with a running clock, which stays when it is done.

    It keeps a descriptor of its own: what native code writes to stderr may be held back meanwhile.
    """

    def __init__(self, *, is_wanted: bool | None = None) -> None:
        self._is_shown = is_terminal(sys.stderr) if is_wanted is None else is_wanted
        self._name, self._began = "", 0.0
        self._done = Event()
        self._lock = Lock()  # one line for two threads
        self._terminal: TextIOWrapper | None = None
        self._clock = Thread(target=self._redraw, daemon=True)

    def __enter__(self) -> "StageLine":
        if self._is_shown:
            sys.stderr.flush()
            self._terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="backslashreplace")
            self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal is None:
            return
        self._done.set()
        self._clock.join()
        with self._lock:
            self._finish(is_whole=kind is None)
        self._terminal.close()

    def stage(self, name: str) -> None:
        """What begins now; what ran until now is done. Saying it twice changes nothing."""
        with self._lock:
            if name == self._name:
                return
            self._finish(is_whole=True)
            self._name, self._began = name, monotonic()
            self._draw()

    def _finish(self, *, is_whole: bool) -> None:
        """Leave the line of a stage that went through; take away that of one that didn't."""
        if self._name:
            self._draw()
            self._write("\n" if is_whole else "\r\x1b[K")
        self._name = ""

    def _redraw(self) -> None:
        while not self._done.wait(_REDRAW_S):
            with self._lock:
                if self._name:
                    self._draw()

    def _draw(self) -> None:
        self._write(f"\r\x1b[K{stage_text(self._name, monotonic() - self._began)}")

    def _write(self, text: str) -> None:
        if self._terminal is not None:
            self._terminal.write(text)
            self._terminal.flush()


def stage_text(name: str, elapsed_s: float) -> str:
    """The line of a stage, without the control characters that place it."""
    return f"{elapsed_s:6.1f} s  {printable(name)}"
