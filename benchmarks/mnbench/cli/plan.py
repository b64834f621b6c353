"""``mnbench plan``: what ``mnbench run`` with the same options would measure."""

from typing import Any

import click

from mnbench.cli.request import plan_options, requested
from mnbench.cli.saturating import is_saturating, searched_cells, with_known_batches
from mnbench.plan import Plan
from mninfer.cli.options import examples
from mninfer.cli.output import json_line, say
from mninfer.cli.progress import clock

__all__ = ["command"]


@click.command(
    "plan", epilog=examples("mnbench plan --preset quick", "mnbench plan --engines litert --threads 1,2,4 --json")
)
@plan_options
@click.option("--json", "is_json", is_flag=True, help="As JSON, with the time that each cell gets.")
def command(**options: Any) -> int:
    """Print what would be measured, and how long that takes."""
    is_saturated = is_saturating(options)
    plan = requested(with_known_batches(options) if is_saturated else options).plan
    if options["is_json"]:
        json_line(plan.to_json(), indent=1)
    else:
        say(_plan_text(plan))
        if is_saturated and searched_cells(plan.cells):
            say("and the same at the batch that saturates the device, which mnbench run finds first")
    return 0


def _plan_text(plan: Plan) -> str:
    """A line to a cell, and the sum."""
    width = max(len(cell.key) for cell in plan.cells)
    lines = [f"{cell.key:{width}}  {plan.estimated_s([cell]):5.1f} s" for cell in plan.cells]
    cells = f"{len(plan.cells)} cells in {plan.rounds} rounds: {plan.num_processes} fresh processes"
    return "\n".join([*lines, f"{cells}, about {clock(plan.estimated_s())}"])
