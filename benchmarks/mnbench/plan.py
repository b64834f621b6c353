"""What a run will measure, decided before anything is measured: the cells, in order, how often and for how long.

A plan is data that can be printed, tested and compared; ``running.py`` does what it says and decides nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Work
from mnbench.doubts import LEAST_PROCESSES
from mnbench.job import Budget

__all__ = ["LEAST_ROUNDS", "Plan", "budget_of"]

LEAST_ROUNDS = LEAST_PROCESSES  # a round gives each row a process

# Seconds that a process needs beside its sampling: starting, importing, opening, compiling. For the estimate alone.
_START_S = {
    EngineKind.FLATBUFFER: 0.6,
    EngineKind.KERAS: 9.0,
    EngineKind.PEER: 1.2,
    EngineKind.RUNTIME: 0.9,
    EngineKind.DEVICE: 2.0,
}
# Of a process in a record, but for its runs' times: the machine's conditions, the engine's facts, its part of the row.
_PROCESS_BYTES = 3 << 10
_NUM_PARTS = {Work.PHOTO_TO_LABEL: 4}  # each has a time of its own in every run
# Governors let a core speed up for up to 100 ms, and a moment as short as a small network's few runs is no sample of a
# minute: however soon the runs agree, a process warms up for the one and samples for the other.
_LEAST_WARM_UP_S = 0.1
_LEAST_SAMPLING_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``rounds`` times through ``cells``, a fresh process for each; ``pace`` stretches the time that each may take."""

    cells: tuple[Cell, ...]
    rounds: int = LEAST_ROUNDS
    pace: float = 1.0

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"{self.rounds} rounds are none")
        if not 0.01 <= self.pace <= 1000:
            raise ValueError(f"a pace of {self.pace} is none")
        keys = [cell.key for cell in self.cells]
        if len(set(keys)) != len(keys):
            raise ValueError("a cell stands in the plan twice")

    @property
    def digest(self) -> str:
        """By which a record is known to be of this plan."""
        text = json.dumps([[cell.key for cell in self.cells], self.rounds, self.pace])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def num_processes(self) -> int:
        return self.rounds * len(self.cells)

    def order(self, round_: int) -> tuple[Cell, ...]:
        """The cells of a round; every other round runs backwards, so that a drift falls on all alike."""
        return self.cells if round_ % 2 == 0 else self.cells[::-1]

    def estimated_s(self, cells: Iterable[Cell] | None = None) -> float:
        """About how long it takes: of ``cells``, one process each, or of the whole plan."""
        if cells is not None:
            return sum(_estimated_s(cell, self.pace) for cell in cells)
        return self.rounds * sum(_estimated_s(cell, self.pace) for cell in self.cells)

    @property
    def estimated_bytes(self) -> int:
        """About the most that its record takes."""
        return self.rounds * sum(_estimated_bytes(cell, self.pace) for cell in self.cells)

    def to_json(self) -> Mapping[str, Any]:
        return {
            "digest": self.digest,
            "rounds": self.rounds,
            "pace": self.pace,
            "estimated_s": round(self.estimated_s(), 1),
            "cells": [
                {"key": cell.key, **cell.to_json(), "budget": budget_of(cell, self.pace).to_json()}
                for cell in self.cells
            ],
        }


def budget_of(cell: Cell, pace: float = 1.0) -> Budget:
    """How long one process of a cell may sample.

    A whole process as a sample takes long and needs no warming; a training framework's first runs are its slowest. A
    run that is longer than the time there is runs ``least_samples`` times, and no more: five, for a median.
    """
    if cell.work.is_whole_process:
        return Budget(seconds=0.8 * pace, warm_up_seconds=0.0, least_samples=5, most_samples=40)
    seconds, warm_up_seconds = (1.0, 1.0) if engine_entry(cell.engine).kind is EngineKind.KERAS else (0.8, 0.3)
    return Budget(
        seconds=seconds * pace,
        warm_up_seconds=warm_up_seconds * pace,
        least_samples=5,
        least_seconds=_LEAST_SAMPLING_S * pace,
        least_warm_up_seconds=_LEAST_WARM_UP_S * pace,
    )


def _estimated_s(cell: Cell, pace: float) -> float:
    """About how long one process of a cell takes."""
    budget = budget_of(cell, pace)
    return budget.seconds + budget.warm_up_seconds + _START_S[engine_entry(cell.engine).kind]


def _estimated_bytes(cell: Cell, pace: float) -> int:
    """About the most that one process of a cell takes in a record: of runs so short that as many are kept as may be."""
    budget = budget_of(cell, pace)
    number = f"{1e9 * budget.seconds / budget.most_samples:.0f}, "
    num_lists = 1 + (budget.warm_up_seconds > 0) + _NUM_PARTS.get(cell.work, 0)
    return _PROCESS_BYTES + num_lists * budget.most_samples * len(number)
