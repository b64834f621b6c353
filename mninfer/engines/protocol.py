"""What every engine offers, and what it is asked for."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mninfer.engines.cpu_quota import quota_cores
from mninfer.errors import UnsupportedModelError
from mninfer.limits import MOST_THREADS
from mninfer.tensors import TensorSpec

__all__ = [
    "Array",
    "DelegateCoverage",
    "Engine",
    "EngineConfig",
    "available_cores",
    "default_threads",
    "fix_shape",
    "tensor_dtype",
]

Array = npt.NDArray[Any]

# More threads than this don't help a MobileNet: the layers are too small to share out.
MOST_DEFAULT_THREADS = 4


@dataclass(frozen=True, slots=True)
class DelegateCoverage:
    """How many of the model's operators a delegate runs; None where the engine doesn't tell."""

    num_operators: int | None
    num_delegated: int | None
    delegate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """One request for an engine.

    ``input_shapes`` states whole shapes, one per input, where a file has none. ``use_xnnpack`` False runs the engine's
    own kernels on the CPU, to compare with.
    """

    threads: int
    delegate: str | None = None
    input_shapes: tuple[tuple[int, ...], ...] | None = None
    use_xnnpack: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= MOST_THREADS:
            raise ValueError(f"threads must be 1 or more, up to {MOST_THREADS}, not {self.threads}")
        if self.delegate == "":
            raise ValueError("delegate is empty: name a library, or leave it out")


class Engine(Protocol):
    """A model that is loaded and can run. Not for several threads at once: one engine per thread.

    It tells no times of single operators: the engines' Python interfaces have none to give. A whole run is what can be
    timed here; for operators there is TFLite's own ``benchmark_model --enable_op_profiling=true``.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def inputs(self) -> tuple[TensorSpec, ...]: ...
    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...
    @property
    def uses_xnnpack(self) -> bool:
        """Whether XNNPACK runs part of the model, of its integers where it has some: golden vectors are exact there."""

    @property
    def is_shareable(self) -> bool:
        """Whether several may be open at a time: not on a GPU or behind a delegate, whose device is one."""

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs for one array per input, in the model's order; they belong to the caller.

        Raises:
            EngineError: the engine failed, or an array doesn't fit its input.
        """

    def set_inputs(self, arrays: Sequence[Array]) -> None:
        """Put one array per input where the engine reads it: the first of the three steps of ``run``."""

    def invoke(self) -> None:
        """Compute, from the inputs that were set: what a benchmark times. Done when it returns."""

    def get_outputs(self) -> list[Array]:
        """What the last ``invoke`` computed, as ``run`` returns it."""

    def coverage(self) -> DelegateCoverage: ...
    def close(self) -> None: ...


def default_threads() -> int:
    """The cores that this process may use, four at most."""
    return min(MOST_DEFAULT_THREADS, available_cores())


def available_cores() -> int:
    """The cores that this process may use: ``taskset`` can leave fewer than the machine has, a container less time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, quota_cores() or cores)


def fix_shape(
    name: str, shape: tuple[int, ...], signature: tuple[int, ...], stated: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """The shape an input runs with: a batch that the file leaves open becomes 1, other open sizes are ``stated``.

    Raises:
        UnsupportedModelError: a size is open and not stated, or what is stated contradicts the file.
    """
    wanted = stated or _filled(shape, signature)
    if -1 in wanted:
        raise UnsupportedModelError(
            f'input "{name}" has no fixed size: {list(signature)}',
            hints=(
                "state it: mninfer.load(…, input_size=(WIDTH, HEIGHT)), --input-size WIDTHxHEIGHT",
                "convert the model again with a fixed input shape",
            ),
        )
    fits = len(wanted) == len(signature) and all(
        file in (-1, size) and size > 0 for file, size in zip(signature, wanted, strict=True)
    )
    if not fits:
        raise UnsupportedModelError(
            f'input "{name}" is {list(signature)}: it cannot run as {list(wanted)}',
            hints="leave the input size out" if -1 not in signature else "state a size that fits",
        )
    return wanted


def _filled(shape: tuple[int, ...], signature: tuple[int, ...]) -> tuple[int, ...]:
    """The signature, the batch set to 1, and the file's own sizes where it has some (writers put 1 for -1)."""
    filled = [size if signed < 0 and size > 1 else signed for signed, size in zip(signature, shape, strict=True)]
    if filled and signature[0] < 0:
        filled[0] = 1
    return tuple(filled)


def tensor_dtype(dtype: Any) -> str:
    """The name that numpy and the schema share."""
    return str(np.dtype(dtype).name)
