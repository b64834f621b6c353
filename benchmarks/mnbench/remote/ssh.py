"""Runs ``mnbench run`` on another machine over one plain OpenSSH connection, and brings its record back."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mnbench.record import Record
from mnbench.remote.target import SshTarget

__all__ = ["run_over_ssh"]


def run_over_ssh(
    target: SshTarget,
    arguments: Sequence[str],
    bundles: Sequence[Path],
    *,
    watcher: Callable[[str], None],
    python: str = "python3",
) -> Record:
    """Measure ``bundles`` (folders by ``prepare``, or ``.tflite`` files) on ``target`` with its own ``python``.

    ``arguments`` are those of ``mnbench run`` but for ``--on``, ``--models``, ``-o`` and ``--resume``; lines of
    progress go to ``watcher``. On Control-C the record of what has been measured is returned, ``is_complete`` False.

    Raises:
        InputError: the device can't be reached, or what came back is no record.
        MissingDependencyError: there is no ssh here, or no Python, numpy or engine there.
        EngineError: the run there failed; the message holds its last lines.
        OutputError: the device has no room.
    """
    raise NotImplementedError
