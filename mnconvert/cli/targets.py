"""Where files go: named and refused before any work, written whole or not at all after it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from mnconvert.config import ConvertConfig
from mnconvert.report.names import file_part
from mninfer.errors import OutputError
from mninfer.files import refuse_existing, write_atomically
from mnmodels.evaluation import is_tflite

__all__ = [
    "Target",
    "plan_targets",
    "refuse_folder",
    "refuse_source",
    "refuse_targets",
    "refuse_unreadable",
    "write_target",
]

_SUFFIX = ".tflite"
_ELSEWHERE = "another name: -o FILE|DIR"


@dataclass(frozen=True, slots=True)
class Target:
    """One variant's file, and where it goes instead if it fails and ``--keep-failed`` is given."""

    path: str
    failed_path: str


def plan_targets(model: str, output: str | None, configs: Sequence[ConvertConfig], *, is_all: bool) -> list[Target]:
    """A name for every file: ``output``, or ``<stem>_<variant>.tflite`` in that folder, else beside the source."""
    is_folder = output is not None and (output.endswith(("/", os.sep)) or os.path.isdir(output))
    if is_all and output is not None and not is_folder and (os.path.isfile(output) or output.endswith(_SUFFIX)):
        raise click.UsageError(f'--all writes several files, so -o is a folder, not "{output}"')
    if output is not None and not is_folder and not is_all:
        return [_target(output)]
    source = Path(os.path.normpath(model))
    folder = source.parent if output is None else Path(output)
    stem = source.name if source.is_dir() else source.stem
    return [_target(str(folder / f"{stem}_{file_part(config)}{_SUFFIX}")) for config in configs]


def _target(path: str) -> Target:
    root, suffix = os.path.splitext(path)
    return Target(path, f"{root}.failed{suffix}")


def refuse_unreadable(model: str) -> None:
    """Raise MnError where there is no such file, now and not after TensorFlow has started."""
    from mninfer.model_file import read_model_bytes
    from mnmodels.keras_file.file_bytes import read_file_bytes

    if is_tflite(model):
        read_model_bytes(model)
    elif not os.path.isfile(os.path.join(model, "saved_model.pb")):
        read_file_bytes(model)


def refuse_targets(model: str, targets: Sequence[Target], *, force: bool, keeps_failed: bool) -> None:
    """Raise OutputError where a file exists and ``force`` is not given, or is the source, which is never replaced."""
    for target in targets:
        for path in (target.path, target.failed_path) if keeps_failed else (target.path,):
            refuse_source(model, path)
            refuse_existing(path, force=force, elsewhere=_ELSEWHERE)
            refuse_folder(path)


def refuse_source(model: str, path: str) -> None:
    """Raise OutputError where ``path`` is the file that is read."""
    if os.path.exists(path) and os.path.exists(model) and os.path.samefile(path, model):
        raise OutputError("this would write over the source", where=path, hints=_ELSEWHERE)


def refuse_folder(path: str) -> None:
    """Raise OutputError where no file can be written at ``path``, even if missing folders are made first."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        raise OutputError("a part of the path is not a folder", where=folder, hints=_ELSEWHERE)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError("the folder may not be written to", where=folder, hints=_ELSEWHERE)


def write_target(path: str, data: bytes, *, force: bool, elsewhere: str = _ELSEWHERE) -> None:
    """Write a file whole, making its folder where there is none."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder or ".", exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder: {error.strerror}", where=folder, hints=elsewhere) from error
    write_atomically(path, data, force=force, elsewhere=elsewhere)
