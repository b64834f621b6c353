"""The command ``mninfer`` in a process of its own, and its outcome."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mninfer

__all__ = ["Outcome", "command_line", "environment_for", "run_mninfer"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit code (negative: the signal that ended it) and what was said where."""

    code: int
    out: str
    err: str


def command_line(*arguments: str | bytes | Path) -> list[str | bytes | Path]:
    return [sys.executable, "-m", "mninfer", *arguments]


def environment_for(**changes: str) -> dict[str, str]:
    """This process's environment, in which the mninfer that is tested is found from any folder."""
    assert mninfer.__file__
    return {**os.environ, "PYTHONPATH": str(Path(mninfer.__file__).parent.parent), **changes}


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
