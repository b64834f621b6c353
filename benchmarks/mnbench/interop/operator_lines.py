"""The operators in the output of ``benchmark_model --enable_op_profiling=true``: the table "Run Order" of its runs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["OperatorLine", "operator_lines"]

# Columns are set apart by tabs, by runs of spaces where a terminal or a mail has eaten those, by commas in its CSV.
_BETWEEN = re.compile(r"\t+|\s{2,}")
_MOST_MS = 1e9  # of a run: eleven days
_PLACE = re.compile(r"^\[(.*)\]:\d+$")
# What is done once, before the first run: not an operator.
_PREPARATIONS = ("ModifyGraphWithDelegate", "AllocateTensors", "Misc Runtime Ops")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorLine:
    """``avg_ms`` is of one call; a run makes ``calls`` of them."""

    kind: str
    name: str
    avg_ms: float
    calls: int

    @property
    def is_delegated(self) -> bool:
        """Whether a delegate computes it: its own line, or one of those that it breaks itself down to."""
        return self.name.startswith("Delegate/") or (self.kind.startswith("TfLite") and "Delegate" in self.kind)

    @property
    def run_ns(self) -> int:
        """What it takes of a run."""
        return round(self.avg_ms * self.calls * 1e6)


def operator_lines(lines: Sequence[str]) -> tuple[OperatorLine, ...]:
    """The operators in the order in which they run; none where the run wasn't profiled.

    The log's first table of that name is of the initialization, its last of the runs.
    """
    starts = [i for i, line in enumerate(lines) if "= Run Order =" in line]
    return _table(lines[starts[-1] + 1 :]) if starts else ()


def _table(lines: Sequence[str]) -> tuple[OperatorLine, ...]:
    """Rows beneath a line of column names: with and without "[start]", which newer ones have dropped."""
    if not lines:
        return ()
    columns = [name.lower() for name in _columns(lines[0])]
    found = []
    for line in lines[1:]:
        values = _columns(line)
        if len(values) != len(columns):
            break
        operator = _operator(dict(zip(columns, values, strict=True)))
        if operator is not None and operator.kind not in _PREPARATIONS and not _is_preparation(operator.name):
            found.append(operator)
    return tuple(found)


def _is_preparation(name: str) -> bool:
    return name.partition("/")[0] in _PREPARATIONS


def _columns(line: str) -> list[str]:
    return [part.strip() for part in _BETWEEN.split(line.strip()) if part]


def _operator(row: dict[str, str]) -> OperatorLine | None:
    """None where a column is missing, or holds no number."""
    try:
        avg_ms, calls = float(row["[avg ms]"]), int(row["[times called]"])
        place = _PLACE.match(row["[name]"])
        name = place[1] if place else row["[name]"]
        if not (0 <= avg_ms <= _MOST_MS and calls <= _MOST_MS and avg_ms * max(calls, 1) <= _MOST_MS):
            return None
        # The first versions printed 0 for every operator's calls.
        return OperatorLine(kind=row["[node type]"], name=name, avg_ms=avg_ms, calls=max(calls, 1))
    except (KeyError, ValueError):
        return None
