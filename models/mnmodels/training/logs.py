"""The log of a run: a CSV file with a line per epoch, and TensorBoard's own files where they are asked for."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mninfer.errors import InputError, MissingDependencyError, OutputError
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
    inside = [str(log.parent) for log in sorted(path.glob(f"*/{LOG_NAME}"))]  # finetune's folder holds two runs
    path = path / LOG_NAME if path.is_dir() else path
    try:
        lines = csv.DictReader(io.StringIO(read_regular_file(path, MAX_LOG_BYTES).decode()))
        missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        rows = tuple({name: float(line[name]) for name in COLUMNS} for line in lines)
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InputError(
            f"this is no log of a training run: {error}",
            where=str(path),
            hints=inside or "the folder of a run, or its log.csv",
        ) from error
    if not rows:
        raise InputError("the log has no epoch yet", where=str(path))
    return rows


class TensorBoard:
    """Writes each epoch's numbers for TensorBoard. Raises OutputError where they can't be written."""

    def __init__(self, folder: Path) -> None:
        try:
            import tensorflow as tf
        except ImportError as error:
            raise MissingDependencyError("TensorBoard's files need TensorFlow", hints=INSTALL_LINE) from error
        if find_spec("tensorboard") is None:  # which TensorFlow no longer brings, and asks for at the first scalar
            raise MissingDependencyError("tensorboard is not installed", hints="python -m pip install tensorboard")
        self._tensorflow: Any = tf
        self._folder = folder
        with self._told():
            self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, row: Row) -> None:
        """Add one epoch."""
        with self._told(), self._writer.as_default(step=int(row["epoch"])):
            for name in COLUMNS[1:]:
                self._tensorflow.summary.scalar(name.replace("val_", "validation/"), row[name])
            self._writer.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._tensorflow.errors.OpError as error:
            raise OutputError(
                "TensorBoard's files can't be written", where=str(self._folder), hints="--tensorboard ANOTHER_FOLDER"
            ) from error
