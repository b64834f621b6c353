"""``mnbench compare``: two results held against each other."""

import re
import shutil
import sys

import click

from mnbench.comparing import Comparison, RowComparison, compare
from mnbench.record_file import read_record
from mnbench.showing.as_text import as_text
from mnbench.showing.comparison import comparison_tables
from mnbench.statistics import Verdict
from mninfer.cli.options import examples
from mninfer.cli.output import is_terminal, json_line, note, say
from mninfer.errors import VerifyError

__all__ = ["command"]

_MOST_NAMED = 3
_ANYTHING = 100  # times as slow, or infinitely: as one process alone tells
_AGAIN = "run both again, in turn, to see whether it stays: mnbench run"
_BETTER = "run both again, on a quieter machine or with more --rounds; or let --fail-over have more"


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``5%`` as 0.05; the sign is asked for, since a bare 5 or 0.05 may mean either."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?) ?%", value.strip())
    if not match:
        raise click.BadParameter(f'"{value}" is no percentage: write 5% or 2.5%', ctx, param)
    return float(match[1]) / 100


@click.command(
    epilog=examples(
        "mnbench compare before.json after.json",
        "mnbench compare main.json branch.json --fail-over 5%",
        "mnbench compare pi4.json pi5.json --allow-unlike-machines --json",
    )
)
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option(
    "--fail-over",
    callback=_share,
    metavar="PERCENT",
    help="Exit with 3 where a row became slower by more, seems to have, or was lost.",
)
@click.option("--allow-unlike-machines", is_flag=True, help="Compare the machines, not what ran on them.")
@click.option("--json", "is_json", is_flag=True, help="Everything as one JSON object.")
def command(before: str, after: str, *, fail_over: float | None, allow_unlike_machines: bool, is_json: bool) -> int:
    """Hold two results of mnbench run against each other, row by row: faster, slower, can't tell.

    A row is slower where all of the 95 % interval of after / before lies above 1.02: two runs of the same are a percent
    apart for no reason of theirs. So --fail-over finds nothing below 2%. What other programs took of the CPU in one
    run alone comes on top of that: the column Margin. Where one of the two computes something else, the verdict is
    other outputs, whatever the ratio.

    \b
    The exit code is
      0  nothing became slower by more than --fail-over, as far as is known, and nothing was lost;
         rows that aren't known well enough for it are counted in a note
      1  a known error: a file that can't be read, or unlike machines
      2  usage
      3  with --fail-over: a row became slower by more; or its figure is beyond that, be it told
         or not; or it has one process, which tells nothing; or it was measured before, and now
         failed, is missing, or its outputs are no longer those of the reference
    """  # noqa: D301 -- click's own mark for a block that is not to be wrapped
    comparison = compare(read_record(before), read_record(after), allow_unlike=allow_unlike_machines)
    if is_json:
        json_line(comparison.to_json(), indent=1)
    else:
        say(as_text(comparison_tables(comparison), _width()))
    if fail_over is not None:
        _check(comparison, fail_over)
    return 0


def _width() -> int | None:
    """A terminal's; what goes elsewhere is as wide as it takes."""
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None


def _check(comparison: Comparison, limit: float) -> None:
    """Raise VerifyError where a row is slower by more than ``limit``, seems so, or was lost, or none is judged."""
    slower = [f'"{row.key}" by {row.ratio.middle - 1:.0%}' for row in comparison.regressions(limit)]
    likely = [f'"{row.key}" by up to {_reach(row)}' for row in comparison.likely(limit)]
    unknown = [f'"{row.key}", by up to {_reach(row)}' for row in comparison.undecided(limit)]
    lost = [f'"{row.key}", {row.reason}' for row in comparison.lost]
    over = f"slower by more than {100 * limit:g}%"
    found = [
        *([f"{_rows(len(lost))} no longer measured: {_some(lost)}"] if lost else []),
        *([f"{_rows(len(slower))} {over}: {_some(slower)}"] if slower else []),
        *([f"{_rows(len(likely))} not known well enough, and may be {over}: {_some(likely)}"] if likely else []),
        *([] if lost or _is_any_judged(comparison) else ["no row can be judged: all have other outputs"]),
    ]
    if unknown:
        note(f"not known well enough to see that a row is {over}: {_some(unknown)}; {_BETTER}")
    if found:
        raise VerifyError("; ".join(found), report=comparison, hints=_AGAIN if lost or slower else _BETTER)


def _is_any_judged(comparison: Comparison) -> bool:
    return any(row.verdict is not Verdict.OTHER_OUTPUTS for row in comparison.rows)


def _reach(row: RowComparison) -> str:
    """How much slower it may be."""
    return f"{row.ratio.high - 1:.0%}" if row.ratio.high < _ANYTHING else "anything"


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count} rows are"


def _some(named: list[str]) -> str:
    more = f"; and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return "; ".join(named[:_MOST_NAMED]) + more
