"""The one input of all engines: read from the job's file, and made what a tensor takes.

Peers' environments import this: the standard library, numpy and mninfer.
"""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from mnbench.job import Job
from mnbench.workloads.protocol import Array
from mninfer.errors import InputError, UnsupportedModelError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file
from mninfer.tensors import TensorSpec

__all__ = ["quantize", "read_input"]

_MOST_INPUT_BYTES = 1 << 30
_NUM_COLORS = 3


def read_input(job: Job) -> Array:
    """The job's pictures: float32 [batch, height, width, 3], as many as the cell's batch.

    Raises:
        InputError: there is no such file, it is no array of that kind, or holds another number of pictures.
    """
    pictures = _load_array(str(job.input))
    if pictures.dtype != np.float32 or pictures.ndim != 4 or pictures.shape[3] != _NUM_COLORS:
        raise InputError(
            f"the input is {pictures.dtype}{list(pictures.shape)}, not float32[batch, height, width, 3]",
            where=str(job.input),
        )
    if len(pictures) != job.cell.batch:
        raise InputError(
            f"the input holds {len(pictures)} pictures, the cell's batch is {job.cell.batch}", where=str(job.input)
        )
    return np.ascontiguousarray(pictures)


def quantize(pictures: Array, tensor: TensorSpec) -> npt.NDArray[Any]:
    """The pictures as ``tensor`` wants them: real = (quantized - zero point) * scale, to nearest, clipped.

    Raises:
        UnsupportedModelError: an input of another kind than a picture has, or quantized without saying how.
    """
    dtype = np.dtype(tensor.dtype)
    if dtype.kind == "f":
        return pictures.astype(dtype, copy=False)
    if dtype.kind not in "iu" or tensor.quantization is None:
        raise UnsupportedModelError(
            f'input "{tensor.name}" is {tensor.dtype} without quantization: a normalized picture does not fit it'
        )
    limits = np.iinfo(dtype)
    steps = np.floor(pictures / np.float64(tensor.quantization.scales[0]) + 0.5) + tensor.quantization.zero_points[0]
    return np.asarray(np.clip(steps, limits.min, limits.max), dtype)


def _load_array(path: str) -> npt.NDArray[Any]:
    try:
        data = read_regular_file(path, _MOST_INPUT_BYTES)
        return np.asarray(np.load(BytesIO(data), allow_pickle=False))
    except (NotRegularFileError, FileTooLargeError, OSError, ValueError, EOFError) as error:
        raise InputError(f"the input can't be read: {' '.join(str(error).split())}", where=path) from error
