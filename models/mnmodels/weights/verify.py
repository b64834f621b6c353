"""Does the network compute with its new weights what their source does? In memory, before anything is written."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mninfer.errors import InputError, VerifyError

__all__ = ["LARGEST_DIFFERENCE", "Comparison", "check_finite", "compare_with_flatbuffer"]

LARGEST_DIFFERENCE = 1e-4  # of probabilities; float32 kernels of two engines differ by some 1e-6
_NUM_INPUTS = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """The largest ``difference`` of an output, and how far the source's own outputs ``spread`` from input to input."""

    difference: float
    spread: float

    @property
    def says_little(self) -> bool:
        """Whether outputs would agree with other weights, too: of an untrained net, or one that is always certain."""
        return self.spread < 10 * LARGEST_DIFFERENCE


def check_finite(model: Any, where: str) -> None:
    """Run the network once. Raise InputError where weights that are finite each make outputs that are not."""
    outputs = np.asarray(model(_inputs(model)[:1], training=False))
    if not np.isfinite(outputs).all():
        raise InputError("with these weights the network's outputs are not finite", where=where)


def compare_with_flatbuffer(model: Any, flatbuffer: bytes, where: str) -> Comparison:
    """Compare the model's outputs with those of the .tflite itself, run by mninfer's engine.

    Raise VerifyError if any differs by more than 1e-4. A .tflite that ends before its softmax is given one.
    """
    import mninfer

    inputs = _inputs(model)
    with mninfer.load(flatbuffer) as source:
        ends = {source.graph.tensors[index].index for index in source.graph.outputs}
        has_softmax = any(op.name == "SOFTMAX" and ends & set(op.outputs) for op in source.graph.operators)
        shape = source.spec.inputs[0].shape
        if len(source.spec.inputs) != 1 or tuple(shape[1:]) != tuple(inputs.shape[1:]):
            raise VerifyError(
                f"the model's input is {list(inputs.shape[1:])}, the file's {list(shape[1:])}",
                where=where,
                hints=f"--option input_shape={','.join(map(str, shape[1:]))}",
            )
        theirs = np.concatenate([source.run(each[None])[0].reshape(1, -1) for each in inputs])
    if not has_softmax:
        theirs = _softmax(theirs)
    ours = np.asarray(model(inputs, training=False)).reshape(len(inputs), -1)
    if ours.shape != theirs.shape:
        raise VerifyError(f"the model has {ours.shape[1]} outputs, the file {theirs.shape[1]}", where=where)
    difference = float(np.max(np.abs(ours - theirs)))
    if not difference <= LARGEST_DIFFERENCE:
        raise VerifyError(
            f"with these weights the outputs differ from the file's own by {difference:.3g}, more than 1e-4",
            report={"difference": difference},
            where=where,
            hints="another --arch or other options: the file's network is not this one",
        )
    return Comparison(difference, float(np.max(np.ptp(theirs, axis=0))))


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _inputs(model: Any) -> NDArray[np.float32]:
    """Noise that is the same each time, and one picture of large plain areas."""
    shape = (_NUM_INPUTS, *(size or 64 for size in model.input_shape[1:]))
    inputs = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    inputs[-1] = np.sign(np.linspace(-1, 1, shape[1], dtype=np.float32))[:, None, None]
    return inputs
