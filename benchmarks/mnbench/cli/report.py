"""``mnbench report``: results as one page for a browser."""

from collections.abc import Sequence

import click

from mnbench.cli.drawing_options import drawing_options, drawn_entries
from mnbench.cli.results import result_argument
from mninfer.cli.options import examples
from mninfer.cli.output import say

__all__ = ["command"]


@click.command(
    "report", epilog=examples("mnbench report pi5.json -o pi5.html", "mnbench report pi4.json pi5.json -o both.html")
)
@result_argument
@click.option("-o", "--output", metavar="FILE", required=True, help="The page to write.")
@click.option("--title", help="What it is called. Default: the devices.")
@drawing_options
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
def command(
    results: Sequence[str], output: str, title: str | None, only: Sequence[str], top1: Sequence[str], *, force: bool
) -> int:
    """Write each RESULT of mnbench run, by default mnbench.json, into one page: pictures, tables, doubts, the machine.

    Tables have every row, whatever is drawn. The page asks for nothing from anywhere: it can be mailed, kept, or opened
    without a network.
    """
    if not output:
        raise click.UsageError("-o is given, and empty")
    from mnbench.drawing.page import render_page
    from mnbench.record_file import read_record
    from mninfer.files import refuse_existing, write_atomically

    refuse_existing(output, force=force)
    records = [read_record(path) for path in results]
    page = render_page(records, title=title, entries=drawn_entries(records, only, top1))
    write_atomically(output, page.encode("utf-8", "backslashreplace"), force=force)
    say(output)
    return 0
