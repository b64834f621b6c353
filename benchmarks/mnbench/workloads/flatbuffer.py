"""A flatbuffer in one of mninfer's engines: what is timed is the bare invoke, its input set and quantized before.

Needs what mninfer needs, and nothing more: it runs with the base install.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mnbench.cell import Device
from mnbench.job import Job
from mnbench.workloads.protocol import Array
from mninfer.engines import open_engine
from mninfer.engines.protocol import Engine
from mninfer.errors import EngineError, InputError, UnsupportedModelError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file
from mninfer.loading import read_checked
from mninfer.postprocessing import dequantize
from mninfer.tensors import TensorSpec

__all__ = ["FlatbufferWorkload", "open_workload", "quantize", "read_input"]

_MOST_INPUT_BYTES = 1 << 30
_NUM_COLORS = 3


def open_workload(job: Job) -> "FlatbufferWorkload":
    """Check the job's file as mninfer does, give it to the engine that the cell names, and set the input.

    Raises:
        MissingDependencyError: the engine isn't installed.
        EngineError: it refuses the model.
        UnsupportedModelError: the file can't run at the cell's batch.
    """
    if job.file is None or job.input is None:
        raise InputError(f"the job of {job.cell.key} names no model file, or no input")
    _check_device(job)
    pictures = read_input(job)
    file = read_checked(str(job.file))
    if len(file.graph.inputs) != 1:
        raise UnsupportedModelError(
            f"the model has {len(file.graph.inputs)} inputs, a picture is one", where=str(job.file)
        )
    cell = job.cell
    engine = open_engine(
        file.data,
        engine=cell.engine,
        threads=cell.threads,
        input_shapes=(pictures.shape,),
        use_xnnpack=cell.use_xnnpack,
    )
    return FlatbufferWorkload(engine, pictures, threads=cell.threads)


class FlatbufferWorkload:
    """An engine with its input in place; ``run`` is one call of its invoke."""

    def __init__(self, engine: Engine, pictures: Array, *, threads: int | None) -> None:
        self._engine = engine
        self._threads = threads
        engine.set_inputs([quantize(pictures, engine.inputs[0])])
        self._invoke = engine.invoke

    def run(self) -> None:
        self._invoke()

    def parts_ns(self) -> Mapping[str, int]:
        """No parts: an invoke is one."""
        return {}

    def outputs(self) -> Sequence[Array]:
        """Every output of the last run, dequantized."""
        specs = self._engine.outputs
        return [
            np.asarray(dequantize(array, spec.quantization), np.float32)
            for array, spec in zip(self._engine.get_outputs(), specs, strict=True)
        ]

    def facts(self) -> Mapping[str, Any]:
        coverage = self._engine.coverage()
        return {
            "version": self._engine.version,
            "threads": self._threads,
            "xnnpack": self._engine.uses_xnnpack,
            "coverage": {
                "num_operators": coverage.num_operators,
                "num_delegated": coverage.num_delegated,
                "delegate": coverage.delegate,
            },
            "input_dtype": self._engine.inputs[0].dtype,
        }

    def close(self) -> None:
        self._engine.close()


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
    from io import BytesIO

    try:
        data = read_regular_file(path, _MOST_INPUT_BYTES)
        return np.asarray(np.load(BytesIO(data), allow_pickle=False))
    except (NotRegularFileError, FileTooLargeError, OSError, ValueError, EOFError) as error:
        raise InputError(f"the input can't be read: {' '.join(str(error).split())}", where=path) from error


def _check_device(job: Job) -> None:
    """litert-gpu is the GPU's name among the engines; all others compute on the CPU."""
    if (job.cell.device is Device.GPU) != (job.cell.engine == "litert-gpu"):
        raise EngineError(
            f"engine {job.cell.engine} does not compute on the {job.cell.device}",
            hints='engine "litert-gpu" with device "gpu", and all others with "cpu"',
        )
