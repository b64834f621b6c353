"""Damage models in thousands of seeded ways; each must end in our refusal, in an error, or in a result.

usage: python tools/fuzz_models.py [--mutants 3600] [--seed mnkit] [--engines litert,tflite-runtime] [--out FILE]

Each damaged file is checked and, if the check lets it pass, given to an engine, which runs it once: in processes that
may die, with 10 s for each and no more than 2 GiB asked for. The same files then go to the engines without the check,
to know what it is worth. Exit code 1 if a process died, hung or asked for more memory behind the check.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from support import networks
from support.fuzz_runner import FATAL, Outcome, run_mutants

SHARED = Path(os.environ.get("MNKIT_SHARED") or ROOT.parent / "shared") / "models"
BY_OTHERS = ("mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.25_224_quant_with_metadata",
             "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29")  # fmt: skip
OURS = {"shapes_float": networks.shapes_float, "shapes_int8": networks.shapes_int8,
        "colour_segmenter": networks.colour_segmenter, "red_detector": networks.red_detector}  # fmt: skip
Job = tuple[str, Path, bool]  # engine, base model, with the check?
MODULES = {"litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}


def main() -> int:
    args = parse()
    started = time.monotonic()
    engines = {name: find_python(name) for name in args.engines.split(",")}
    with tempfile.TemporaryDirectory() as folder:
        bases = args.base or find_bases(Path(folder))
        share = -(-args.mutants // len(bases))
        jobs = [
            (engine, base, is_checked)
            for is_checked in (True, False)[: 1 if args.no_bare else 2]
            for base in bases
            for engine in engines
        ]
        with ThreadPoolExecutor(args.jobs) as pool:
            outcomes = list(pool.map(lambda job: run(engines[job[0]], job, args.seed, share), jobs))
        report = summary(args, engines, bases, share, list(zip(jobs, outcomes, strict=True)))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{args.out}: {report['mutants']} mutants, {time.monotonic() - started:.0f} s")
    fatal = 0
    for name, found in report["engines"].items():
        print(f"{name} {found['version']}: checked {found['checked']['totals']}")
        print(f"{name} {found['version']}: bare    {found.get('bare', {}).get('totals')}")
        fatal += sum(found["checked"]["totals"].get(verdict, 0) for verdict in FATAL)
    return 1 if fatal else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=3600)
    parser.add_argument("--seed", default="mnkit")
    parser.add_argument("--engines", default="litert,tflite-runtime")
    parser.add_argument("--base", type=Path, action="append", help="a model to damage, in place of the default ones")
    parser.add_argument("--no-bare", action="store_true", help="leave out the runs without the check")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "fuzz_models.json")
    return parser.parse_args()


def find_python(engine: str) -> str:
    """A Python that has the engine: MNKIT_LITERT_PYTHON or MNKIT_TFLITE_RUNTIME_PYTHON, this one, the one make made."""
    stated = os.environ.get(f"MNKIT_{engine.upper().replace('-', '_')}_PYTHON")
    made = ROOT / ".venvs" / {"litert": "dev", "tflite-runtime": "tflite_runtime"}[engine] / "bin" / "python"
    for python in filter(None, (stated, sys.executable, str(made))):
        probe = [python, "-c", f"import {MODULES[engine]}"]
        if Path(python).exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return python
    raise SystemExit(f"no Python with {engine} found: run this by make fuzz")


def find_bases(folder: Path) -> list[Path]:
    """Models by others, where they are there, and ours, written into ``folder``."""
    found = [path for name in BY_OTHERS if (path := SHARED / f"{name}.tflite").exists()]
    for name, make in OURS.items():
        path = folder / f"{name}.tflite"
        path.write_bytes(make())
        found.append(path)
    return found


def run(python: str, job: Job, seed: str, count: int) -> Outcome:
    engine, base, is_checked = job
    found = run_mutants(python, engine, base, seed=seed, count=count, is_checked=is_checked)
    print(f"{engine:15} {base.stem:45} {'checked' if is_checked else 'bare':8} {dict(found.totals)}", flush=True)
    return found


def summary(
    args: argparse.Namespace,
    engines: dict[str, str],
    bases: list[Path],
    share: int,
    outcomes: list[tuple[Job, Outcome]],
) -> dict[str, Any]:
    """The result file."""
    return {
        "schema": 1,
        "what": "damaged model files: check, then engine, one run; and the same files without the check",
        "command": f"python tools/fuzz_models.py --mutants {args.mutants} --seed {args.seed} --engines {args.engines}",
        "seed": args.seed,
        "mutants": share * len(bases),
        "limits": {"seconds": 10, "allocation_bytes": 2 << 30},
        "bases": [
            {"name": base.stem, "sha256": hashlib.sha256(base.read_bytes()).hexdigest(), "mutants": share}
            for base in bases
        ],
        "engines": {name: of_engine(name, python, outcomes) for name, python in engines.items()},
    }


def of_engine(name: str, python: str, outcomes: list[tuple[Job, Outcome]]) -> dict[str, Any]:
    """Verdicts of one engine, with the check and without."""
    probe = f"import importlib.metadata as m; print(m.version('{MODULES[name]}'.replace('_', '-')))"
    version = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True).stdout.strip()
    result: dict[str, Any] = {"version": version}
    for label, is_checked in (("checked", True), ("bare", False)):
        mine = [(base, outcome) for (engine, base, flag), outcome in outcomes if (engine, flag) == (name, is_checked)]
        if not mine:
            continue
        kinds = sorted({kind for _, outcome in mine for kind in outcome.by_kind})
        result[label] = {
            "totals": ordered(sum((outcome.totals for _, outcome in mine), Counter())),
            "by_base": {base.stem: ordered(outcome.totals) for base, outcome in mine},
            "by_kind": {
                kind: ordered(sum((outcome.by_kind.get(kind, Counter()) for _, outcome in mine), Counter()))
                for kind in kinds
            },
        }
        if is_checked:
            result[label]["trouble"] = [
                entry | {"base": base.stem} for base, outcome in mine for entry in outcome.trouble
            ]
    return result


def ordered(counts: Counter[str]) -> dict[str, int]:
    return {
        verdict: counts[verdict]
        for verdict in ("refused", "failed", "ran", *FATAL)
        if counts[verdict] or verdict in FATAL
    }


if __name__ == "__main__":
    sys.exit(main())
