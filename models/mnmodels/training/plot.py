"""The curves of one or more runs as a PNG: loss and accuracy, training and validation, over epochs."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from mninfer.errors import MissingDependencyError
from mnmodels.backend import INSTALL_LINE
from mnmodels.training.logs import Row

__all__ = ["plot_runs"]

MOST_MARKED = 20  # above so many epochs, points would hide the line


def plot_runs(runs: Mapping[str, Sequence[Row]], *, title: str | None = None) -> bytes:
    """A PNG of 1200 by 500 pixels: loss on the left, accuracy on the right; a colour per run."""
    figure = _figure()
    loss, accuracy = figure.subplots(1, 2)
    for index, (name, rows) in enumerate(runs.items()):
        for axes, column, scale in ((loss, "loss", 1), (accuracy, "accuracy", 100)):
            _draw(axes, rows, column, f"C{index}", f"{name} " if len(runs) > 1 else "", scale)
    loss.set(xlabel="epoch", ylabel="cross entropy", title="Loss")
    accuracy.set(xlabel="epoch", ylabel="top-1, %", title="Accuracy")
    for axes in (loss, accuracy):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
        axes.xaxis.get_major_locator().set_params(integer=True)
    if title:
        figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _figure() -> Any:
    """A figure without pyplot: no window system, no global state."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib is not installed", hints=INSTALL_LINE) from error
    figure = Figure(figsize=(12, 5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _draw(axes: Any, rows: Sequence[Row], column: str, colour: str, name: str, scale: float) -> None:
    epochs = [row["epoch"] for row in rows]
    marker = "." if len(rows) <= MOST_MARKED else None
    for key, label, style in ((column, "training", ":"), (f"val_{column}", "validation", "-")):
        values = [row[key] * scale for row in rows]
        shown = f"{name}{label}" + (f": {values[-1]:.2f}" if values else "")
        axes.plot(epochs, values, style, color=colour, marker=marker, label=shown)
