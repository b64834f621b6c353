"""A flatbuffer in one of mninfer's engines: what is timed is the bare invoke, its input set and quantized before.

Needs what mninfer needs, and nothing more: it runs with the base install.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mnbench.cell import Device
from mnbench.job import Job
from mnbench.workloads.inputs import quantize, read_input
from mnbench.workloads.protocol import Array
from mninfer.engines import open_engine
from mninfer.engines.protocol import Engine
from mninfer.errors import EngineError, InputError, UnsupportedModelError
from mninfer.loading import read_checked
from mninfer.postprocessing import dequantize

__all__ = ["FlatbufferWorkload", "open_workload"]


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


def _check_device(job: Job) -> None:
    """litert-gpu is the GPU's name among the engines; all others compute on the CPU."""
    if (job.cell.device is Device.GPU) != (job.cell.engine == "litert-gpu"):
        raise EngineError(
            f"engine {job.cell.engine} does not compute on the {job.cell.device}",
            hints='engine "litert-gpu" with device "gpu", and all others with "cpu"',
        )
