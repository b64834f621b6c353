"""Runs ``mnbench run`` on another machine over one plain OpenSSH connection, and brings its record back."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mnbench.fields import Fields
from mnbench.record import Record
from mnbench.record_file import read_record
from mnbench.remote.connection import Connection, ConnectionLostError
from mnbench.remote.parcel import models_there, packed
from mnbench.remote.refusal import refused_before, refused_by, unusable
from mnbench.remote.target import SshTarget
from mninfer.errors import EngineError, InputError, MnError

__all__ = ["run_over_ssh"]

_MAX_RECORD_BYTES = 64 << 20
_SHOWN_LINES = 8


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
        EngineError: the run there failed, or the connection broke; the message holds the last lines.
        OutputError: the device has no room, or this one.
    """
    models = [word for name in models_there(bundles) for word in ("--models", name)]
    with packed(bundles) as (parcel, size), Connection(target, python, watcher) as connection:
        watcher(f"asking {target}")
        connection.request(size=size, arguments=["run", *arguments, *models, "-o", "result.json"])
        _check_ready(connection, target, python)
        watcher(f"sending {size / 1e6:.0f} MB to {target}")
        connection.send(parcel)
        _expect(connection, "running", target)
        watcher(f"running on {target}")
        connection.stay()
        return _result(connection, target)


def _check_ready(connection: Connection, target: SshTarget, python: str) -> None:
    try:
        message = connection.message()
    except ConnectionLostError as lost:
        raise refused_before(lost, target, python) from None
    if message["state"] != "ready":
        raise refused_by(message, target)
    refusal = unusable(message, target)
    if refusal is not None:
        raise refusal


def _expect(connection: Connection, state: str, target: SshTarget) -> Mapping[str, Any]:
    try:
        message = connection.message()
    except ConnectionLostError as lost:
        raise _broken(lost, target) from None
    if message["state"] != state:
        raise refused_by(message, target)
    return message


def _result(connection: Connection, target: SshTarget) -> Record:
    """The record when the run is over; on Control-C the run is told to end, and sends what it has."""
    try:
        return _receive(connection, target)
    except KeyboardInterrupt:
        connection.stop()
        try:
            return _receive(connection, target)
        except MnError:  # it had nothing yet
            raise KeyboardInterrupt from None


def _receive(connection: Connection, target: SshTarget) -> Record:
    done = Fields(_expect(connection, "done", target), "the device's message")
    size = done.count("size")
    if size > _MAX_RECORD_BYTES:
        raise InputError(f"the device's record has {size:,} bytes, more than {_MAX_RECORD_BYTES:,}", where=str(target))
    if not size:
        raise _failed(connection, done, target)
    try:
        return _read(connection.receive(size), target)
    except ConnectionLostError as lost:
        raise _broken(lost, target) from None


def _read(data: bytes, target: SshTarget) -> Record:
    """The record, trusted no more than any file by others."""
    with TemporaryDirectory(prefix="mnbench-") as folder:
        path = Path(folder) / "result.json"
        path.write_bytes(data)
        try:
            return read_record(path)
        except InputError as error:
            raise InputError(
                f"what the device sent is no record: {error.what}", where=str(target), hints=error.hints
            ) from error


def _failed(connection: Connection, done: Fields, target: SshTarget) -> EngineError:
    lines = "\n".join(f"  | {line}" for line in connection.last_lines[-_SHOWN_LINES:])
    return EngineError(
        f"the run there ended with exit code {str(done.raw('code'))[:10]} and no record:\n{lines}", where=str(target)
    )


def _broken(lost: ConnectionLostError, target: SshTarget) -> EngineError:
    said = [line for line in lost.lines if line.strip()][-1:]
    return EngineError(
        "the connection broke" + (f": {said[0]}" if said else ""),
        where=str(target),
        hints=(
            "run it again; what was measured there is lost",
            "or there, so that it needs no connection: mnbench run -o FILE, under tmux or nohup",
        ),
    )
