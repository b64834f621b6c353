"""What is said of a run: a few lines or a table on stdout, or JSON; warnings on stderr; and the exit code."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnconvert.cli.stages import StageLine
from mnconvert.conversion import SCHEMA, Conversion, Failed
from mnconvert.report.columns import spell_ms
from mnconvert.report.explain import explain
from mnconvert.report.latency import measure_latencies
from mnconvert.report.names import variant_name
from mnconvert.report.remarks import remarks_on
from mnconvert.report.rows import Outcome, VariantRow, variant_row
from mnconvert.report.summary import summary
from mnconvert.report.table import text_table
from mninfer.cli.output import json_line, note, say
from mninfer.errors import MnError, VariantError, VerifyError

__all__ = ["Told", "tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All outcomes with the names they were written by and a row each."""

    model: str
    outcomes: tuple[Outcome, ...]
    files: tuple[str | None, ...]
    rows: tuple[VariantRow, ...]

    @classmethod
    def of(
        cls,
        model: str,
        outcomes: Sequence[Outcome],
        files: Sequence[str | None],
        options: dict[str, Any],
        line: StageLine,
    ) -> "Told":
        """Measure what is shown beside: latencies, where variants are compared or drawn."""
        latencies: Mapping[str, float] = {}
        if options["is_all"] or options["page"]:
            line.stage("measuring latencies")
            latencies = _latencies(outcomes)
        rows = []
        for outcome, file in zip(outcomes, files, strict=True):
            name = None if file is None else os.path.basename(file)
            rows.append(variant_row(outcome, file=name, latency_ms=latencies.get(_name(outcome))))
        return cls(model=model, outcomes=tuple(outcomes), files=tuple(files), rows=tuple(rows))

    @property
    def title(self) -> str:
        """The model's name, without its folder."""
        return os.path.splitext(os.path.basename(os.path.abspath(self.model)))[0]

    def page(self) -> str:
        """The page on all of it."""
        from mnconvert.report.compose import compose_page
        from mnconvert.report.html import render_page

        return render_page(compose_page(self.title, self.outcomes, self.rows))


def _latencies(outcomes: Sequence[Outcome]) -> dict[str, float]:
    made = {_name(each): _made(each) for each in outcomes}
    return measure_latencies({name: each.data for name, each in made.items() if each is not None})


def _made(outcome: Outcome) -> Conversion | None:
    return outcome.conversion if isinstance(outcome, Failed) else outcome


def _name(outcome: Outcome) -> str:
    return variant_name(outcome.config if isinstance(outcome, Failed) else outcome.report.config)


def tell(told: Told, options: dict[str, Any]) -> int:
    """Print it and return the exit code; raise the error of a single conversion that failed."""
    for warning in _warnings(told.outcomes):
        note(warning)
    if options["is_json"]:
        json_line(_json(told, options), indent=2)
    else:
        say(_text(told, options))
    failed = [outcome.error for outcome in told.outcomes if isinstance(outcome, Failed)]
    if failed and not options["is_all"]:
        raise failed[0].at(told.model) if isinstance(failed[0], MnError) else failed[0]
    if len(failed) == len(told.outcomes) and not any(_is_verification(error) for error in failed):
        return MnError.exit_code  # each for a reason that one of many is excused for: nothing was written all the same
    return max((_exit_code(outcome) for outcome in told.outcomes), default=0)


def _warnings(outcomes: Sequence[Outcome]) -> list[str]:
    """Each once; changes of the model and remarks on the file are no warnings, but to be told."""
    lines: dict[str, None] = {}
    made = [each for each in map(_made, outcomes) if each is not None]
    for each in made:
        lines |= dict.fromkeys(each.report.source.changes)
        lines |= dict.fromkeys(f"warning: {warning}" for warning in each.report.warnings)
    return [*lines, *(f"note: {remark}" for remark in remarks_on(made))]


def _text(told: Told, options: dict[str, Any]) -> str:
    parts = [text_table(told.rows)] if options["is_all"] else _single(told)
    if options["is_explained"]:
        parts += [_explained(outcome) for outcome in told.outcomes if (made := _made(outcome)) and made.plan]
    return "\n\n".join(parts)


def _single(told: Told) -> list[str]:
    made = _made(told.outcomes[0])
    if made is None:
        return []
    lines = [summary(made, told.files[0] or "not written")]
    if told.rows[0].latency_ms is not None:
        lines.append(f"  {'latency':14}{spell_ms(told.rows[0].latency_ms)} on this machine, 1 thread")
    return ["\n".join(lines)]


def _explained(outcome: Outcome) -> str:
    made = _made(outcome)
    assert made is not None
    assert made.plan is not None
    return f"the plan of {_name(outcome)}\n\n{explain(made.plan)}"


def _json(told: Told, options: dict[str, Any]) -> dict[str, Any]:
    if options["is_all"]:
        variants = [
            row.to_json() | {"file": file, "report": _report_json(outcome, options)}
            for row, file, outcome in zip(told.rows, told.files, told.outcomes, strict=True)
        ]
        return {"schema": SCHEMA, "model": told.title, "variants": variants}
    return {"output": told.files[0], **(_report_json(told.outcomes[0], options) or {})}


def _report_json(outcome: Outcome, options: dict[str, Any]) -> dict[str, Any] | None:
    made = _made(outcome)
    if made is None:
        return None
    plan = {"plan": made.plan.to_json() if made.plan else None} if options["is_explained"] else {}
    return {"sha256": made.spec.sha256} | made.report.to_json() | plan


def _exit_code(outcome: Outcome) -> int:
    """Of one variant among all: that there is no such form of this model is a finding, not a failure."""
    if not isinstance(outcome, Failed):
        return 0
    if isinstance(outcome.error, VariantError):
        return 0
    return VerifyError.exit_code if _is_verification(outcome.error) else MnError.exit_code


def _is_verification(error: Exception) -> bool:
    return isinstance(error, VerifyError)
