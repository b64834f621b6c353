"""A step on TensorFlow: one tf.function, by the graph executor and its oneDNN kernels, or compiled by XLA."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mnbench.cell import Cell, Compiler, Device, Variant, Work
from mnbench.workloads.keras.compiled_types import precision_in_effect
from mnbench.workloads.keras.network import Network, labels_for
from mnbench.workloads.keras.precision import asked_for, check_gpu_has
from mnbench.workloads.keras.step import Step, loss_and_norms
from mnbench.workloads.protocol import Array
from mninfer.errors import EngineError, MissingDependencyError

__all__ = ["check_device", "step_of"]


def check_device(cell: Cell) -> None:
    """Raise MissingDependencyError where the cell's device is not there, UnsupportedModelError where it is too old."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if cell.device is Device.GPU:
        if not gpus:
            raise MissingDependencyError(
                "TensorFlow sees no GPU in this machine", hints='python -m pip install "tensorflow[and-cuda]"'
            )
        check_gpu_has(cell.variant, tf.config.experimental.get_device_details(gpus[0]).get("compute_capability"))


def step_of(network: Network, cell: Cell, pictures: Array) -> Step:
    """The cell's pass over ``pictures``, which lie on the device; gradients are all returned, and none is applied."""
    import tensorflow as tf

    place = "/GPU:0" if cell.device is Device.GPU else "/CPU:0"
    with tf.device(place):
        arguments = [tf.constant(pictures), tf.constant(labels_for(len(pictures), network.num_classes))]
    make, to_arrays = _PASSES[cell.work]
    function = tf.function(make(network), jit_compile=cell.compiler is Compiler.XLA, autograph=False)

    def call() -> Any:
        with tf.device(place):
            result = function(*arguments)
        if cell.device is Device.GPU:
            tf.test.experimental.sync_devices()  # on a CPU a function has ended when it returns
        return result

    return Step(
        call=_named_errors(call),
        to_arrays=lambda result: to_arrays(network, result),
        facts=_facts(network, cell, function, arguments),
    )


def _forward(network: Network) -> Callable[[Any, Any], Any]:
    def forward(pictures: Any, labels: Any) -> Any:
        return network.model(pictures, training=False)

    return forward


def _forward_backward(network: Network) -> Callable[[Any, Any], Any]:
    import tensorflow as tf

    weights = [weight.value for weight in network.model.trainable_variables]

    def forward_backward(pictures: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = network.loss(labels, network.model(pictures, training=True))
        return loss, tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return forward_backward


def _scores(network: Network, result: Any) -> tuple[Array, ...]:
    import tensorflow as tf

    return (np.asarray(tf.cast(result, tf.float32)),)


def _loss_and_norms(network: Network, result: Any) -> tuple[Array, ...]:
    loss, gradients = result
    return loss_and_norms(loss.numpy(), [each.numpy() for each in gradients], network.precision.loss_scale)


_PASSES = {Work.FORWARD: (_forward, _scores), Work.FORWARD_BACKWARD: (_forward_backward, _loss_and_norms)}


def _named_errors(call: Callable[[], Any]) -> Callable[[], Any]:
    """The first call compiles, and takes the memory: what fails then is the engine's word."""
    import tensorflow as tf

    def named() -> Any:
        try:
            return call()
        except tf.errors.OpError as error:
            raise EngineError(f"TensorFlow: {(error.message or 'no reason given').splitlines()[0]}") from error

    return named


def _facts(network: Network, cell: Cell, function: Any, arguments: list[Any]) -> dict[str, Any]:
    import tensorflow as tf

    facts: dict[str, Any] = {
        "version": tf.__version__,
        "compiler": str(cell.compiler or Compiler.GRAPH),
        "batch_norm": f"{network.batch_norm} (FusedBatchNormV3)" if network.batch_norm == "fused" else "composed",
        **asked_for(network.precision),
    }
    if cell.device is Device.GPU:
        facts |= _gpu_facts(cell)
    elif cell.compiler is not Compiler.XLA:
        facts["onednn"] = _has_onednn()
    elif cell.variant is not Variant.FLOAT32:
        program = function.experimental_get_compiler_ir(*arguments)(stage="optimized_hlo")
        facts |= precision_in_effect(network.precision, program)
    return facts


def _has_onednn() -> bool | None:
    """TensorFlow's own word: its default depends on the system and the CPU. None where a version has another way."""
    try:
        from tensorflow.python.util import _pywrap_util_port

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):
        return None


def _gpu_facts(cell: Cell) -> dict[str, Any]:
    import tensorflow as tf

    details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
    is_tf32 = cell.variant is Variant.FLOAT32 and tf.config.experimental.tensor_float_32_execution_enabled()
    facts = {"gpu": details.get("device_name", "")}
    return facts | ({"precision": "float32, TF32 where the GPU has it"} if is_tf32 else {})
