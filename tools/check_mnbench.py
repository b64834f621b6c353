"""Does mnbench measure what it says? Its bars, measured on this machine -> benchmarks/results/mnbench_check.json.

usage: python tools/check_mnbench.py [--rounds 15] [--model FILE]... [--records A.json B.json]
                                     [--timed FILE.json...] [--only-records] [--out FILE]

- overhead: what mnbench finds for a file is within 1 % of what a bare loop over the same interpreter finds;
- litert-benchmark: within 3 % of what LiteRT's own program finds. It runs the file by CompiledModel on random input,
  mnbench by Interpreter on the run's own;
- slowdown: a run that is made 10 % longer is called slower, and the same run once more is not;
- overlap: with two results of one plan, the 95 % intervals of at least 90 % of the cells overlap. Wide ones easily do:
  beside the share stands how far the median one reaches from its middle;
- duration: results of --preset quick and --preset table took no longer than those are promised to, on two cores.

Everything in fresh processes that take turns. A ratio holds if its middle is within the bar and its 95 % interval is
no wider than the bar on either side: a figure that isn't known that well holds nothing. Files: MobileNet V1 1.0/224,
float and int8, with random weights, unless stated. Exit code 3 where a bar isn't held.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if find_spec("mnbench") is None:  # not installed: the checkout's own
    sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from mnbench.cell import Cell, Work
from mnbench.cli.record_place import check_place
from mnbench.cli.recorded_command import options_of_record
from mnbench.cli.run import command as run_command
from mnbench.comparing import compare
from mnbench.device_name import device_name
from mnbench.job import Budget, Job
from mnbench.machine import read_conditions, read_facts
from mnbench.plan import LEAST_ROUNDS
from mnbench.presets import Preset
from mnbench.record import Process, Record, Row, Status
from mnbench.record_file import read_record
from mnbench.statistics import Interval, Verdict, interval_of, row_interval
from mninfer.errors import InputError, MnError, VerifyError
from mninfer.files import write_atomically
from mninfer.loading import read_checked

RESULT = ROOT / "benchmarks/results/mnbench_check.json"
WORKER = Path(__file__).with_name("check_mnbench_worker.py")
OVERHEAD = 0.01
AGREEMENT = 0.03
SLOWDOWN = 0.10
OVERLAP = 0.90
DURATIONS_S = {"quick": 90.0, "table": 900.0}
ASKED = {
    "overhead": f"at most {100 * OVERHEAD:.0f} % above a bare loop",
    "litert-benchmark": f"within {100 * AGREEMENT:.0f} % of LiteRT's own program",
    "slowdown: again": '"can\'t tell" of the same run once more',
    "slowdown: slowed": f'"slower" of a run made {100 * SLOWDOWN:.0f} % longer',
    "overlap": f"in two runs, the intervals of {100 * OVERLAP:.0f} % of the cells overlap",
    **{f"duration: {preset}": f"at most {limit:.0f} s on two cores" for preset, limit in DURATIONS_S.items()},
}
BLOCKS = 20  # of the harness, and of the bare loop, in a process: short, since a machine changes by the second
RUNS = 100  # of litert-benchmark, and of mnbench beside it
PROCESS_SECONDS = 300
Ask = Callable[[str, Job, float], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One thing that must hold, what was found, and whether it does."""

    name: str
    model: str
    limit: float
    is_held: bool
    found: dict[str, Any]
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"bar": self.name, "model": self.model, "asked": ASKED[self.name], "limit": self.limit,
                "is_held": self.is_held, "text": self.text, "found": self.found}  # fmt: skip


def ratio_bar(name: str, model: str, limit: float, ratio: Interval, *, is_one_sided: bool) -> Bar:
    """Held where the middle is within the limit, and known to within it."""
    is_known = ratio.half_width <= limit
    is_within = ratio.middle <= 1 + limit and (is_one_sided or ratio.middle >= 1 / (1 + limit))
    text = f"{spelled(ratio)} of its time{unless(is_known)}"
    return Bar(name=name, model=model, limit=limit, is_held=is_known and is_within, found=ratio.to_json(), text=text)


def spelled(ratio: Interval) -> str:
    return f"{ratio.middle:.4f} ({ratio.low:.4f} to {ratio.high:.4f})"


def unless(is_known: bool) -> str:
    return "" if is_known else ": not known well enough"


def overhead_bar(ask: Ask, job: Job, rounds: int) -> Bar:
    """A process's ratio is that of its blocks, pair by pair; the interval is over processes."""
    ratios = []
    for _ in range(rounds):
        blocks = ask("overhead", job, BLOCKS)
        pairs = zip(blocks["harness"], blocks["bare"], strict=True)
        ratios.append(statistics.median([harness / bare for harness, bare in pairs]))
    return ratio_bar("overhead", job.cell.model, OVERHEAD, interval_of(ratios), is_one_sided=True)


