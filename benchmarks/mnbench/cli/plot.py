"""``mnbench plot``: results as a picture, PNG or SVG."""

from collections.abc import Sequence
from pathlib import Path

import click

from mnbench.cli.drawing_options import drawing_options, drawn_entries
from mnbench.cli.results import result_argument
from mninfer.cli.options import NearChoice, examples
from mninfer.cli.output import say

__all__ = ["command"]

_KINDS = ("latency", "pareto", "threads", "operators", "parts")
_FORMATS = (".png", ".svg")


@click.command(
    "plot",
    epilog=examples(
        "mnbench plot pi5.json",
        "mnbench plot pi4.json pi5.json --kind threads -o threads.svg",
        "mnbench plot zoo.json --kind pareto --top1 mobilenet_v1_1.0_224/int8=70.6",
        'mnbench plot pi5.json --only "*/forward/litert/int8/*" -o int8.png',
    ),
)
@result_argument
@click.option(
    "--kind",
    type=NearChoice(_KINDS),
    default="latency",
    show_default=True,
    help="Latency; accuracy against it (pareto); what more threads bring; each operator; parts from photo to label.",
)
@drawing_options
@click.option(
    "--scale",
    type=NearChoice(["auto", "linear", "log"]),
    default="auto",
    show_default=True,
    help="Of milliseconds; auto: logarithmic where they differ widely.",
)
@click.option("-o", "--output", metavar="FILE", help="A .png or .svg. Default: KIND.png here.")
@click.option("--force", is_flag=True, help="Write over FILE if it exists.")
def command(
    results: Sequence[str],
    kind: str,
    only: Sequence[str],
    top1: Sequence[str],
    scale: str,
    output: str | None,
    *,
    force: bool,
) -> int:
    """Draw each RESULT of mnbench run, by default mnbench.json: bars with their 95 % intervals, and published figures.

    What is in doubt is hollow, and its letter is told below. An SVG needs no package; a PNG needs matplotlib.
    """
    target = f"{kind}.png" if output is None else output
    suffix = Path(target).suffix.lower()
    if suffix not in _FORMATS:
        raise click.UsageError(f'"{target}" is neither a .png nor a .svg: -o says by its ending what is written')
    from mnbench.drawing.kinds import Kind, draw
    from mnbench.record_file import read_record
    from mninfer.files import refuse_existing, write_atomically

    refuse_existing(target, force=force)
    entries = drawn_entries([read_record(path) for path in results], only, top1)
    picture = draw(Kind(kind), entries, is_log={"auto": None, "linear": False, "log": True}[scale])
    if suffix == ".svg":
        from mnbench.drawing.svg import encode_svg as encode
    else:
        from mnbench.drawing.png import encode_png as encode
    write_atomically(target, encode(picture), force=force)
    say(target)
    return 0
