"""``mninfer annotate``: preprocessing, labels and golden vectors, put into a model that somebody already has."""

import os
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.options import (
    ModelOptions,
    NearChoice,
    engine_options,
    examples,
    model_argument,
    open_model,
    preprocess_options,
    stated_preprocess,
)
from mninfer.cli.output import json_line, say

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.model_file.golden import GoldenReport

__all__ = ["command"]

_TASKS = ("classify", "detect", "segment", "embed")


@click.command(
    "annotate",
    epilog=examples(
        "mninfer annotate bare.tflite --preprocess inception --labels labels.txt -o mine.tflite",
        "mninfer annotate bare.tflite --preprocess torch --resize crop:0.875 --labels labels.txt -o mine.tflite",
    ),
)
@model_argument
@click.option("-o", "--output", "output", required=True, metavar="OUT", help="The file to write.")
@click.option("--task", type=NearChoice(_TASKS), help="What the model is for. Default: what its outputs say.")
@click.option("--name", default="", help="A name for people to read.")
@click.option("--description", default="", help="What the model is for, in a sentence.")
@click.option("--author", default="", help="Who made it.")
@click.option("--license", "license_", default="", help="Its licence.")
@click.option("--force", is_flag=True, help="Write over OUT if it exists.")
@click.option("--json", "is_json", is_flag=True, help="What was attached, as one JSON object.")
@preprocess_options
@engine_options
def command(model: str, output: str, task: str | None, *, force: bool, is_json: bool, **options: Any) -> int:
    """Put preprocessing, labels and golden vectors into a .tflite file.

    The weights stay as they are. What is not stated is kept from the file. The answers to check against are recorded by
    running the model here, and the result is checked before it is written.
    """
    from mninfer.files import refuse_existing, write_atomically

    refuse_existing(output, force=force)
    about = {name: options.pop(name) for name in ("name", "description", "author")}
    about["license"] = options.pop("license_")
    shared = ModelOptions.take(options)
    # Lenient where all is stated: that mends a file of ours which another tool has changed.
    with open_model(model, shared, strict=shared.preprocess is None) as loaded:
        data = _annotated(loaded, shared, task, about, os.path.basename(model))
        report, summary = _verified(data, shared)
    report.raise_if_different(output)
    write_atomically(output, data, force=force)
    if is_json:
        json_line({"model": output, **summary, "golden": report.to_json()})
    else:
        _tell(output, summary, report)
    return 0


def _annotated(
    model: "Model", shared: ModelOptions, task: str | None, about: dict[str, str], source_name: str
) -> bytes:
    from mninfer.model_file.annotating import annotate
    from mninfer.model_file.describe import ModelDescription
    from mninfer.spec import Task

    return annotate(
        model.file.data,
        run=model.engine.run,
        preprocess=None if stated_preprocess(shared).is_empty else model.spec.preprocess,
        labels=model.spec.labels if shared.labels else None,
        task=Task(task) if task else None,
        about=ModelDescription(**about) if any(about.values()) else None,
        source_name=source_name,
        allow_unlisted_ops=shared.allow_unlisted_ops,
        uses_xnnpack=model.engine.uses_xnnpack,
    )


def _verified(data: bytes, shared: ModelOptions) -> "tuple[GoldenReport, dict[str, Any]]":
    """Load what is about to be written, as anybody would, and run its golden vectors."""
    import mninfer
    from mninfer.model_file.describe import limits_elsewhere
    from mninfer.model_file.picture_input import image_input

    with without_chatter(), mninfer.load(
        data, threads=shared.threads, engine=shared.engine, delegate=shared.delegate,
        allow_unlisted_ops=shared.allow_unlisted_ops,
    ) as written:  # fmt: skip
        spec = written.spec
        assert spec.preprocess is not None
        summary = {
            "task": str(spec.task),
            "preprocess": spec.preprocess.to_json(),
            "num_labels": len(spec.labels) if spec.labels is not None else None,
            "limits_elsewhere": list(limits_elsewhere(spec.preprocess, image_input(written.graph))),
            "size_bytes": spec.size_bytes,
            "sha256": spec.sha256,
        }
        return written.check(), summary


def _tell(output: str, summary: dict[str, Any], report: "GoldenReport") -> None:
    from mninfer.preprocessing import PreprocessSpec

    labels = summary["num_labels"]
    lines = [
        f"{output}: {summary['size_bytes']:,} bytes",
        f"  task            {summary['task']}",
        f"  preprocessing   {PreprocessSpec.from_json(summary['preprocess'])}",
        f"  labels          {'none' if labels is None else f'{labels:,}'}",
        f"  golden vectors  {report.message}",
    ]
    say("\n".join([*lines, *(f"  note: {limit}" for limit in summary["limits_elsewhere"])]))