def agreement_bar(ask: Ask, job: Job, rounds: int) -> Bar:
    """Ours over theirs, round by round."""
    ways: dict[str, Callable[[], float]] = {
        "ours": lambda: statistics.median(ask("slowed", job, 0.0)["samples_ns"]) / 1e6,
        "theirs": lambda: float(ask("litert-benchmark", job, RUNS)),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in sorted(ways, reverse=bool(number % 2)):
            found[name].append(ways[name]())
    ratio = interval_of([ours / theirs for ours, theirs in zip(found["ours"], found["theirs"], strict=True)])
    bar = ratio_bar("litert-benchmark", job.cell.model, AGREEMENT, ratio, is_one_sided=False)
    medians = {f"{name}_ms": interval_of(values).to_json() for name, values in found.items()}
    return Bar(name=bar.name, model=bar.model, limit=bar.limit, is_held=bar.is_held, text=bar.text,
               found={"ratio": bar.found, **medians})  # fmt: skip


def slowdown_bars(ask: Ask, job: Job, rounds: int) -> Iterator[Bar]:
    """The same run twice, and once longer, taking turns: three results, held against each other as a user would."""
    shares = {"before": 0.0, "again": 0.0, "slowed": SLOWDOWN}
    processes: dict[str, list[Process]] = {name: [] for name in shares}
    for number in range(rounds):
        for name in sorted(shares, reverse=bool(number % 2)):
            answer = ask("slowed", job, shares[name])
            processes[name].append(Process.from_json({**answer, "round": number}, name))
    records = {name: record_of(job.cell, tuple(found)) for name, found in processes.items()}
    for name, wanted in (("again", Verdict.CANT_TELL), ("slowed", Verdict.SLOWER)):
        (row,) = compare(records["before"], records[name]).rows
        is_known = row.ratio.half_width <= SLOWDOWN / 2  # else it could not have been told if it were
        yield Bar(
            name=f"slowdown: {name}",
            model=job.cell.model,
            limit=shares[name],
            is_held=is_known and row.verdict is wanted,
            found={"ratio": row.ratio.to_json(), "verdict": str(row.verdict)},
            text=f'"{row.verdict}" at {spelled(row.ratio)}{unless(is_known)}',
        )


def record_of(cell: Cell, processes: tuple[Process, ...]) -> Record:
    row = Row(cell=cell, status=Status.MEASURED, processes=processes)
    return Record(device="this machine", command="tools/check_mnbench.py", plan="", rows=(row,))


def overlap_bar(first: Record, second: Record) -> Bar:
    """Of the cells that both know to within an interval: one without ends overlaps everything."""
    pairs = {
        row.cell.key: (row_interval(row), row_interval(other))
        for row in first.rows
        if (other := second.row(row.cell.key)) is not None
    }
    known = {key: (a, b) for key, (a, b) in pairs.items() if a and b and a.is_known and b.is_known}
    apart = [key for key, (a, b) in known.items() if not a.overlaps(b)]
    share = 1 - len(apart) / len(known) if known else 0.0
    widths = [statistics.median(each.half_width for each in run) for run in zip(*known.values(), strict=True)]
    return Bar(
        name="overlap",
        model="",
        limit=OVERLAP,
        is_held=share >= OVERLAP,
        found={
            "cells": len(known),
            "share": round(share, 4),
            "median_half_width": [round(width, 4) for width in widths],
            "apart": apart,
            "load": [load_of(first), load_of(second)],
        },
        text=f"{len(known) - len(apart)} of {len(known)} cells, in the median known to "
        + (" and ".join(f"± {100 * width:.1f} %" for width in widths) or "nothing"),
    )


def load_of(record: Record) -> dict[str, float] | None:
    """The load average (1 min) before its processes; None where the system didn't tell."""
    states = [process.conditions.get("before", {}) for row in record.rows for process in row.processes]
    loads = [state["load_average"] for state in states if isinstance(state.get("load_average"), int | float)]
    return {"median": statistics.median(loads), "most": max(loads)} if loads else None


def duration_bar(record: Record, path: Path) -> Bar:
    """Of a whole run of a preset that is promised to take so long. Raise InputError where it is another run.

    The files of the networks, which are made once, are not in it.
    """
    preset = preset_of(record)
    if preset not in DURATIONS_S or not record.is_complete:
        named = " or ".join(f"--preset {name}" for name in DURATIONS_S)
        raise InputError(f"the result is not of a whole run of {named}, without other options", where=str(path))
    limit = DURATIONS_S[preset]
    return Bar(
        name=f"duration: {preset}",
        model="",
        limit=limit,
        is_held=record.elapsed_s <= limit,
        found={"elapsed_s": record.elapsed_s},
        text=f"{record.elapsed_s:.0f} s on {device_name(record.machine.get('before', {}))}",
    )


def preset_of(record: Record) -> str | None:
    """The preset that it is all of; None where options made another plan of it."""
    options = options_of_record(record, run_command)
    is_whole = set(options) <= {"preset"} and record.command.startswith("mnbench run")
    return str(options.get("preset", Preset.TABLE)) if is_whole else None


def asker(folder: Path) -> Ask:
    """Asks one thing of one fresh process."""

    def ask(kind: str, job: Job, argument: float) -> Any:
        order = folder / "job.json"
        order.write_text(json.dumps(job.to_json()))
        command = [sys.executable, str(WORKER), kind, str(order), f"{argument:g}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise SystemExit(f"{kind} of {job.cell.model} was not done after {PROCESS_SECONDS} s") from error
        if done.returncode:
            said = done.stderr.strip().splitlines()
            raise SystemExit(f"{kind} of {job.cell.model} failed: {said[-1] if said else done.returncode}")
        return json.loads(done.stdout.splitlines()[-1])

    return ask


def jobs(models: Sequence[Path], folder: Path, runs: int = RUNS) -> Iterator[Job]:
    """One to a file, one thread, with an input from a seed."""
    for path in models or list(written_models(folder)):
        graph = read_checked(str(path)).graph
        shape = graph.tensors[graph.inputs[0]].shape
        pictures = folder / f"{path.stem}.npy"
        np.save(pictures, np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32))
        yield Job(
            cell=Cell(work=Work.FORWARD, model=path.stem, engine="litert", threads=1),
            budget=Budget(seconds=60, warm_up_seconds=1, least_samples=runs, most_samples=runs),
            file=path,
            input=pictures,
        )


def written_models(folder: Path) -> Iterator[Path]:
    sys.path.append(str(ROOT / "benchmarks/runtime"))
    from models import mobilenet_v1  # type: ignore[attr-defined]  # mypy takes models/ for it

    for kind in ("float", "int8"):
        path = folder / f"mobilenet_v1_1.0_224_{kind}.tflite"
        path.write_bytes(mobilenet_v1(1.0, 224, kind))
        yield path


def measured_bars(models: Sequence[Path], rounds: int, folder: Path) -> Iterator[Bar]:
    ask = asker(folder)
    for job in jobs(models, folder):
        yield overhead_bar(ask, job, rounds)
        yield agreement_bar(ask, job, rounds)
        yield from slowdown_bars(ask, job, rounds)


def all_bars(args: argparse.Namespace, folder: Path) -> Iterator[Bar]:
    """Those of results that are there, then those that are measured."""
    if args.records:
        yield overlap_bar(*map(read_record, args.records))
    for path in args.timed:
        yield duration_bar(read_record(path), path)
    if not args.only_records:
        yield from measured_bars(args.model, args.rounds, folder)


def result_of(bars: Sequence[Bar], before: dict[str, Any], started: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "command": " ".join(["python tools/check_mnbench.py", *map(without_places, sys.argv[1:])]),
        "started": started,
        "machine": read_facts(),
        "conditions": {"before": before, "after": read_conditions()},
        "bars": [bar.to_json() for bar in bars],
    }


def without_places(word: str) -> str:
    """A path within the repository from there, as it can be typed; of any other the name alone."""
    if os.sep not in word:
        return word
    path = Path(word).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def num_rounds(text: str) -> int:
    """Raise ArgumentTypeError where an interval would be of fewer processes than it is promised over."""
    if not text.isdecimal() or int(text) < LEAST_ROUNDS:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of {LEAST_ROUNDS} or more')
    return int(text)


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=num_rounds, default=15, help="fresh processes of each kind, 5 at the least")
    parser.add_argument("--model", type=Path, action="append", default=[], help="a .tflite to measure")
    parser.add_argument("--records", type=Path, nargs=2, metavar=("A", "B"), help="two results of one plan")
    parser.add_argument("--timed", type=Path, nargs="+", default=[], metavar="FILE", help="results of presets")
    parser.add_argument("--only-records", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser


def main() -> int:
    parser = options()
    args = parser.parse_args()
    if args.only_records and not (args.records or args.timed):
        parser.error("--only-records: without --records and --timed there is nothing to check")
    try:
        return check(args)
    except MnError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code


def check(args: argparse.Namespace) -> int:
    check_place(os.fspath(args.out), force=True)
    started, before, bars = datetime.now(UTC).isoformat(timespec="seconds"), dict(read_conditions()), []
    with tempfile.TemporaryDirectory() as folder:
        for bar in all_bars(args, Path(folder)):
            print(f"{'held' if bar.is_held else 'NOT HELD':8}  {bar.name:20} {bar.model:28} {bar.text}", flush=True)
            bars.append(bar)
    write_atomically(args.out, (json.dumps(result_of(bars, before, started), indent=1) + "\n").encode(), force=True)
    if missed := [bar for bar in bars if not bar.is_held]:
        raise VerifyError(f"{len(missed)} of {len(bars)} bars are not held", where=str(args.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
