"""``mnbench table``: results as tables, on the terminal or in a file."""

import shutil
import sys
from collections.abc import Sequence

import click

from mnbench.cli.results import result_argument
from mninfer.cli.options import examples
from mninfer.cli.output import is_terminal, say

__all__ = ["command"]

_LEAST_WIDTH = 40


@click.command(
    "table",
    epilog=examples(
        "mnbench table pi5.json",
        "mnbench table pi4.json pi5.json laptop.json --layout full",
        "mnbench table pi5.json --format html -o pi5.html",
    ),
)
@result_argument
@click.option(
    "--layout",
    type=click.Choice(["2017", "full"]),
    default="2017",
    show_default=True,
    help="The columns of the table of 2017, beside its figures; or everything that is known.",
)
@click.option("--format", "form", type=click.Choice(["text", "md", "csv", "html"]), default="text", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write there, not to the terminal.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def command(results: Sequence[str], layout: str, form: str, output: str | None, force: bool) -> int:
    """Show each RESULT of mnbench run, by default mnbench.json; those of several devices come into one table.

    A figure is the geometric mean of its processes' medians, with the 95 % interval. What there is to doubt is marked
    at each figure and told below; what could not be measured is there with the reason.
    """
    if output == "":
        raise click.UsageError("-o is given, and empty")
    from mnbench.record_file import read_record
    from mnbench.showing.rendering import Format, Layout, rendered
    from mninfer.files import refuse_existing, write_atomically

    if output is not None:
        refuse_existing(output, force=force)
    records = [read_record(path) for path in results]
    text = rendered(records, Layout(layout), Format(form), width=_width() if output is None else None)
    if output is None:
        say(text.removesuffix("\n"))
    else:
        write_atomically(output, text.encode(), force=force)
    return 0


def _width() -> int | None:
    """The terminal's; None for a pipe, which is as wide as it takes."""
    if not is_terminal(sys.stdout):
        return None
    return max(_LEAST_WIDTH, shutil.get_terminal_size().columns)
