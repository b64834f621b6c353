"""Medians and ratios of samples taken in alternation, and the facts about the machine they were taken on."""

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["alternate", "machine_facts", "ratio", "summary", "write_result"]

RESULTS = Path(__file__).parents[1] / "results"
PACKAGES = ("mnkit", "numpy", "opencv-python-headless", "ai-edge-litert", "simplejpeg")


def alternate(
    contenders: Mapping[str, Callable[[], float]], *, rounds: int, warm_up: int = 2
) -> dict[str, list[float]]:
    """Samples of each contender, one a round in turn, the order reversed every other round."""
    for _ in range(warm_up):
        for run in contenders.values():
            run()
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for index in range(rounds):
        names = list(contenders) if index % 2 == 0 else list(contenders)[::-1]
        for name in names:
            samples[name].append(contenders[name]())
    return samples


def summary(samples: Sequence[float]) -> dict[str, float]:
    low, middle, high = np.percentile(samples, [25, 50, 75])
    return {"median": round(float(middle), 4), "p25": round(float(low), 4), "p75": round(float(high), 4)} | {
        "n": len(samples)
    }


def ratio(slower: Sequence[float], faster: Sequence[float]) -> dict[str, float]:
    """How many times faster: the median of the pairwise ratios, with the middle half."""
    low, middle, high = np.percentile(np.asarray(slower) / np.asarray(faster), [25, 50, 75])
    return {"median": round(float(middle), 3), "p25": round(float(low), 3), "p75": round(float(high), 3)}


def machine_facts() -> dict[str, Any]:
    """What is needed to read the figures, and nothing that names the machine."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
        "load_1min": round(os.getloadavg()[0], 2),
    }


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def write_result(name: str, result: Mapping[str, Any]) -> None:
    """benchmarks/results/NAME.json, with the command and the machine; also printed."""
    arguments = " ".join(Path(arg).name if os.sep in arg else arg for arg in sys.argv[1:])
    script = Path(sys.argv[0]).resolve().relative_to(Path(__file__).parents[2])
    command = f"python {script.as_posix()} {arguments}".strip()
    text = json.dumps({"schema": 1, "command": command, "machine": machine_facts(), **result}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
