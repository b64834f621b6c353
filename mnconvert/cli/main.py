"""The command line ``mnconvert``: one command, from a Keras file to verified flatbuffers."""

from collections.abc import Sequence
from typing import Any

import click

from mnconvert.cli.request import requested, variant_options
from mninfer.cli.frame import CONTEXT_SETTINGS, run_command_line, version_option
from mninfer.cli.options import FiniteRange, examples, preprocess_options
from mnmodels.cli.keras_options import keras_options
from mnmodels.cli.network_options import network_options

__all__ = ["command", "main"]


@click.command(
    "mnconvert",
    context_settings=CONTEXT_SETTINGS,
    epilog=examples(
        "mnconvert --quantize int8 mobilenet.h5",
        "mnconvert --all -o variants/ mobilenet.keras --report mobilenet.html",
        "mnconvert --quantize int8 detector.keras --calibrate photos/ --samples 100",
        "mnconvert --quantize int8 mobilenet.h5 --evaluate flowers/ --max-drop 1.0",
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("-o", "--output", metavar="FILE|DIR", help="Default: <stem>_<variant>.tflite beside MODEL.")
@click.option("--all", "is_all", is_flag=True, help="Every variant in one run, side by side in one table.")
@variant_options
@preprocess_options
@click.option("--calibrate", metavar="WHERE", help="Real pictures for ranges: a folder, a pattern, or ARRAYS.npz.")
@click.option("--samples", type=click.IntRange(1), metavar="N", help="So many of them. Default: 200, or all.")
@click.option("--evaluate", metavar="FOLDER", help="Labelled pictures: top-1 and top-5 of float and converted.")
@click.option(
    "--classes-from", metavar="FILE", help="CSV or lines of name and class, where FOLDER's folders don't tell."
)
@click.option(
    "--max-drop",
    type=FiniteRange(0, 100),
    metavar="POINTS",
    help="Of top-1: the costliest layers stay float until then.",
)
@click.option(
    "--explain", "is_explained", is_flag=True, help="Every range, where it is from, and the scale that follows."
)
@click.option(
    "--report", "page", metavar="OUT.html", help="One page with tables, charts, and a look at the worst layers."
)
@click.option("--json", "is_json", is_flag=True, help="Everything as one JSON object.")
@click.option("--keep-failed", is_flag=True, help="Write what does not hold beside, as NAME.failed.tflite.")
@click.option("--force", is_flag=True, help="Write over files that exist.")
@keras_options
@network_options
def command(model: str, **options: Any) -> int:
    """Convert MODEL, a Keras file of any era or a float .tflite, to a TFLite file, verified before it is written.

    int8 needs no pictures where the model has BatchNorm, as every MobileNet has. Where a layer's range can't be known
    without, the layers are named: --calibrate.

    \b
    The exit code is
      0  written; with --all, every variant that there is of MODEL and for --target-runtime
      1  a known error, told with what to try
      2  usage
      3  the file would not do what MODEL does: nothing was written (--keep-failed)
    """  # noqa: D301 -- click's own mark for a block that is not to be wrapped
    is_all = options["is_all"]
    configs = requested(options, is_all=is_all)
    _check(options, is_all=is_all, is_integer=any(config.variant.is_static for config in configs))
    from mnconvert.cli.converting import run

    return run(model, configs, options)


def _check(options: dict[str, Any], *, is_all: bool, is_integer: bool) -> None:
    """Options that need, or exclude, one another; an empty one is a shell's variable that wasn't set."""
    for name, flag in (
        ("output", "-o"),
        ("page", "--report"),
        ("calibrate", "--calibrate"),
        ("evaluate", "--evaluate"),
    ):
        if options[name] == "":
            raise click.UsageError(f"{flag} is given, and empty")
    if options["samples"] is not None and options["calibrate"] is None:
        raise click.UsageError("--samples says how many pictures of --calibrate are taken: give that, too")
    if options["classes_from"] is not None and options["evaluate"] is None:
        raise click.UsageError("--classes-from tells the classes of --evaluate's pictures: give that, too")
    if options["evaluate"] is not None and options["batch"] != 1:
        raise click.UsageError("--evaluate takes one picture at a time: leave out --batch")
    if options["max_drop"] is not None:
        if options["evaluate"] is None:
            raise click.UsageError("--max-drop is measured on labelled pictures: --evaluate FOLDER")
        if is_all or options["variant"] != "int8":
            raise click.UsageError("--max-drop keeps layers of one int8 file float: --quantize int8")
    if options["is_explained"] and not is_integer:
        raise click.UsageError("--explain shows the ranges of integer files: --quantize int8")


command.params.append(version_option())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) and return the exit code."""
    return run_command_line(command, argv)
