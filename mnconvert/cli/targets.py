"""Where files go: named and refused before any work, written whole or not at all after it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    "refuse_read",
    "refuse_source",
    "refuse_targets",
    "refuse_unreadable",
    "write_target",
    "written_paths",
]

_SUFFIX = ".tflite"
_ELSEWHERE = "another name: -o FILE|DIR"
_SAVED_MODEL = ("saved_model.pb", "keras_metadata.pb", "fingerprint.pb", "variables", "assets")
_READ = {
    "labels": "--labels", "calibrate": "--calibrate", "evaluate": "--evaluate", "classes_from": "--classes-from"
}  # fmt: skip


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
    if source.name in ("", ".."):  # a SavedModel by where it lies: "." and ".." are no names
        source = Path(os.path.abspath(model))
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
    for path in written_paths(targets, keeps_failed=keeps_failed):
        refuse_source(model, path)
        refuse_existing(path, force=force, elsewhere=_ELSEWHERE)
        refuse_folder(path)


def written_paths(targets: Sequence[Target], *, keeps_failed: bool) -> list[str]:
    """Where a model may be written."""
    return [path for each in targets for path in ((each.path, each.failed_path) if keeps_failed else (each.path,))]


def refuse_source(model: str, path: str) -> None:
    """Raise OutputError where ``path`` is the file that is read, or one of the SavedModel."""
    if _is_same(path, model) or (os.path.isdir(model) and os.path.isfile(path) and _is_within(path, model)):
        raise OutputError("this would write over the source", where=path, hints=_ELSEWHERE)


def refuse_read(options: Mapping[str, Any], paths: Sequence[str]) -> None:
    """Raise OutputError where one of ``paths`` is a file that an option reads: ``--force`` gives up outputs alone."""
    for name, option in _READ.items():
        for path in paths:
            if options[name] is not None and _is_same(path, options[name]):
                raise OutputError(f"this would write over what {option} reads", where=path, hints=_ELSEWHERE)


def _is_same(path: str, other: str) -> bool:
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def _is_within(path: str, folder: str) -> bool:
    """In a folder of a SavedModel that holds its parts; a file of ours beside these is another's."""
    parts = os.path.relpath(os.path.realpath(path), os.path.realpath(folder)).split(os.sep)
    return parts[0] in _SAVED_MODEL


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
