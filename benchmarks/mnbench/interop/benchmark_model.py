"""Reads what TFLite's ``benchmark_model`` prints: any number of runs in one text, of any of its ages.

The formats, as its sources print them (tensorflow/lite/tools/benchmark/benchmark_model.cc, and tsl's stats_calculator):
TensorFlow 1.x "Average inference timings in us: Warmup: …, Init: …, no stats: …"; from 2.x on "Inference timings in us:
Init: …, First inference: …, Warmup (avg): …, Inference (avg): …"; newer ones (2.17) with "INFO: " before each line; the
newest with percentiles and the median; out of logcat with its columns before them.
"""

import math
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mnbench.interop.operator_lines import OperatorLine, operator_lines
from mninfer.errors import InputError

__all__ = ["BenchmarkLog", "Timings", "read_benchmark_model"]

_MAX_RUNS = 1000
_MOST = 1e12  # microseconds: eleven days; and far from what a record's whole numbers hold
_MOST_SHOWN = 100
# "> " of a quoted mail, logcat's columns, glog's level: what may stand before a line.
_BEFORE = re.compile(
    r"^[>\s]*(?:\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+\d+\s+\d+\s+)?"
    r"(?:[VDIWEF]\s+tflite\s*:\s?|(?:INFO|WARN|WARNING|ERROR): )*"
)
_SETTING = re.compile(r"^#?([A-Za-z][\w (),/-]*?) ?: \[(.*)\]$")
_NUMBER = r"([-+.\w]+)"
# No pattern below begins at every letter of a line and looks at the rest of it each time: a line may be all of a file.
_TIMINGS = "nference timings in us: "
_INFERENCE = re.compile(rf"(?:Inference \(avg\)|no stats|Inference): {_NUMBER}")
_INIT = re.compile(rf"\bInit: {_NUMBER}")
_COUNT = re.compile(r"^count=\d+\b")
_FIELD = re.compile(r"\b(\w+)=([-+.\w]+)")
_SIZE = re.compile(rf"The input model file size \(MB\): {_NUMBER}")
_MEMORY = re.compile(rf"(?:Memory|Peak memory) footprint (?:(?!footprint ).)*\boverall={_NUMBER}")
_PEAK = re.compile(rf"Overall peak memory footprint \(MB\) via periodic monitoring: {_NUMBER}")
_APPLIED = re.compile(r"pplied (\w+) delegate, and the model graph will be (?:completely|partially) executed")
_REFUSED = re.compile(r"Though (\w+) delegate is explicitly applied, the model graph will not be executed")
_REPLACED = re.compile(r"Replacing (\d{1,9}) out of (\d{1,9}) node\(s\) with delegate \((\w+)\)")
_CREATED = re.compile(r"Created TensorFlow Lite (?:delegate for (\w+)|(XNNPACK) delegate for CPU)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Microseconds over ``count`` runs (0: not told); None where that age of the program doesn't tell."""

    count: int
    avg_us: float
    first_us: float | None = None
    min_us: float | None = None
    max_us: float | None = None
    std_us: float | None = None
    median_us: float | None = None

    @property
    def typical_us(self) -> float:
        """The median where it is told, else the mean."""
        return self.avg_us if self.median_us is None else self.median_us


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkLog:
    """One run. ``settings`` are its parameters as printed, by their names in small letters; ``delegates`` those that
    were applied, in capitals; ``refused`` those that were asked for and run nothing; ``replaced`` the operators that
    the first one took, of how many. ``memory_mb`` is what it added, ``peak_mb`` all of the process, where told.
    """

    settings: Mapping[str, str]
    inference: Timings
    warm_up: Timings | None
    init_us: float | None
    size_mb: float | None
    memory_mb: float | None
    peak_mb: float | None
    delegates: tuple[str, ...]
    refused: tuple[str, ...]
    replaced: tuple[int, int] | None
    operators: tuple[OperatorLine, ...]

    @property
    def graph(self) -> str:
        """The model's path as it was given; empty where the log begins later."""
        return self.settings.get("graph", "")

    @property
    def threads(self) -> int | None:
        """None: the program's own default."""
        told = self.settings.get("num threads", self.settings.get("threads used for cpu inference", ""))
        return int(told) if re.fullmatch(r"[0-9]{1,4}", told) and int(told) > 0 else None

    def is_on(self, setting: str) -> bool:
        """Whether a switch as "use gpu" was given and on."""
        return self.settings.get(setting, "") in ("1", "true")


def read_benchmark_model(text: str) -> tuple[BenchmarkLog, ...]:
    """Every run in ``text``, in order. Raise InputError where there is none, or one without its end."""
    runs = [*_split([_BEFORE.sub("", line, count=1).rstrip() for line in text.splitlines()])]
    if not runs:
        raise InputError(
            "this is no output of benchmark_model: it has no line with inference timings",
            hints="keep all that it prints, its standard error too: benchmark_model … > log.txt 2>&1",
        )
    if len(runs) > _MAX_RUNS:
        raise InputError(f"{len(runs):,} runs in one file, more than {_MAX_RUNS:,}")
    return tuple(_log(lines) for lines in runs)


def _split(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each run: from "STARTING!", or from the end of the one before, with what follows its timings."""
    current: list[str] = []
    has_timings = False
    for line in lines:
        is_summary = _told(line, _INFERENCE) is not None
        is_next = line.startswith("STARTING!") or (has_timings and is_summary)
        if is_next and has_timings:
            yield current
        if is_next:
            current, has_timings = [], False
        has_timings = has_timings or is_summary
        current.append(line)
    if has_timings:
        yield current


def _told(line: str, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The last match of ``pattern`` in a line that sums a run up; None in any other line."""
    matches = deque(pattern.finditer(line.partition(_TIMINGS)[2]), maxlen=1)
    return matches[0] if matches else None


def _log(lines: Sequence[str]) -> BenchmarkLog:
    summary = next(i for i, line in enumerate(lines) if _told(line, _INFERENCE))
    counts = [_timings(line) for line in lines[:summary] if _COUNT.match(line)]
    told = _Found(lines)
    average = _number(_told(lines[summary], _INFERENCE))
    assert average is not None
    if average <= 0:
        raise InputError(f'the log says that a run took {average:g} us: "{lines[summary].strip()[:_MOST_SHOWN]}"')
    replaced = told.match(_REPLACED)
    return BenchmarkLog(
        settings=dict(_settings(lines[:summary])),
        inference=counts[-1] if counts and counts[-1].count else Timings(count=0, avg_us=average),
        warm_up=counts[-2] if len(counts) > 1 and counts[-2].count else None,
        init_us=_number(_told(lines[summary], _INIT)),
        size_mb=told.number(_SIZE),
        memory_mb=told.number(_MEMORY, least=-_MOST),  # what was freed counts, too
        peak_mb=told.number(_PEAK),
        delegates=told.names(_APPLIED, _CREATED),
        refused=told.names(_REFUSED),
        replaced=None if replaced is None else (int(replaced[1]), int(replaced[2])),
        operators=operator_lines(lines),
    )


class _Found:
    """What patterns find in a run's lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return next((match for line in self._lines if (match := pattern.search(line))), None)

    def number(self, pattern: re.Pattern[str], *, least: float = 0.0) -> float | None:
        return _number(self.match(pattern), least=least)

    def names(self, *patterns: re.Pattern[str]) -> tuple[str, ...]:
        matches = (match for pattern in patterns for line in self._lines if (match := pattern.search(line)))
        return tuple(dict.fromkeys((match[1] or match[match.lastindex or 1]).upper() for match in matches))


def _settings(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _SETTING.match(line)
        if match:
            yield match[1].lower(), match[2]


def _timings(line: str) -> Timings:
    """A line like "count=50 first=1 curr=1 min=1 max=2 avg=1.5 std=1", or, where all are alike, "count=1 curr=1"."""
    told = {name: _finite(value) for name, value in _FIELD.findall(line)}
    average = told.get("avg", told.get("curr", 0.0))
    if told["count"] and min(average, told.get("median", average)) <= 0:
        raise InputError(f'the log says that a run took no time: "{line[:_MOST_SHOWN]}"')
    return Timings(
        count=int(told["count"]),
        avg_us=average,
        first_us=told.get("first", told.get("curr")),
        min_us=told.get("min", told.get("curr")),
        max_us=told.get("max", told.get("curr")),
        std_us=told.get("std"),
        median_us=told.get("median"),
    )


def _number(match: re.Match[str] | None, *, least: float = 0.0) -> float | None:
    return None if match is None else _finite(match[1], least=least)


def _finite(text: str, *, least: float = 0.0) -> float:
    """A number from ``least`` on that no device exceeds; anything else is no time and no size."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= _MOST or "_" in text:
        raise InputError(f'the log has "{text[:40]}" where a number belongs')
    return value
