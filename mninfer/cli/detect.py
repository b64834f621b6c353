"""``mninfer detect``: the objects in pictures, with boxes in the original's pixels."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import FiniteRange, examples
from mninfer.cli.output import printable
from mninfer.cli.picture_options import picture_command_options, run_picture_command, save_images_option
from mninfer.cli.picture_run import Presentation, each

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.detection import Detections
    from mninfer.results import Failure

__all__ = ["command", "in_a_line", "in_full", "rows"]


@click.command(
    "detect",
    epilog=examples(
        "mninfer detect ssd_mobilenet.tflite street.jpg",
        "mninfer detect ssd_mobilenet.tflite photos/ --threshold 0.6 --save-images boxes/",
    ),
)
@picture_command_options
@click.option(
    "--threshold", type=FiniteRange(0, 1), default=0.5, show_default=True, help="The lowest score that counts."
)
@save_images_option("its boxes drawn on it")
def command(threshold: float, save_images: str | None, **options: Any) -> int:
    """Find objects in pictures, with their boxes in pixels of the picture."""

    def analyse(model: "Model", paths: Sequence[str]) -> Iterator["Detections | Failure"]:
        return each(lambda path: model.detect(path, threshold=threshold), paths)

    show = Presentation(
        command="detect",
        in_full=in_full,
        in_a_line=in_a_line,
        columns=("label", "index", "score", "left", "top", "right", "bottom"),
        rows=rows,
    )
    return run_picture_command(options, analyse, show, save_images=save_images, settings={"threshold": threshold})


def in_full(result: "Detections") -> str:
    """A line to an object: label, score, then left, top, right, bottom."""
    if not result.objects:
        return "nothing found"
    names = [printable(each.label) for each in result]
    width = max(map(len, names))
    return "\n".join(
        f"{name:{width}}  {each.score:6.1%}  " + " ".join(f"{edge:7.1f}" for edge in each.box.to_json())
        for name, each in zip(names, result, strict=True)
    )


def in_a_line(result: "Detections") -> str:
    """The objects, with their scores only."""
    return ", ".join(f"{printable(each.label)} {each.score:.0%}" for each in result) or "nothing found"


def rows(record: dict[str, Any]) -> Sequence[Sequence[object]]:
    """One row to an object."""
    return [
        [each["label"], each["index"], f"{each['score']:.6g}", *(f"{edge:.2f}" for edge in each["box"])]
        for each in record["objects"]
    ]
