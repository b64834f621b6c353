"""Give several hundred hostile and broken files to the reader of Keras files; each must be refused, or load harmlessly.

usage: python tools/fuzz_keras_files.py [--seed mnkit] [--take 60] [--kind code] [--out FILE]

Each file is loaded in a process that may die, with 60 s of CPU and 2 GiB for each. Exit code 1 if a process died or
hung, if code ran, a file was written elsewhere, more memory was asked for, or an error was none of ours.
"""

import argparse
import json
import os
import platform
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
if (installed := find_spec("mnmodels")) is None or installed.origin is None:  # None: a mere folder of that name
    sys.path[:0] = [str(ROOT / "models"), str(ROOT)]

from hostile_keras_files import Hostile, hostile_files

FATAL = ("killed", "hung", "large", "ran code", "wrote", "bug")
SECONDS = 60
START_SECONDS = 300


class Worker:
    """The other process; made again when it has died."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def load(self, path: Path) -> tuple[str, str]:
        """What came of one file."""
        process = self.process or self.start()
        assert process.stdin is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        answer = self.answer(SECONDS)
        if answer is not None:
            verdict, detail = json.loads(answer)
            return verdict, detail
        code = process.poll()
        self.stop()
        return ("hung", f"more than {SECONDS} s") if code is None else ("killed", f"exit code {code}")

    def start(self) -> "subprocess.Popen[str]":
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "CANARY": str(self.folder / "canary"),
            "SCRATCH": str(self.folder),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        (self.folder / "canary").mkdir(exist_ok=True)
        environment["TMPDIR"] = str(self.folder)
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tools" / "keras_file_worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
            cwd=self.folder,
        )  # fmt: skip
        if self.answer(START_SECONDS) is None:
            raise RuntimeError("the worker does not start: is Keras installed?")
        return self.process

    def answer(self, seconds: float) -> str | None:
        """A line; None where none comes within these seconds of CPU, or in ten times as many of the clock."""
        assert self.process is not None
        assert self.process.stdout is not None
        deadline, allowed = time.monotonic() + 10 * seconds, self.used() + seconds
        while time.monotonic() < deadline and self.used() < allowed:
            ready, _, _ = select.select([self.process.stdout], [], [], 1)
            if ready:
                return self.process.stdout.readline() or None
        return None

    def used(self) -> float:
        """The worker's seconds of CPU, and its children's: other programs may be at work here too."""
        assert self.process is not None
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """Ends the process, and closes its pipes; the next load starts another."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def run(cases: list[Hostile]) -> Iterator[tuple[Hostile, str, str]]:
    """Each case with its verdict."""
    folder = Path(tempfile.mkdtemp())
    worker = Worker(folder)
    try:
        for case in cases:
            yield case, *run_one(worker, case, folder)
    finally:
        worker.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_one(worker: Worker, case: Hostile, folder: Path) -> tuple[str, str]:
    name = case.name.replace("/", "_").replace("\0", "_")
    home = folder / "in"
    home.mkdir()
    case.make(home / name)
    before = everything(folder)
    verdict, detail = worker.load(home / name)
    left = everything(folder) - before - {"canary", "a.h5", "a.keras"}
    if left and verdict not in FATAL:
        verdict, detail = "wrote", ", ".join(sorted(left))
    shutil.rmtree(home)
    return verdict, detail


def everything(folder: Path) -> set[str]:
    """All names below a folder."""
    return {
        os.path.relpath(os.path.join(where, name), folder)
        for where, *names in os.walk(folder)
        for name in chain(*names)
    }


def main() -> int:
    args = parse()
    started = time.monotonic()
    cases = hostile_files(args.seed)
    if args.kind:
        cases = [case for case in cases if case.kind.startswith(tuple(args.kind))]
    if args.take:
        cases = random.Random(args.seed).sample(cases, args.take)
    outcomes = []
    for number, (case, verdict, detail) in enumerate(run(cases), start=1):
        outcomes.append((case, verdict, detail))
        if verdict in FATAL or args.verbose:
            print(f"{number}/{len(cases)} {case.kind}: {case.name}: {verdict}: {detail}", flush=True)
    report = summary(args.seed, outcomes)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} files, {time.monotonic() - started:.0f} s: {report['totals']}")
    return 1 if any(verdict in FATAL for _, verdict, _ in outcomes) else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="mnkit")
    parser.add_argument("--kind", action="append", help="only files of kinds that begin so")
    parser.add_argument("--take", type=int, help="so many of them, drawn by the seed")
    parser.add_argument("--verbose", action="store_true", help="tell of each file")
    parser.add_argument("--out", type=Path, help="where the result file goes")
    return parser.parse_args()


def summary(seed: str, outcomes: list[tuple[Hostile, str, str]]) -> dict[str, Any]:
    """The result file."""
    kinds = sorted({case.kind for case, _, _ in outcomes})
    return {
        "schema": 1,
        "what": "hostile and broken Keras files, each read in a process that may die",
        "command": f"python tools/fuzz_keras_files.py --seed {seed} --out benchmarks/results/keras_file_fuzz.json",
        "seed": seed,
        "files": len(outcomes),
        "limits": {"cpu_seconds": SECONDS, "allocation_bytes": 2 << 30},
        "versions": {name: version(name) for name in ("keras", "h5py", "numpy")}
        | {"python": platform.python_version()},
        "totals": ordered(Counter(verdict for _, verdict, _ in outcomes)),
        "by_kind": {
            kind: ordered(Counter(verdict for case, verdict, _ in outcomes if case.kind == kind)) for kind in kinds
        },
        "trouble": [
            {"kind": case.kind, "name": case.name, "verdict": verdict, "detail": detail}
            for case, verdict, detail in outcomes
            if verdict in FATAL
        ],
    }


def ordered(counts: Counter[str]) -> dict[str, int]:
    return {verdict: counts[verdict] for verdict in ("refused", "loaded", *FATAL)}


if __name__ == "__main__":
    raise SystemExit(main())
