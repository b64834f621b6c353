"""What a person sees of a training run: a line that moves within an epoch, a line that stays for each one done."""

import sys
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from mninfer.cli.output import is_terminal, note
from mninfer.cli.progress import clock
from mnmodels.training.run import Watcher

if TYPE_CHECKING:
    from mnmodels.training.logs import Row

__all__ = ["TerminalWatcher"]

REDRAW_S = 0.2


class TerminalWatcher(Watcher):
    """Notes every epoch on stderr, with the time that is left; the moving line is for terminals only."""

    def __init__(self, tensorboard: Path | None = None) -> None:
        from mnmodels.training.logs import TensorBoard

        self._board = TensorBoard(tensorboard) if tensorboard else None
        self._is_shown = is_terminal(sys.stderr)
        self._epoch, self._epochs, self._began, self._drawn = 0, 0, monotonic(), 0.0

    def __enter__(self) -> "TerminalWatcher":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._clear()
        if kind is KeyboardInterrupt and self._epoch:
            note(f"stopped in epoch {self._epoch}; --resume goes on after epoch {self._epoch - 1}")

    def began(self, epoch: int, epochs: int) -> None:
        self._epoch, self._epochs, self._began = epoch, epochs, monotonic()

    def stepped(self, step: int, steps: int, loss: float, accuracy: float) -> None:
        now = monotonic()
        if not self._is_shown or now - self._drawn < REDRAW_S:
            return
        self._drawn = now
        left = (now - self._began) / step * (steps - step)
        sys.stderr.write(
            f"\r\x1b[Kepoch {self._epoch}/{self._epochs}  batch {step:,} of {steps:,}  "
            f"loss {loss:.3f}  top-1 {100 * accuracy:.1f} %  {clock(left)} left"
        )
        sys.stderr.flush()

    def ended(self, rows: tuple["Row", ...]) -> None:
        self._clear()
        row = rows[-1]
        recent = rows[-5:]
        left = sum(each["seconds"] for each in recent) / len(recent) * (self._epochs - len(rows))
        note(
            f"epoch {len(rows)}/{self._epochs}  loss {row['loss']:.4f}  top-1 {100 * row['accuracy']:.2f} %  "
            f"validation {row['val_loss']:.4f}, {100 * row['val_accuracy']:.2f} %  "
            f"{row['seconds']:.0f} s, {clock(left)} left"
        )
        if self._board:
            self._board.write(row)

    def _clear(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
