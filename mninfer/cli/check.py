"""``mninfer check``: the golden vectors inside a model, run here, against the outputs recorded where it was made."""

from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import ModelOptions, engine_options, examples, model_argument, open_model
from mninfer.cli.output import json_line, say

if TYPE_CHECKING:
    from mninfer.model_file.golden import GoldenReport

__all__ = ["command", "table"]


@click.command(
    "check",
    epilog=examples("mninfer check mobilenet.tflite", "mninfer check mobilenet.tflite --engine tflite-runtime --json"),
)
@model_argument
@click.option("--json", "is_json", is_flag=True, help="The whole comparison as one JSON object.")
@engine_options
def command(model: str, *, is_json: bool, **options: Any) -> int:
    """Prove that a model computes here what it computed where it was made.

    Exit code 0 when every golden vector matches, 3 when one differs, 1 when the file carries none.
    """
    with open_model(model, ModelOptions.take(options)) as loaded:
        report = loaded.check()
    if is_json:
        json_line({"model": model, **report.to_json()})
    else:
        say(table(report))
    report.raise_if_different(model)
    return 0


def table(report: "GoldenReport") -> str:
    """A line to each vector's output, and the verdict below."""
    lines = ["picture  tensor     output             largest difference  allowed"]
    for vector in report.vectors:
        tensor = "same" if vector.tensor_matches else "DIFFERENT"
        lines += [
            f"{vector.index:7}  {tensor:9}  {output.index} {output.dtype:8}  "
            f"{output.largest_difference:26.3g}  {output.tolerance:7.3g}  {'' if output.ok else 'DIFFERENT'}".rstrip()
            for output in vector.outputs
        ]
    return "\n".join([*lines, f"{'ok' if report.ok else 'DIFFERENT'}: {report.message}"])
