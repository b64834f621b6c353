"""A step on torch: operations one by one, as they are called; gradients by its autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.workloads.keras.network import Network, labels_for
from mnbench.workloads.keras.precision import asked_for, check_gpu_has
from mnbench.workloads.keras.step import Step, loss_and_norms
from mnbench.workloads.protocol import Array
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["check_device", "step_of"]


def check_device(cell: Cell) -> None:
    """Raise MissingDependencyError where the cell's device is not there, UnsupportedModelError where it is too old."""
    import torch

    if cell.device is Device.GPU:
        if not torch.cuda.is_available():
            raise MissingDependencyError("torch sees no GPU in this machine", hints="python -m pip install torch")
        check_gpu_has(cell.variant, torch.cuda.get_device_capability())


def step_of(network: Network, cell: Cell, pictures: Array) -> Step:
    """The cell's pass over ``pictures``, which lie on the device; gradients are all returned, and none is applied."""
    import torch

    is_gpu = cell.device is Device.GPU
    if cell.threads is not None:
        torch.set_num_threads(cell.threads)
    place = "cuda" if is_gpu else "cpu"
    labels = labels_for(len(pictures), network.num_classes)
    arguments = [torch.from_numpy(each).to(place) for each in (pictures, labels)]
    make, to_arrays = _PASSES[cell.work]
    function = make(network)

    def call() -> Any:
        try:
            result = function(*arguments)
            if is_gpu:
                torch.cuda.synchronize()
        except torch.cuda.OutOfMemoryError as error:
            raise EngineError(f"torch: {str(error).splitlines()[0]}") from error
        return result

    return Step(
        call=call, to_arrays=lambda result: to_arrays(network, result), facts=_facts(network, cell, is_gpu=is_gpu)
    )


def _forward(network: Network) -> Callable[[Any, Any], Any]:
    import torch

    def forward(pictures: Any, labels: Any) -> Any:
        with torch.no_grad():
            return network.model(pictures, training=False)

    return forward


def _forward_backward(network: Network) -> Callable[[Any, Any], Any]:
    import torch

    weights = [weight.value for weight in network.model.trainable_variables]

    def forward_backward(pictures: Any, labels: Any) -> Any:
        loss = network.loss(labels, network.model(pictures, training=True))
        return loss.detach(), torch.autograd.grad(loss, weights)

    return forward_backward


def _scores(network: Network, result: Any) -> tuple[Array, ...]:
    return (_array(result),)


def _loss_and_norms(network: Network, result: Any) -> tuple[Array, ...]:
    loss, gradients = result
    return loss_and_norms(_array(loss), [_array(each) for each in gradients], network.precision.loss_scale)


_PASSES = {Work.FORWARD: (_forward, _scores), Work.FORWARD_BACKWARD: (_forward_backward, _loss_and_norms)}


def _array(tensor: Any) -> Array:
    import torch

    return np.asarray(tensor.detach().to("cpu", torch.float32).numpy(), np.float32)


def _facts(network: Network, cell: Cell, *, is_gpu: bool) -> dict[str, Any]:
    import torch

    facts: dict[str, Any] = {
        "version": torch.__version__,
        "compiler": "none: operation by operation",
        "batch_norm": "Keras' own (both forms are the same on torch)",
        **asked_for(network.precision),
    }
    if is_gpu:
        facts["gpu"] = torch.cuda.get_device_name()
        if cell.variant is Variant.FLOAT32 and torch.backends.cudnn.allow_tf32:
            facts["precision"] = "float32, TF32 in convolutions where the GPU has it"
    return facts
