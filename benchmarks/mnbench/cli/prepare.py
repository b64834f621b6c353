"""``mnbench prepare``: make what will be measured, here or, carried there, on a device without TensorFlow."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnbench.axes import FORMS
from mnbench.cell import Variant
from mnbench.cli.listed import counts, words
from mnbench.cli.run_progress import RunProgress
from mnbench.cli.stopping import stopped_like_control_c
from mnbench.showing.loose_facts import fact_number, fact_texts
from mninfer.cli.options import examples
from mninfer.cli.output import json_line, say

if TYPE_CHECKING:
    from mnbench.preparing import Bundle

__all__ = ["command"]

_DEFAULT_MODEL = "mobilenet_v1_1.0_224"


@click.command(
    "prepare",
    epilog=examples(
        "mnbench prepare --models mobilenet_v2_1.0_224 -o models",
        "mnbench prepare --models kitchen.keras --variants float32,int8 -o models",
        "mnbench prepare --models kitchen.keras --evaluate photos -o models",
        "mnbench run --models models/kitchen -o pi5.json",
    ),
)
@click.option(
    "--models",
    multiple=True,
    default=(_DEFAULT_MODEL,),
    show_default=True,
    metavar="MODEL",
    help="A name (mobilenet_v1_0.25_128), a Keras file, a .tflite, a folder of mnbench prepare; repeatable.",
)
@click.option("--variants", metavar="A,B", help="Of the flatbuffers. Default: all.")
@click.option("--batch", metavar="1,8", default="1", show_default=True, help="Pictures in one run.")
@click.option("-o", "--output", metavar="FOLDER", help="Where a folder is made for each model. Default: the cache.")
@click.option(
    "--evaluate", metavar="FOLDER", help="Labelled pictures: the top-1 of each variant, for tables and plots."
)
@click.option(
    "--classes-from", metavar="FILE", help="CSV or lines of name and class, where FOLDER's folders don't tell."
)
@click.option("--json", "is_json", is_flag=True, help="What was made, as JSON.")
@stopped_like_control_c()
def command(models: tuple[str, ...], variants: str | None, batch: str, output: str | None, **options: Any) -> int:
    """Make the files of each MODEL: weights, a flatbuffer of each variant, one input, the answers to it, a photo.

    What is there already is left as it is, unless another mnkit, TensorFlow or Keras made it. Networks by name get
    random weights, the same every time.

    The cache, which mnbench run takes its models from, is mnkit/mnbench below XDG_CACHE_HOME, else ~/.cache. Any
    folder there, and all of them, may be deleted: what is asked for is made again.
    """
    for flag, value in (("-o", output), ("--evaluate", options["evaluate"])):
        if value == "":
            raise click.UsageError(f"{flag} is given, and empty")
    if options["classes_from"] is not None and options["evaluate"] is None:
        raise click.UsageError("--classes-from tells the classes of --evaluate's pictures: give that, too")
    from mnbench.preparing import prepare

    progress = RunProgress()
    try:
        bundles = prepare(
            models,
            variants=words("--variants", variants, Variant) or FORMS,
            batches=counts("--batch", batch) or (1,),
            folder=None if output is None else Path(output),
            watcher=progress.stage,
        )
        if options["evaluate"] is not None:
            bundles = _evaluated(bundles, options, progress)
    finally:
        progress.clear()
    if options["is_json"]:
        json_line([{"folder": str(bundle.folder), **bundle.to_json()} for bundle in bundles], indent=1)
    else:
        say("\n\n".join(_bundle_text(bundle) for bundle in bundles))
    return 0


def _evaluated(bundles: "tuple[Bundle, ...]", options: dict[str, Any], progress: RunProgress) -> "tuple[Bundle, ...]":
    from mnbench.preparing.accuracy import with_accuracy
    from mnmodels.data import open_data

    pictures = open_data(options["evaluate"], split="test", classes_from=options["classes_from"])
    source = f"{len(pictures):,} pictures of {Path(options['evaluate']).name}"
    return tuple(with_accuracy(bundle, pictures, source=source, watch=progress.stage) for bundle in bundles)


def _bundle_text(bundle: "Bundle") -> str:
    """A title, where it is, and a line to each file and to each that could not be made."""
    rows = [
        (key, _size(facts["size_bytes"]), "; ".join(filter(None, (_top1(bundle, key), _nearness(facts)))))
        for key, facts in bundle.model.files.items()
    ]
    rows += [(key, "-", reason) for key, reason in bundle.missing.items()]
    rows.sort(key=lambda row: _place(row[0]))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {key:{widths[0]}}  {size:>{widths[1]}}  {remark}".rstrip() for key, size, remark in rows]
    return "\n".join([f"{bundle.model.title} ({bundle.model.weights}): {bundle.folder}", *lines])


def _place(key: str) -> tuple[int, int]:
    """The weights, then the flatbuffers by batch and as variants are listed everywhere."""
    variant, _, batch = key.partition("@b")
    order = [str(each) for each in Variant]
    return (int(batch or 1), order.index(variant)) if variant in order else (0, 0)


def _size(size_bytes: Any) -> str:
    return f"{size_bytes / 1e6:.1f} MB"


def _top1(bundle: "Bundle", key: str) -> str:
    """How often a flatbuffer is right, where that was measured."""
    facts = bundle.model.accuracy.get(key)
    if not facts:
        return ""
    return f"top-1 {facts['top1_percent']:.1f} ± {facts['standard_error']:.1f} %"


def _nearness(facts: Any) -> str:
    """How near a flatbuffer is to the float model, where that was looked at."""
    found = facts.get("verification")
    sqnr_db, num_pictures = fact_number(found, "sqnr_db"), fact_number(found, "num_pictures")
    if sqnr_db is None or num_pictures is None:
        return ""
    share = fact_number(found, "agreement")
    same = "" if share is None else f"same best class of {share:.0%}, "
    failed = "".join(f"; {text}" for text in fact_texts(found, "failures"))
    return f"{same}{sqnr_db:g} dB over {num_pictures:.0f} pictures{failed}"
