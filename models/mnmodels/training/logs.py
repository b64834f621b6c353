"""The log of a run: a CSV file with a line per epoch, and TensorBoard's own files where they are asked for."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mninfer.errors import InputError, MissingDependencyError
from mninfer.files import read_regular_file, write_atomically
from mnmodels.backend import INSTALL_LINE

__all__ = ["COLUMNS", "LOG_NAME", "Row", "TensorBoard", "read_log", "write_log"]

Row = Mapping[str, float]
LOG_NAME = "log.csv"
COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
MAX_LOG_BYTES = 64 << 20


def write_log(folder: Path, rows: Sequence[Row]) -> None:
    """Write the whole log anew, so that no crash leaves half a line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{row[name]:.7g}" for name in COLUMNS} for row in rows)
    write_atomically(folder / LOG_NAME, text.getvalue().encode(), force=True, is_synced=False)


def read_log(path: Path) -> tuple[Row, ...]:
    """Read a log, by its own path or its run's folder. Raise InputError where it is none."""
    path = path / LOG_NAME if path.is_dir() else path
    try:
        lines = csv.DictReader(io.StringIO(read_regular_file(path, MAX_LOG_BYTES).decode()))
        missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        rows = tuple({name: float(line[name]) for name in COLUMNS} for line in lines)
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InputError(
            f"this is no log of a training run: {error}", where=str(path), hints="the folder of a run, or its log.csv"
        ) from error
    if not rows:
        raise InputError("the log has no epoch yet", where=str(path))
    return rows


class TensorBoard:
    """Writes each epoch's numbers for TensorBoard."""

    def __init__(self, folder: Path) -> None:
        try:
            import tensorflow as tf
        except ImportError as error:
            raise MissingDependencyError("TensorBoard's files need TensorFlow", hints=INSTALL_LINE) from error
        self._summary: Any = tf.summary
        self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, row: Row) -> None:
        """Add one epoch."""
        with self._writer.as_default(step=int(row["epoch"])):
            for name in COLUMNS[1:]:
                self._summary.scalar(name.replace("val_", "validation/"), row[name])
        self._writer.flush()
