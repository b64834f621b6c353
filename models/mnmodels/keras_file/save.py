"""Write a Keras model to one file, whole or not at all, with labels and preprocessing inside."""

import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mninfer.errors import OutputError
from mninfer.files import refuse_existing, write_atomically
from mninfer.model_file import SourceContract
from mnmodels.keras_file.source_contract import with_contract

__all__ = ["SUFFIXES", "save_keras"]

SUFFIXES = (".keras", ".h5")
_BYTES_OF_A_NUMBER = 5  # four, and a fifth for whatever else the file has
_BYTES_OF_A_FILE = 4 << 20
_NO_ROOM = "make room there, or set TMPDIR to a folder of another disk"


def save_keras(
    model: Any, path: str | os.PathLike[str], *, contract: SourceContract | None = None, force: bool = False
) -> None:
    """Write ``model`` as Keras does, ``.keras`` or ``.h5`` by the name, with what its conversion should know.

    Raises:
        OutputError: another ending, the file exists already (``force`` replaces it), the disk is full, ...
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError(
            f'no Keras file is named "{Path(path).name}"', where=os.fspath(path), hints="a name in .keras or .h5"
        )
    refuse_existing(os.fspath(path), force=force)
    try:
        data = _keras_bytes(model, suffix)
    except OSError as error:
        raise OutputError(
            f"the model cannot be written: {error.strerror or error}", where=os.fspath(path), hints=_NO_ROOM
        ) from error
    write_atomically(path, data if contract is None else with_contract(data, contract), force=force)


def _keras_bytes(model: Any, suffix: str) -> bytes:
    """What Keras writes. Keras takes a path, so it gets one of its own; and it calls .h5 legacy, on every save."""
    from absl import logging

    verbosity = logging.get_verbosity()
    with tempfile.TemporaryDirectory() as folder:
        _check_room(model, folder)
        written = Path(folder) / f"model{suffix}"
        logging.set_verbosity(logging.ERROR)
        try:
            model.save(written)
        finally:
            logging.set_verbosity(verbosity)
        return written.read_bytes()


def _check_room(model: Any, folder: str) -> None:
    """HDF5's library ends the process where the disk gets full under it: told before it begins."""
    variables = [*model.variables, *getattr(getattr(model, "optimizer", None), "variables", ())]
    needed = _BYTES_OF_A_FILE + _BYTES_OF_A_NUMBER * sum(math.prod(variable.shape) for variable in variables)
    if (free := shutil.disk_usage(folder).free) < needed:
        raise OutputError(
            f"no room for the model: it takes up to {needed:,} bytes, and {free:,} are free",
            where=os.path.dirname(folder),
            hints=_NO_ROOM,
        )
