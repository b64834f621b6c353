"""Send damaged models through the check and an engine, in processes that may die; count what came of them."""

import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["FATAL", "Outcome", "run_mutants"]

ROOT = Path(__file__).resolve().parents[2]
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


def run_mutants(python: str, engine: str, base: Path, *, seed: str, count: int, is_checked: bool = True) -> Outcome:
    """Run ``count`` mutants of the file ``base`` with an engine of that Python; or without the check before it."""
    request = {
        "engine": engine,
        "base": str(base),
        "seed": seed,
        "count": count,
        "is_checked": is_checked,
        "pythonpath": [str(ROOT / "tests"), *_import_from()],
    }
    worker = Path(__file__).with_name("fuzz_worker.py")
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [python, str(worker), json.dumps(request)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the worker failed:\n{done.stderr}")
    outcome = Outcome()
    for line in done.stdout.splitlines():
        if line.startswith("["):
            outcome.add(*json.loads(line))
    assert outcome.totals.total() == count, done.stdout[-1000:]
    return outcome


def _import_from() -> list[str]:
    """The checkout, unless this process imports mninfer from where it is installed."""
    import mninfer

    return [str(ROOT)] if Path(mninfer.__file__).is_relative_to(ROOT / "mninfer") else []
