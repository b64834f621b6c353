"""``mnmodels plot``: the curves of a training run, as a PNG."""

from collections.abc import Sequence
from pathlib import Path

import click

from mninfer.cli.options import examples
from mninfer.cli.output import say
from mnmodels.cli.outputs import refuse_output
from mnmodels.training.logs import LOG_NAME

__all__ = ["command"]


@click.command(
    "plot",
    epilog=examples("mnmodels plot runs/cifar10_mobilenet_v1_025", "mnmodels plot runs/plain runs/lgc -o both.png"),
)
@click.argument("logs", nargs=-1, required=True, metavar="RUN...")
@click.option("-o", "--output", metavar="PNG", help="The file to write. Default: curves.png in the first run's folder.")
@click.option("--title", help="A line above the curves.")
@click.option("--force", is_flag=True, help="Write over PNG if it exists.")
def command(logs: tuple[str, ...], output: str | None, title: str | None, *, force: bool) -> int:
    """Draw loss and accuracy of one or more runs (their folders, or their log.csv)."""
    from mninfer.files import write_atomically
    from mnmodels.training.logs import read_log
    from mnmodels.training.plot import plot_runs

    first = Path(logs[0])
    target = output if output is not None else str((first if first.is_dir() else first.parent) / "curves.png")
    refuse_output(target, ".png", force=force)
    runs = {name: read_log(log) for name, log in _named([Path(log) for log in logs]).items()}
    write_atomically(target, plot_runs(runs, title=title), force=force)
    for name, rows in runs.items():
        best = max(rows, key=lambda row: row["val_accuracy"])
        say(
            f"{name}: {len(rows)} epochs, validation {100 * rows[-1]['val_accuracy']:.2f} % "
            f"(best {100 * best['val_accuracy']:.2f} % in epoch {best['epoch']:.0f})"
        )
    say(target)
    return 0


def _named(logs: Sequence[Path]) -> dict[str, Path]:
    """Each log once, called as its run's folder, with those above as far as it takes: all of finetune's are alike."""
    places = {_place(log.resolve()): log for log in logs}
    for depth in range(1, max(map(len, places)) + 1):
        named = {"/".join(place[-depth:]): log for place, log in places.items()}
        if len(named) == len(places):
            break
    return named


def _place(log: Path) -> tuple[str, ...]:
    """The parts of the path of a run's folder, or of a log that is called otherwise than a run's."""
    return log.parent.parts if log.name == LOG_NAME else log.with_suffix("").parts if log.is_file() else log.parts
