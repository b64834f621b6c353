"""Starts one worker process, waits for it within bounds, and reads its outcome: whatever it does, there is one."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnbench.ends_with_parent import variable_for_children
from mnbench.fields import Fields
from mnbench.job import Job
from mnbench.last_words import last_words
from mnbench.reasons import without_folders
from mnbench.record import Process, Status
from mninfer.errors import InputError, OutputError

__all__ = ["Launch", "Outcome", "read_answer", "run_apart", "run_worker", "unwritable_scratch"]

# Beside its sampling a process may start, open, compile and check for so long; then it counts as hung.
GRACE_S = 180.0
_MOST_RUNS_LONG = 5  # a run may overshoot the budget: the last warm-up, the last sample; slow ones warm up for longer
_HUNG = "hung"
_LAST_BYTES = 64 << 10  # of what a process said: an engine that complains of each run says a lot


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a worker is started: by which Python, with which variables on top of ours, and in which scratch folder."""

    scratch: Path
    python: str = sys.executable
    variables: Mapping[str, str]
    grace_s: float = GRACE_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: ``process`` where it was measured, else ``reason``."""

    status: Status
    reason: str = ""
    process: Process | None = None

    @property
    def is_hung(self) -> bool:
        """Whether it took so long that it was ended."""
        return self.reason.startswith(f"{_HUNG}: ")


def run_worker(job: Job, launch: Launch) -> Outcome:
    """Measure ``job`` in a fresh process. Never raises for what happens in there; Control-C ends it, too.

    Raises:
        OutputError: the scratch folder can't be written.
    """
    limit_s = launch.grace_s + _MOST_RUNS_LONG * (job.budget.seconds + job.budget.warm_up_seconds)
    told = run_apart("mnbench.worker", job, launch, limit_s=limit_s)
    return Outcome(Status.FAILED, told) if isinstance(told, str) else _read(told)


def run_apart(module: str, job: Job, launch: Launch, *, limit_s: float) -> Path | str:
    """Run ``python -m module JOB OUTCOME`` in a process of its own: the outcome's path, or why there is none.

    Raises:
        OutputError: the scratch folder can't be written.
    """
    order, outcome, words = (launch.scratch / name for name in ("job.json", "outcome.json", "words.txt"))
    command = [launch.python, "-m", module, str(order), str(outcome)]
    try:
        order.write_text(json.dumps(job.to_json()), encoding="utf-8")
        outcome.unlink(missing_ok=True)
        chatter = words.open("wb")
    except OSError as error:
        raise unwritable_scratch(error) from error
    with chatter:
        try:
            code = _run(command, launch, chatter.fileno(), limit_s)
        except OSError as error:  # an environment that was removed or moved, or no process can be had
            return f"{Path(launch.python).name} could not be started: {error.strerror or error}"
    if code is None:
        return f"{_HUNG}: ended after {limit_s:.0f} s"
    if not outcome.exists():
        return _how_it_ended(code, words)
    return outcome


def read_answer(path: Path) -> Any:
    """The JSON that a process left. Raise ValueError where it is none, or holds what is no number: NaN, infinities."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(value, allow_nan=False)
    except (OSError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return value


def unwritable_scratch(error: OSError) -> OutputError:
    """What to say where the folder for what only lasts as long as a run can't be written."""
    return OutputError(
        f"what lies between two processes can't be written: {error.strerror or error}",
        where=str(error.filename) if error.filename is not None else None,
        hints="TMPDIR=FOLDER names another place, with room",
    )


def _run(command: list[str], launch: Launch, chatter: int, limit_s: float) -> int | None:
    """The exit code; None where it took too long. Its children go with it."""
    process = None
    try:
        with _signals_held() as arrived:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=chatter,
                stderr=chatter,
                env={**os.environ, **_for_worker(launch)},
                start_new_session=True,
            )
        if arrived:
            raise KeyboardInterrupt
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process is not None:
            _end(process)


def _for_worker(launch: Launch) -> dict[str, str]:
    return {"MNBENCH_SCRATCH": str(launch.scratch), **variable_for_children(), **launch.variables}


@contextmanager
def _signals_held() -> Iterator[list[int]]:
    """Meanwhile, signals that would interrupt are noted: in the midst of starting, nobody knows yet whom to end."""
    arrived: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield arrived  # signals interrupt the main thread alone
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    interrupting = [number for number in numbers if callable(before[number])]
    try:
        for number in interrupting:
            signal.signal(number, lambda number, _: arrived.append(number))
        yield arrived
    finally:
        for number in interrupting:
            signal.signal(number, before[number])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the worker's whole session: after a crash or Control-C its own children may still run."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (OSError, AttributeError):  # it is gone; or Windows, which has no sessions
        process.kill()
    process.wait()


def _how_it_ended(code: int, words: Path) -> str:
    last = _words_in(words)
    how = f"killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
    return f"{how}: {last}" if last else how


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _words_in(words: Path) -> str:
    try:
        with words.open("rb") as file:
            file.seek(max(0, words.stat().st_size - _LAST_BYTES))
            said = file.read(_LAST_BYTES)
    except OSError:
        return ""
    return without_folders(last_words(said.decode(errors="replace"), otherwise=""))


def _read(path: Path) -> Outcome:
    try:
        fields = Fields(read_answer(path), "the outcome")
        status = fields.choice("status", Status)
        process = Process.from_json(fields.raw("process"), "process") if status is Status.MEASURED else None
        return Outcome(status, fields.text("reason"), process)
    except (InputError, ValueError) as error:  # a peer's Python of another age
        return Outcome(Status.FAILED, f"the worker's outcome can't be read: {error}")
