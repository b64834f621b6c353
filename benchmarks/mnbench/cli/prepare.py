"""``mnbench prepare``: make what will be measured, here or, carried there, on a device without TensorFlow."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mnbench.cell import Variant
from mnbench.cli.listed import counts, words
from mnbench.cli.run_progress import RunProgress
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
@click.option("--json", "is_json", is_flag=True, help="What was made, as JSON.")
def command(models: tuple[str, ...], variants: str | None, batch: str, output: str | None, is_json: bool) -> int:
    """Make the files of each MODEL: weights, a flatbuffer of each variant, one input, the answers to it, a photo.

    What is there already is left as it is. Networks by name get random weights, the same every time.
    """
    if output == "":
        raise click.UsageError("-o is given, and empty")
    from mnbench.preparing import prepare
    from mnbench.preparing.converting import FORMS

    progress = RunProgress()
    try:
        bundles = prepare(
            models,
            variants=words("--variants", variants, Variant) or tuple(FORMS),
            batches=counts("--batch", batch) or (1,),
            folder=None if output is None else Path(output),
            watcher=progress.stage,
        )
    finally:
        progress.clear()
    if is_json:
        json_line([{"folder": str(bundle.folder), **bundle.to_json()} for bundle in bundles], indent=1)
    else:
        say("\n\n".join(bundle_text(bundle) for bundle in bundles))
    return 0


def bundle_text(bundle: "Bundle") -> str:
    """A title, where it is, and a line to each file and to each that could not be made."""
    rows = [(key, _size(facts["size_bytes"]), _nearness(facts)) for key, facts in bundle.model.files.items()]
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


def _nearness(facts: Any) -> str:
    """How near a flatbuffer is to the float model, where that was looked at."""
    found = facts.get("verification")
    if not found:
        return ""
    same = "" if found["agreement"] is None else f"same best class of {found['agreement']:.0%}, "
    failed = f"; {'; '.join(found['failures'])}" if found["failures"] else ""
    return f"{same}{found['sqnr_db']:g} dB over {found['num_pictures']} pictures{failed}"
