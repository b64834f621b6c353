"""Two results -> what became faster, slower, or can't be told: row by row, with the ratio and its interval.

Compared is what was measured in two runs, so what a run has for itself (a warm day, another neighbour) doesn't cancel:
the verdict's margin is there for that (statistics.py), and grows by what other programs took in one run alone.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mnbench.machine.likeness import changed_packages, unlike_facts
from mnbench.machine.meanwhile import Meanwhile
from mnbench.record import Doubt, Record, Row, Status
from mnbench.statistics import MARGIN, Interval, Verdict, interval_of, process_medians_ms, ratio_of, verdict
from mninfer.errors import InputError

__all__ = ["Comparison", "RowComparison", "Unmatched", "compare"]

_MISMATCH = "mismatch"
_MOST_NAMED = 3
_MOST_BY_OTHERS = 0.9  # all of it can't be: we ran


@dataclass(frozen=True, slots=True, kw_only=True)
class RowComparison:
    """One row in both: milliseconds, and ``ratio`` = after / before. ``doubts`` are those of either.

    ``margin``: how far the ratio's interval has to stay clear of 1. A mismatch in either is the verdict, whatever the
    ratio: what computes something else takes the time of something else.
    """

    key: str
    before: Interval
    after: Interval
    ratio: Interval
    margin: float = MARGIN
    doubts: tuple[Doubt, ...] = ()

    @property
    def verdict(self) -> Verdict:
        has_other_outputs = any(doubt.code == _MISMATCH for doubt in self.doubts)
        return Verdict.OTHER_OUTPUTS if has_other_outputs else verdict(self.ratio, margin=self.margin)

    def is_regression(self, limit: float) -> bool:
        """Whether it is slower, and by more than ``limit``."""
        return self.verdict is Verdict.SLOWER and self.ratio.middle > 1 + limit

    def seems_regression(self, limit: float) -> bool:
        """Whether nothing is told and yet the likeliest is that it is slower by more than ``limit`` and by what others'
        load explains; or one process alone is all there is, and nothing is likely.
        """
        if self.verdict is Verdict.OTHER_OUTPUTS or self.is_regression(limit):
            return False
        explained = (1 + self.margin) / (1 + MARGIN)
        return math.isinf(self.ratio.high) or self.ratio.middle > (1 + limit) * explained

    def may_be_regression(self, limit: float) -> bool:
        """Whether its interval leaves open that it is slower by more than ``limit``, and by what two runs of the same
        are apart. What others' load explains (``margin``) leaves it open, too: explained isn't shown.
        """
        is_told = self.verdict is Verdict.OTHER_OUTPUTS or self.is_regression(limit)
        return not is_told and self.ratio.high > (1 + limit) * (1 + MARGIN)

    def to_json(self) -> dict[str, Any]:
        return {
            "row": self.key,
            "before_ms": self.before.to_json(),
            "after_ms": self.after.to_json(),
            "ratio": self.ratio.to_json(),
            "margin": self.margin,
            "verdict": str(self.verdict),
            "doubts": [doubt.to_json() for doubt in self.doubts],
        }


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that one of the two has no figure for, and why."""

    key: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {"row": self.key, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows of two results, which go by their devices and dates. ``doubts`` are those of either run as a whole.

    ``lost``: the rows that were measured before and have no figure now that they were asked for again, or one that
    counts no more: their outputs are others'. ``unlike``: in what their machines differ; ``changes``: packages and
    files that are others now.
    """

    before: str
    after: str
    rows: tuple[RowComparison, ...]
    doubts: tuple[Doubt, ...] = ()
    unmatched: tuple[Unmatched, ...] = ()
    lost: tuple[Unmatched, ...] = ()
    unlike: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    def regressions(self, limit: float) -> tuple[RowComparison, ...]:
        """The rows that are slower, and by more than ``limit`` (0.05 is 5 %), worst first."""
        found = [row for row in self.rows if row.is_regression(limit)]
        return tuple(sorted(found, key=lambda row: -row.ratio.middle))

    def likely(self, limit: float) -> tuple[RowComparison, ...]:
        """The rows that seem to be regressions and aren't known well enough to be told so, worst first."""
        found = [row for row in self.rows if row.seems_regression(limit)]
        return tuple(sorted(found, key=lambda row: -row.ratio.high))

    def undecided(self, limit: float) -> tuple[RowComparison, ...]:
        """The rows that don't seem to be regressions and aren't known well enough to say so, the least known first."""
        found = [row for row in self.rows if row.may_be_regression(limit) and not row.seems_regression(limit)]
        return tuple(sorted(found, key=lambda row: -row.ratio.high))

    def to_json(self) -> dict[str, Any]:
        return {
            "before": self.before,
            "after": self.after,
            "doubts": [doubt.to_json() for doubt in self.doubts],
            "rows": [row.to_json() for row in self.rows],
            "unmatched": [row.to_json() for row in self.unmatched],
            "lost": [row.to_json() for row in self.lost],
            "unlike": list(self.unlike),
            "changes": list(self.changes),
        }


def compare(before: Record, after: Record, *, allow_unlike: bool = False) -> Comparison:
    """Hold two results against each other, row by row.

    Raises:
        InputError: their machines differ in what decides (unless ``allow_unlike``), or no row is in both.
    """
    unlike = _unlike(before, after)
    if unlike and not allow_unlike:
        raise InputError(
            f"the results are of unlike machines: {'; '.join(unlike)}",
            where=f"{before.device} and {after.device}",
            hints="--allow-unlike-machines compares them all the same: the machines then, not the software",
        )
    old, new = _measured(before), _measured(after)
    common = [key for key in old if key in new]
    if not common:
        raise InputError(
            f"no row is measured in both results: {_some(old)} before, {_some(new)} after",
            hints="measure with the same options: mnbench plan tells what they ask for",
        )
    return Comparison(
        before=_named(before),
        after=_named(after),
        doubts=tuple(dict.fromkeys((*before.doubts, *after.doubts))),
        rows=tuple(_compared(key, old[key], new[key]) for key in common),
        unmatched=(*_missing_in(after, old, "after"), *_missing_in(before, new, "before")),
        lost=tuple(_lost(after, old)),
        unlike=unlike,
        changes=(*changed_packages(_facts(before), _facts(after)), *_changed_files(before, after)),
    )


def _named(record: Record) -> str:
    return f"{record.device}, {record.started}" if record.started else record.device


def _compared(key: str, before: Row, after: Row) -> RowComparison:
    medians = process_medians_ms(before), process_medians_ms(after)
    ratio = ratio_of(medians[1], medians[0])
    return RowComparison(
        key=key,
        before=interval_of(medians[0]),
        after=interval_of(medians[1]),
        ratio=ratio,
        margin=_margin(ratio, before, after),
        doubts=tuple(dict.fromkeys((*before.doubts, *after.doubts))),
    )


def _margin(ratio: Interval, before: Row, after: Row) -> float:
    """The usual one, and on top of it what the load by others explains of ``ratio``.

    Who gets 1 - s of a core takes 1 / (1 - s) times as long. Of 240 pairs of runs of the same on a machine that others
    used for 5 to 29 %, 34 were called faster or slower without this, and none with it (tests/mnbench/recorded/).
    """
    explained = (1 - _share_of_others(before)) / (1 - _share_of_others(after))
    return max(1.0, explained if ratio.middle > 1 else 1 / explained) * (1 + MARGIN) - 1


def _share_of_others(row: Row) -> float:
    """Other programs' and other machines' part of the cores that the row ran on; 0 where that isn't told."""
    readings = [Meanwhile.of(process.conditions) for process in row.processes]
    shares = Meanwhile.share_of_others(readings), Meanwhile.share_stolen(readings)
    return min(sum(share or 0.0 for share in shares), _MOST_BY_OTHERS)


def _measured(record: Record) -> dict[str, Row]:
    return {row.cell.key: row for row in record.rows if row.status is Status.MEASURED}


def _missing_in(record: Record, measured_elsewhere: Mapping[str, Row], when: str) -> Iterator[Unmatched]:
    """What was measured in the other result and has no figure in ``record``."""
    for key in measured_elsewhere:
        row = record.row(key)
        if row is None:
            yield Unmatched(key, f"not asked for {when}")
        elif row.status is not Status.MEASURED:
            yield Unmatched(key, f"{row.status} {when}{f': {row.reason}' if row.reason else ''}")


def _lost(record: Record, measured_before: Mapping[str, Row]) -> Iterator[Unmatched]:
    """What became worse than slow. A row that ``record`` was not asked for is not lost."""
    for key, old in measured_before.items():
        row = record.row(key)
        if row is None:
            continue
        if row.status is not Status.MEASURED:
            yield Unmatched(key, f"{row.status}{f': {row.reason}' if row.reason else ''}")
        elif (text := _mismatch(row)) and not _mismatch(old):
            yield Unmatched(key, f"mismatch: {text}")


def _mismatch(row: Row) -> str | None:
    return next((doubt.text for doubt in row.doubts if doubt.code == _MISMATCH), None)


def _unlike(before: Record, after: Record) -> tuple[str, ...]:
    """By the machines' facts; results of other programs have none, and their devices are known by name alone."""
    facts = _facts(before), _facts(after)
    if all(facts):
        return unlike_facts(*facts)
    return () if before.device == after.device else (f'device "{before.device}" and "{after.device}"',)


def _facts(record: Record) -> Mapping[str, Any]:
    facts = record.machine.get("before")
    return facts if isinstance(facts, Mapping) else {}


def _changed_files(before: Record, after: Record) -> Iterator[str]:
    """Models of one name with other bytes: what is compared may be the conversion, not the machine's speed."""
    old = {(model.name, variant): facts for model in before.models for variant, facts in model.files.items()}
    for model in after.models:
        for variant, facts in model.files.items():
            known = old.get((model.name, variant))
            if known is not None and known.get("sha256") != facts.get("sha256"):
                yield f"{model.name} {variant}: another file"


def _some(rows: Mapping[str, Row]) -> str:
    shown = ", ".join(f'"{key}"' for key in list(rows)[:_MOST_NAMED])
    return f"{shown}, …" if len(rows) > _MOST_NAMED else shown or "nothing"
