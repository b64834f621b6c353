"""A thin process that starts another again and again, and says how long it took and how much memory it had at most.

Thin, because what the system counts as a process's peak begins with the memory of who started it; and kept open, so
that its own start is in no sample. Standard library alone: the environments of peers use it, too.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["EndedProcess", "Launcher", "program_environment"]

# A line on stdin starts the command once more, and a line on stdout says how that went.
_PROGRAM = """
import os, sys
from time import perf_counter_ns
quiet = os.open(os.devnull, os.O_RDWR)
actions = [(os.POSIX_SPAWN_DUP2, quiet, stream) for stream in (0, 1, 2)]
command = sys.argv[1:]
for _ in sys.stdin:
    begin = perf_counter_ns()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    print(perf_counter_ns() - begin, usage.ru_maxrss, os.waitstatus_to_exitcode(status), flush=True)
"""
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss: bytes on macOS, KiB elsewhere


@dataclass(frozen=True, slots=True)
class EndedProcess:
    """``peak_bytes`` is the most that was resident at a time; a negative ``exit_code`` is the signal that ended it."""

    elapsed_ns: int
    peak_bytes: int
    exit_code: int


def program_environment() -> dict[str, str]:
    """This process's environment, in which Python keeps what it compiled, as it does unless a developer forbids it.

    With that switch a checkout would be compiled anew in every sample.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Launcher:
    """Starts one command, as often as it is told to, with nothing on its standard streams."""

    def __init__(self, command: Sequence[str]) -> None:
        """Raise MissingDependencyError where the system can't do it: Windows."""
        if not hasattr(os, "posix_spawn") or not hasattr(os, "wait4"):
            raise MissingDependencyError("whole processes are timed by posix_spawn and wait4, which this system lacks")
        self.command = tuple(command)
        self._process = subprocess.Popen(
            # -I -S: nothing of the environment or of site-packages makes it thicker
            [sys.executable, "-I", "-S", "-c", _PROGRAM, *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=program_environment(),
        )

    def launch(self) -> EndedProcess:
        """Run the command once, to its end. Raise EngineError where it can't be started."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("again\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:  # ValueError: closed
            raise self._failure("its launcher has ended") from error
        elapsed_ns, peak, exit_code = (int(word) for word in self._answer().split())
        return EndedProcess(elapsed_ns, peak * _PEAK_UNIT, exit_code)

    def close(self) -> None:
        """End the launcher; its last command has ended before."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        self._process.wait()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._process.stderr.read().strip().splitlines()
            raise self._failure(said[-1] if said else "its launcher has ended")
        return line

    def _failure(self, why: str) -> EngineError:
        return EngineError(f'"{self.command[0]}" could not be started: {why}')
