"""Runs ``mnbench run`` on another machine over one plain OpenSSH connection, and brings its record back."""

import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mnbench.fields import Fields
from mnbench.record import Doubt, Record
from mnbench.record_file import MAX_RECORD_BYTES, decode_record
from mnbench.remote.connection import Connection, ConnectionLostError
from mnbench.remote.parcel import models_there, packed
from mnbench.remote.refusal import refused_before, refused_by, unusable
from mnbench.remote.target import SshTarget
from mninfer.errors import EngineError, InputError

__all__ = ["EndedEarlyError", "run_over_ssh"]

_SHOWN_LINES = 8
_FIRST_S = 120.0  # to connect, by way of other machines, and to start Python from a slow card


class EndedEarlyError(EngineError):
    """The run there ended by itself before its time; ``record`` is what it had, with the doubt ``ended-early``."""

    def __init__(self, what: str, *, where: str, record: Record) -> None:
        super().__init__(what, where=where)
        self.record = record


@dataclass(frozen=True, slots=True)
class _Sent:
    """What came back: how the run ended, and its record if there is anything in it."""

    code: object
    record: Record | None


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
        EndedEarlyError: the run there died, or was ended by somebody there; what it had measured comes with it.
        EngineError: it failed, or the connection broke; the message holds the last lines.
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
        message = connection.first_message(_FIRST_S)
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
    """The record when the run is over; on Control-C the run is told to end, and sends what it has.

    The other side is heard by a thread, since Control-C comes to this one: what is on its way then goes on coming.
    """
    hearing = ThreadPoolExecutor(max_workers=1)
    answer = hearing.submit(_receive, connection, target)
    hearing.shutdown(wait=False)
    try:
        sent = answer.result()
    except KeyboardInterrupt:
        connection.stop()
        sent = answer.result()
        if sent.record is None:  # it had nothing yet
            raise
        return sent.record
    if sent.record is None:
        raise EngineError(_ended(sent.code, "with no record", connection), where=str(target))
    if not sent.record.is_complete:
        raise _ended_early(sent.code, sent.record, connection, target)
    return sent.record


def _receive(connection: Connection, target: SshTarget) -> _Sent:
    done = Fields(_expect(connection, "done", target), "the device's message")
    code, size = done.raw("code"), done.count("size")
    if size > MAX_RECORD_BYTES:
        raise InputError(f"the device's record has {size:,} bytes, more than {MAX_RECORD_BYTES:,}", where=str(target))
    try:
        record = _read(connection.receive(size), target) if size else None
    except ConnectionLostError as lost:
        raise _broken(lost, target) from None
    return _Sent(code, record if record is not None and _tells_anything(record) else None)


def _tells_anything(record: Record) -> bool:
    """Whether it is worth a file: one that ended before its first process would but stand in the way of the next."""
    return record.is_complete or any(row.processes for row in record.rows)


def _read(data: bytes, target: SshTarget) -> Record:
    """The record, trusted no more than any file by others."""
    try:
        return decode_record(data, str(target))
    except InputError as error:
        raise InputError(
            f"what the device sent is no record: {error.what}", where=str(target), hints=error.hints
        ) from error


def _ended_early(code: object, record: Record, connection: Connection, target: SshTarget) -> EndedEarlyError:
    doubt = Doubt("ended-early", f"the run there {_how_it_ended(code)}, before its time")
    record = replace(record, doubts=(doubt, *record.doubts))
    return EndedEarlyError(_ended(code, "before its time", connection), where=str(target), record=record)


def _ended(code: object, so: str, connection: Connection) -> str:
    with suppress(KeyboardInterrupt):  # which ends the waiting alone: there may be a record
        connection.hear_out()
    lines = "\n".join(f"  | {line}" for line in connection.last_lines[-_SHOWN_LINES:])
    return f"the run there {_how_it_ended(code)}, {so}" + (f":\n{lines}" if lines else "")


def _how_it_ended(code: object) -> str:
    """A code as Python tells it of a process there: that of a signal is below 0."""
    names = {-number: number.name for number in signal.Signals}
    name = names.get(code) if isinstance(code, int) else None
    if name is None:
        return f"ended with exit code {str(code)[:10]}"
    return f"was ended by {name}" + (" (as where memory runs out)" if name == "SIGKILL" else "")


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
