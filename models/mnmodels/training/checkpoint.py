"""Where a run stands, in one file: every variable of the model and the optimizer, the epoch and the log so far.

Written whole before the first epoch and after each, beside the old one and then over it: a kill at any time leaves a
whole one.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import RecipeError
from mninfer.files import read_regular_file, write_atomically
from mnmodels.training.averaging import WeightAverage
from mnmodels.training.batches import TrainingPictures

__all__ = ["CHECKPOINT_NAME", "Checkpoint", "data_facts", "read_checkpoint", "restore", "snapshot", "write_checkpoint"]

CHECKPOINT_NAME = "checkpoint.npz"
SCHEMA = 2
MAX_CHECKPOINT_BYTES = 8 << 30


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """``epoch`` epochs are done; ``rows`` is the log of each; ``arrays`` the variables, in the model's own order.

    ``data`` is what ``data_facts`` says of the pictures.
    """

    epoch: int
    recipe: Mapping[str, Any]
    data: Mapping[str, Any]
    rows: tuple[Mapping[str, float], ...]
    arrays: Mapping[str, NDArray[Any]]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the folder's checkpoint."""
    told = {
        "schema": SCHEMA,
        "epoch": checkpoint.epoch,
        "recipe": checkpoint.recipe,
        "data": checkpoint.data,
        "rows": [dict(row) for row in checkpoint.rows],
    }
    data = io.BytesIO()
    arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(told).encode(), np.uint8), **checkpoint.arrays}
    np.savez(data, **arrays)
    write_atomically(folder / CHECKPOINT_NAME, data.getvalue(), force=True)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read the folder's checkpoint. Raise RecipeError where there is none that can be read."""
    path = folder / CHECKPOINT_NAME
    try:
        arrays = _read_arrays(read_regular_file(path, MAX_CHECKPOINT_BYTES))
        told = json.loads(arrays.pop("about").tobytes())
        if told["schema"] != SCHEMA:
            raise ValueError(f"its schema is {told['schema']!r}, this mnkit reads {SCHEMA}")
        return Checkpoint(int(told["epoch"]), told["recipe"], told["data"], tuple(told["rows"]), arrays)
    except FileNotFoundError as error:
        raise RecipeError("there is nothing to resume", where=str(path), hints="leave --resume out to begin") from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, BadZipFile) as error:
        raise RecipeError(
            f"the checkpoint can't be read: {error}", where=str(path), hints="--force to begin again"
        ) from error


def data_facts(pictures: TrainingPictures, validation: TrainingPictures) -> Mapping[str, Any]:
    """What a resumed run has to have in common with its beginning: labels, and of each part the classes in their order.

    Pictures that were added, removed or split otherwise are noticed; other pixels in a file of the same name are not.
    """
    parts = {"training": pictures, "validation": validation}
    return {"labels": list(pictures.labels)} | {
        name: {
            "pictures": len(part),
            "classes": hashlib.sha256(np.asarray(part.classes, "<i8").tobytes()).hexdigest()[:12],
        }
        for name, part in parts.items()
    }


def snapshot(model: Any, average: WeightAverage | None) -> dict[str, NDArray[Any]]:
    """All that training changes, as arrays: of the model, of its optimizer, and the averaged weights."""
    arrays = {name: np.array(variable.numpy()) for name, variable in _variables(model)}
    if average:
        arrays |= {f"{_AVERAGE}{index:05d}": array for index, array in enumerate(average.arrays)}
        arrays[_UPDATES] = np.array(average.num_updates)
    return arrays


def restore(model: Any, average: WeightAverage | None, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Put ``snapshot``'s arrays back. Raise RecipeError where they belong to another network or optimizer."""
    variables = _variables(model)
    shapes = {name: tuple(variable.shape) for name, variable in variables}
    if average:
        shapes |= {f"{_AVERAGE}{index:05d}": array.shape for index, array in enumerate(average.arrays)} | {_UPDATES: ()}
    if shapes != {name: array.shape for name, array in arrays.items()}:
        raise RecipeError("the checkpoint is of another network or optimizer", hints="--force to begin again")
    for name, variable in variables:
        variable.assign(arrays[name])
    if average:
        averaged = [arrays[f"{_AVERAGE}{index:05d}"] for index in range(len(average.arrays))]
        average.restore(averaged, int(arrays[_UPDATES]))


def _read_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an uncompressed .npz; each is as large as its part of the file, whatever its header says."""
    arrays = {}
    with ZipFile(io.BytesIO(data)) as file:
        for member in file.infolist():
            if member.compress_type != ZIP_STORED or member.file_size > len(data):
                raise ValueError(f'"{member.filename}" is compressed')
            content = io.BytesIO(file.read(member))
            if np.lib.format.read_magic(content) != (1, 0):
                raise ValueError(f'"{member.filename}" is no array that was written here')
            shape, is_fortran, kind = np.lib.format.read_array_header_1_0(content)
            if kind.hasobject or is_fortran:
                raise ValueError(f'"{member.filename}" is no array that was written here')
            arrays[member.filename.removesuffix(".npy")] = np.frombuffer(content.read(), kind).reshape(shape)
    return arrays


_AVERAGE, _UPDATES = "average_", "num_updates"


def _variables(model: Any) -> Sequence[tuple[str, Any]]:
    """Names by place: Keras numbers its own names through the whole process, so that they differ after a restart."""
    return [
        (f"{kind}_{index:05d}", variable)
        for kind, variables in (("model", model.variables), ("optimizer", model.optimizer.variables))
        for index, variable in enumerate(variables)
    ]
