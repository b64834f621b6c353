"""Opens a training framework's workload: what can't be measured as its cell says is refused first."""

import os
import sys
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from mnbench.cell import Cell, Compiler, Device
from mnbench.job import Job
from mnbench.process_environment import (
    KERAS_BACKENDS,
    environment_of,
    instruction_set_note,
    supported_instruction_sets,
)
from mnbench.workloads.inputs import read_input
from mnbench.workloads.keras.network import Network, open_network
from mnbench.workloads.keras.precision import check_hardware_has, precision_of
from mnbench.workloads.keras.step import KerasWorkload, Step
from mnbench.workloads.protocol import Array
from mninfer.errors import EngineError, InputError, MissingDependencyError, UnsupportedModelError

__all__ = ["OpenBackend", "open_backend", "open_workload"]

_LIMITS = ("ONEDNN_MAX_CPU_ISA", "XLA_FLAGS", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS")


class OpenBackend:
    """A framework that has been started with a job's network on it: makes steps of any batch."""

    def __init__(self, job: Job, module: Any, network: Network, facts: dict[str, Any]) -> None:
        self.network = network
        self._cell = job.cell
        self._module = module
        self._facts = facts

    def step(self, pictures: Array) -> Step:
        """The cell's pass over these pictures, not run yet."""
        made: Step = self._module.step_of(self.network, self._cell, pictures)
        return Step(call=made.call, to_arrays=made.to_arrays, facts={**self._facts, **made.facts})


def open_workload(job: Job) -> KerasWorkload:
    """Start the cell's framework, load the network, compile the pass and run it once.

    Raises:
        MissingDependencyError: the framework isn't installed, or the device isn't there.
        UnsupportedModelError: the framework or the hardware has no such variant or compiler, or can't train the model.
        EngineError: the process wasn't started for this cell, or the framework fails.
    """
    if job.input is None:
        raise InputError(f"the job of {job.cell.key} names no input")
    pictures = read_input(job)
    backend = open_backend(job)
    if pictures.shape[1:] != backend.network.input_shape:
        raise InputError(
            f"the input is {list(pictures.shape)}, the model wants {['batch', *backend.network.input_shape]}",
            where=str(job.input),
        )
    return KerasWorkload(backend.step(pictures))


def open_backend(job: Job) -> OpenBackend:
    """Start the cell's framework and put the job's network on it; raises what ``open_workload`` does."""
    cell = job.cell
    flags = _cpu_flags()
    _check_process(cell)
    _check_compiler(cell)
    precision_of(cell.variant)
    if cell.device is Device.CPU:
        check_hardware_has(cell.variant, flags, cell.instruction_set)
    module = _start(cell)
    module.check_device(cell)
    return OpenBackend(job, module, open_network(job), _facts(cell, flags))


def _start(cell: Cell) -> Any:
    """Import the framework and Keras on it; the module that makes its steps."""
    if find_spec("mnmodels") is None:  # only what measures flatbuffers was carried here
        raise MissingDependencyError(
            "mnmodels is not installed, which a training framework's network needs",
            hints='python -m pip install ".[train]" in a checkout of mnkit',
        )
    from mnmodels.backend import start_keras

    backend = KERAS_BACKENDS[cell.engine]
    if backend != "tensorflow":
        _hide_tensorflow()
    start_keras(backend)
    module = import_module(f"mnbench.workloads.keras.on_{backend}")
    if backend == "jax" and (scratch := os.environ.get("MNBENCH_SCRATCH")):
        module.keep_programs(scratch, cell)
    return module


def _hide_tensorflow() -> None:
    """Keras on JAX imports TensorFlow where it finds it: ten seconds and half a gigabyte, which are not JAX's."""
    if "tensorflow" not in sys.modules:
        sys.modules["tensorflow"] = None  # type: ignore[assignment] # what Python takes for: not to be imported


def _check_process(cell: Cell) -> None:
    """Limits are read when a library is loaded: they must have been set when the process was started."""
    wanted = environment_of(cell)
    for name in _LIMITS:
        if name in wanted and wanted[name] not in os.environ.get(name, "").split():
            raise EngineError(
                f'{cell.key} wants {name}="{wanted[name]}", and this process has "{os.environ.get(name, "")}"',
                hints="start it with mnbench.process_environment.environment_of(cell)",
            )


def _check_compiler(cell: Cell) -> None:
    if cell.engine == "keras-jax" and cell.compiler is Compiler.GRAPH:
        raise UnsupportedModelError("JAX has no graph executor: XLA compiles all of it", hints='compiler "xla"')
    if cell.engine == "keras-torch" and cell.compiler is Compiler.XLA:
        raise UnsupportedModelError("torch is measured without XLA", hints='compiler "graph"')


def _cpu_flags() -> tuple[str, ...]:
    from mnbench.machine.cpu import read_cpu
    from mnbench.machine.host import Host

    return tuple(read_cpu(Host())["flags"])


def _facts(cell: Cell, flags: tuple[str, ...]) -> dict[str, Any]:
    facts: dict[str, Any] = {"keras_version": version("keras"), "threads": cell.threads}
    steps = supported_instruction_sets(flags)
    if cell.device is Device.CPU and (cell.instruction_set or steps):
        facts["instruction_set"] = str(cell.instruction_set or steps[-1])
    if note := instruction_set_note(cell):
        facts["instruction_set_note"] = note
    return facts
