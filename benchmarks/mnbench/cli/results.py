"""The argument RESULT... of what shows results: any number of files; without one, what ``mnbench run`` writes here."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["DEFAULT_RESULT", "result_argument"]

DEFAULT_RESULT = "mnbench.json"

Command = Callable[..., Any]


def result_argument(command: Command) -> Command:
    """RESULT..., as ``results``. A UsageError where none is given and the file of ``mnbench run`` isn't here either."""
    return click.argument("results", metavar="[RESULT]...", nargs=-1, callback=_given_or_default)(command)


def _given_or_default(ctx: click.Context, _: click.Parameter, value: Sequence[str]) -> Sequence[str]:
    if value or ctx.resilient_parsing:
        return value
    if not Path(DEFAULT_RESULT).exists():
        raise click.UsageError(
            f"no RESULT is given, and there is no {DEFAULT_RESULT} here: mnbench run writes one", ctx
        )
    return (DEFAULT_RESULT,)
