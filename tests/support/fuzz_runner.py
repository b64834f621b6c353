"""Send damaged models through the check and an engine, in processes that may die; count what came of them."""

import json
import os
import select
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["FATAL", "Outcome", "run_mutants"]

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
HANG_SECONDS = 10.0
FATAL = ("killed", "hung", "large", "bug")
"""Verdicts that must not be, behind the check."""


@dataclass(slots=True)
class Outcome:
    """Verdicts by kind of damage. ``trouble`` lists what must not be."""

    by_kind: dict[str, Counter[str]] = field(default_factory=dict)
    trouble: list[dict[str, Any]] = field(default_factory=list)

    def add(self, index: int, kind: str, verdict: str, detail: str) -> None:
        self.by_kind.setdefault(kind, Counter())[verdict] += 1
        if verdict in FATAL:
            self.trouble.append({"index": index, "kind": kind, "verdict": verdict, "detail": detail})

    @property
    def totals(self) -> Counter[str]:
        """Verdicts over all kinds."""
        return sum(self.by_kind.values(), Counter())


def run_mutants(
    python: str,
    engine: str,
    base: Path,
    seed: str,
    indices: Sequence[int],
    *,
    checked: bool = True,
    installed: bool = False,
    batch: int = 500,
) -> Outcome:
    """Run mutants of ``base``; ``checked=False`` leaves the check out; ``installed``: mninfer is in site-packages."""
    from support.model_mutants import KINDS

    outcome = Outcome()
    waiting = list(indices)
    while waiting:
        request = {
            "engine": engine,
            "base": str(base),
            "seed": seed,
            "indices": waiting[:batch],
            "checked": checked,
            "pythonpath": [str(ROOT / "tests"), *([] if installed else [str(ROOT)])],
        }
        done, ending = 0, ""
        for answer in _answers(python, request):
            if isinstance(answer, str):
                ending = answer
                break
            outcome.add(*answer)
            done += 1
        if ending:
            index = waiting[done]
            outcome.add(index, KINDS[index % len(KINDS)][0], "hung" if ending == "hung" else "killed", ending)
            done += 1
        waiting = waiting[max(done, 1) :]
    return outcome


def _answers(python: str, request: dict[str, Any]) -> Iterator[tuple[int, str, str, str] | str]:
    """The worker's answers, then a word if it died or hung before it was through."""
    worker = Path(__file__).with_name("fuzz_worker.py")
    process = subprocess.Popen(
        [python, str(worker), json.dumps(request)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        lines = _Lines(process.stdout.fileno())
        if lines.next(START_SECONDS) != b"ready":
            process.kill()
            raise RuntimeError(f"the worker could not start:\n{process.stderr.read().decode(errors='replace')}")
        for _ in request["indices"]:
            line = lines.next(HANG_SECONDS)
            if line is None:
                process.kill()
                process.wait()
                yield "hung"
                return
            if not line:
                code = process.wait()
                if code:
                    yield f"signal {-code}" if code < 0 else f"exit code {code}"
                return
            index, kind, verdict, detail = json.loads(line)
            yield index, kind, verdict, detail
        process.wait()


class _Lines:
    """Lines from a pipe, each within a time."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.buffer = b""

    def next(self, seconds: float) -> bytes | None:
        """The next line; empty at the end, None when the time is up."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            if not select.select([self.descriptor], [], [], max(deadline - time.monotonic(), 0))[0]:
                return None
            chunk = os.read(self.descriptor, 1 << 16)
            if not chunk:
                return b""
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line


def _environment() -> dict[str, str]:
    return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "MALLOC_ARENA_MAX": "2"}
