"""``mninfer classify``: what is in a picture, or in each of many."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import examples
from mninfer.cli.output import is_terminal, printable
from mninfer.cli.picture_options import picture_command_options, run_picture_command, save_images_option
from mninfer.cli.picture_run import Presentation, each

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.results import Classification, Failure

__all__ = ["columns", "command", "in_a_line", "in_full", "rows"]

_DEFAULT_TOP = 5
_MOST_TOP = 100_000  # a file has three columns for each


@click.command(
    "classify",
    epilog=examples(
        "mninfer classify mobilenet.tflite cat.jpg",
        "mninfer classify mobilenet.tflite photos/ --out results.csv",
        "mninfer classify mobilenet.tflite 'holiday/**/*.jpg' --json --top 3",
    ),
)
@picture_command_options
@click.option(
    "--top",
    type=click.IntRange(1, _MOST_TOP),
    help="How many classes of each picture. Default: 5; 1 where a picture has one line.",
)
@save_images_option("its labels drawn on it")
def command(top: int | None, save_images: str | None, **options: Any) -> int:
    """Say what is in pictures."""
    num_classes = top or _DEFAULT_TOP

    def analyse(model: "Model", paths: Sequence[str]) -> Iterator["Classification | Failure"]:
        if len(paths) > 1:
            return model.classify_many(paths, top=num_classes)
        return each(lambda path: model.classify(path, top=num_classes), paths)

    show = Presentation(
        command="classify",
        in_full=in_full,
        in_a_line=lambda result: in_a_line(result, top or 1),
        columns=columns(num_classes),
        rows=rows,
    )
    return run_picture_command(options, analyse, show, save_images=save_images, settings={"top": num_classes})


def in_full(result: "Classification") -> str:
    """A line to a class; on a terminal with a bar."""
    names = [printable(prediction.label) for prediction in result]
    width = max(map(len, names), default=0)
    is_drawn = is_terminal(sys.stdout)
    lines = []
    for name, prediction in zip(names, result, strict=True):
        bar = "  " + "▇" * round(prediction.score * 30) if is_drawn else ""
        lines.append(f"{name:{width}}  {prediction.score:6.1%}{bar}".rstrip())
    return "\n".join(lines)


def in_a_line(result: "Classification", top: int) -> str:
    """The best ``top`` classes in one line."""
    return "  ".join(f"{printable(prediction.label)} {prediction.score:.1%}" for prediction in result.predictions[:top])


def columns(top: int) -> tuple[str, ...]:
    """label, index, score of the best class, then label_2, index_2, score_2, …"""
    kinds = ("label", "index", "score")
    return kinds + tuple(f"{kind}_{rank}" for rank in range(2, top + 1) for kind in kinds)


def rows(record: dict[str, Any]) -> Sequence[Sequence[object]]:
    """One row: the classes side by side, best first."""
    predictions = record["predictions"]
    return [[cell for each in predictions for cell in (each["label"], each["index"], f"{each['score']:.6g}")]]
