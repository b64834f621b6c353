"""Our commands in a process of their own, and their outcome."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import mnbench
import mninfer
import mnmodels

__all__ = ["Cli", "Outcome", "command_line", "environment_for", "in_this_process", "run_mninfer"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit code (negative: the signal that ended it) and what was said where."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


def in_this_process(main: Callable[[list[str]], int], capfd: pytest.CaptureFixture[str]) -> Cli:
    """A command, by its ``main``, as a function of its arguments."""

    def run(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return run


def command_line(*arguments: str | bytes | Path, package: str = "mninfer") -> list[str | bytes | Path]:
    return [sys.executable, "-m", package, *arguments]


def environment_for(**changes: str) -> dict[str, str]:
    """This process's environment, in which the tested packages are found from any folder and a crash tells where."""
    homes = dict.fromkeys(str(Path(str(package.__file__)).parent.parent) for package in (mninfer, mnmodels, mnbench))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(homes), "PYTHONFAULTHANDLER": "1", **changes}


def run_mninfer(
    *arguments: str | bytes | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 120
) -> Outcome:
    done = subprocess.run(
        command_line(*arguments),
        cwd=cwd,
        env=env or environment_for(),
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="replace"))
