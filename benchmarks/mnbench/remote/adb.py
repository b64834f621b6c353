"""Runs the user's ``benchmark_model`` on an Android device through adb, in rounds of fresh processes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mnbench.cell import Cell
from mnbench.record import Record, TestedModel
from mnbench.remote.target import AdbTarget

__all__ = ["AdbOrder", "run_over_adb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdbOrder:
    """What to measure: ``files`` says of each cell (engine "benchmark_model") its ``.tflite``."""

    benchmark_model: Path
    files: Mapping[Cell, Path]
    models: tuple[TestedModel, ...] = ()
    rounds: int = 5
    seconds: float = 2.0
    is_profiled: bool = False
    command: str = ""
    plan: str = ""


def run_over_adb(target: AdbTarget, order: AdbOrder, *, watcher: Callable[[str], None]) -> Record:
    """Measure ``order`` on ``target``; the record's origin is "benchmark_model".

    Raises:
        MissingDependencyError: there is no adb here.
        InputError: no such device, it is not authorized, or the binary doesn't run there.
    """
    raise NotImplementedError
