"""A step on JAX: Keras' stateless call, compiled by XLA ahead of time; weights are arguments, not constants of it.

Everything that a pass computes is returned and waited for, moving statistics too: what nobody asks for, XLA leaves out.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.workloads.keras.compiled_types import precision_in_effect
from mnbench.workloads.keras.network import Network, labels_for
from mnbench.workloads.keras.precision import asked_for, check_gpu_has
from mnbench.workloads.keras.step import Step, loss_and_norms
from mnbench.workloads.protocol import Array
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["check_device", "keep_programs", "step_of"]

_TF32_BEGINS = (8, 0)


def check_device(cell: Cell) -> None:
    """Raise MissingDependencyError where the cell's device is not there, UnsupportedModelError where it is too old."""
    device = _device(cell.device)
    if cell.device is Device.GPU:
        check_gpu_has(cell.variant, _capability(device))


def keep_programs(scratch: str, cell: Cell) -> None:
    """Let the next process of the same cell find what this one compiles, in a folder of the cell's own.

    Of its own: what XLA makes depends on threads and instruction sets, which the cache's keys may not tell apart.
    """
    import jax

    folder = Path(scratch) / "jax" / hashlib.sha256(cell.key.encode()).hexdigest()[:16]
    jax.config.update("jax_compilation_cache_dir", os.fspath(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def step_of(network: Network, cell: Cell, pictures: Array) -> Step:
    """The cell's pass over ``pictures``, which lie on the device; gradients are all returned, and none is applied."""
    import jax

    device = _device(cell.device)
    model = network.model
    arguments = jax.device_put(
        (
            [weight.value for weight in model.trainable_variables],
            [weight.value for weight in model.non_trainable_variables],
            pictures,
            labels_for(len(pictures), network.num_classes),
        ),
        device,
    )
    make, to_arrays = _PASSES[cell.work]
    program = _named_errors(lambda: jax.jit(make(network)).lower(*arguments).compile())()
    return Step(
        call=_named_errors(lambda: jax.block_until_ready(program(*arguments))),
        to_arrays=lambda result: to_arrays(network, result),
        facts=_facts(network, cell, program.as_text() or "", device),
    )


def _forward(network: Network) -> Callable[..., Any]:
    def forward(weights: Any, state: Any, pictures: Any, labels: Any) -> Any:
        return network.model.stateless_call(weights, state, pictures, training=False)[0]

    return forward


def _forward_backward(network: Network) -> Callable[..., Any]:
    import jax

    def loss(weights: Any, state: Any, pictures: Any, labels: Any) -> Any:
        outputs, new_state = network.model.stateless_call(weights, state, pictures, training=True)
        return network.loss(labels, outputs), new_state

    differentiated: Callable[..., Any] = jax.value_and_grad(loss, has_aux=True)
    return differentiated


def _scores(network: Network, result: Any) -> tuple[Array, ...]:
    return (np.asarray(result, np.float32),)


def _loss_and_norms(network: Network, result: Any) -> tuple[Array, ...]:
    (loss, _), gradients = result
    return loss_and_norms(np.asarray(loss), gradients, network.precision.loss_scale)


_PASSES = {Work.FORWARD: (_forward, _scores), Work.FORWARD_BACKWARD: (_forward_backward, _loss_and_norms)}


def _named_errors(call: Callable[[], Any]) -> Callable[[], Any]:
    """Compiling may fail, and the first call takes the memory: what fails then is the engine's word."""
    import jax

    def named() -> Any:
        try:
            return call()
        except jax.errors.JaxRuntimeError as error:
            raise EngineError(f"JAX: {str(error).splitlines()[0]}") from error

    return named


def _device(device: Device) -> Any:
    import jax

    try:
        return jax.devices(str(device))[0]
    except RuntimeError as error:  # what JAX says of a platform that isn't there
        raise MissingDependencyError(
            f"JAX sees no {device.upper()} in this machine", hints='python -m pip install "jax[cuda12]"'
        ) from error


def _capability(device: Any) -> tuple[int, int] | None:
    told = str(getattr(device, "compute_capability", "")).split(".")
    return (int(told[0]), int(told[1])) if len(told) == 2 and all(part.isdecimal() for part in told) else None


def _facts(network: Network, cell: Cell, program: str, device: Any) -> dict[str, Any]:
    import jax

    facts: dict[str, Any] = {
        "version": jax.__version__,
        "compiler": "xla",
        "batch_norm": "composed (on JAX both forms are: XLA fuses it)",
    }
    if cell.device is Device.CPU:
        return facts | precision_in_effect(network.precision, program)
    capability = _capability(device)
    is_tf32 = cell.variant is Variant.FLOAT32 and capability is not None and capability >= _TF32_BEGINS
    facts |= {"gpu": device.device_kind, **asked_for(network.precision)}  # of products that are calls of cuDNN
    return facts | ({"precision": "float32, TF32 in convolutions (JAX's default)"} if is_tf32 else {})
