"""From nothing to a label: ``mninfer classify MODEL PHOTO`` as a whole process, timed from its start to its end.

Files lie in the system's cache from the second process on, so this is the start of a program, not of a machine.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mnbench.job import Job
from mnbench.own_version import own_version
from mnbench.workloads.launcher import Launcher, program_environment
from mnbench.workloads.photo_to_label import checked_photo_job
from mnbench.workloads.protocol import Array, Workload
from mninfer.errors import EngineError, InputError

__all__ = ["ColdStart", "open_workload"]

_FIRST_RUN_SECONDS = 120


def open_workload(job: Job) -> Workload:
    """Run the command once, to hear what it has to say, and be ready to time it."""
    file, picture = checked_photo_job(job)
    return ColdStart(
        [sys.executable, "-m", "mninfer", "classify", str(file), str(picture), *_options(job)], job.cell.threads
    )


class ColdStart:
    """The command, and the most memory that any of its processes has had."""

    def __init__(self, command: Sequence[str], threads: int | None) -> None:
        self._answer = _first_answer(command)
        self._threads = threads
        self._launcher = Launcher(command)
        self._peaks: list[int] = []

    def run(self) -> None:
        ended = self._launcher.launch()
        if ended.exit_code:
            raise EngineError(f"mninfer classify ended with exit code {ended.exit_code}, and had run well before")
        self._peaks.append(ended.peak_bytes)

    def parts_ns(self) -> Mapping[str, int]:
        return {}

    def outputs(self) -> Sequence[Array]:
        return ()

    def facts(self) -> Mapping[str, Any]:
        peak = {"process_peak_bytes": max(self._peaks)} if self._peaks else {}
        return {"version": own_version(), "answer": self._answer, "threads": self._threads, **peak}

    def close(self) -> None:
        self._launcher.close()


def _options(job: Job) -> list[str]:
    if not job.cell.use_xnnpack:
        raise InputError("mninfer classify leaves XNNPACK to the engine: a cold start is not measured without it")
    stated = {"threads": job.cell.threads, "preprocess": job.network.get("preprocess")}
    stated["resize"] = job.network.get("resize")
    return [word for name, value in stated.items() if value is not None for word in (f"--{name}", str(value))]


def _first_answer(command: Sequence[str]) -> str:
    """The best label's line. Raise EngineError with the command's own words where it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_FIRST_RUN_SECONDS,
            check=False,
            env=program_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"mninfer classify was not done after {_FIRST_RUN_SECONDS} s") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise EngineError(f"mninfer classify failed: {said}")
    lines = done.stdout.splitlines()
    if not lines:
        raise EngineError("mninfer classify ended well, and named no label")
    return lines[0]
