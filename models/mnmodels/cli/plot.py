"""``mnmodels plot``: the curves of a training run, as a PNG."""

from pathlib import Path

import click

from mninfer.cli.options import examples
from mninfer.cli.output import say

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
    from mninfer.files import refuse_existing, write_atomically
    from mnmodels.training.logs import read_log
    from mnmodels.training.plot import plot_runs

    first = Path(logs[0])
    target = output or str((first if first.is_dir() else first.parent) / "curves.png")
    refuse_existing(target, force=force)
    runs = {_name(Path(log)): read_log(Path(log)) for log in logs}
    write_atomically(target, plot_runs(runs, title=title), force=force)
    for name, rows in runs.items():
        best = max(rows, key=lambda row: row["val_accuracy"])
        say(
            f"{name}: {len(rows)} epochs, validation {100 * rows[-1]['val_accuracy']:.2f} % "
            f"(best {100 * best['val_accuracy']:.2f} % in epoch {best['epoch']:.0f})"
        )
    say(target)
    return 0


def _name(log: Path) -> str:
    folder = log if log.is_dir() else log.parent
    return folder.resolve().name
