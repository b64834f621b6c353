"""What making and comparing golden vectors share: the engine's ``run``, a tensor's digest, distance."""

from collections.abc import Callable, Sequence

import numpy as np

from mninfer.model_file.golden.vector import Array
from mninfer.outputs import DetectionOutputs

__all__ = ["Run", "clearing", "difference", "tensor_digest"]

Run = Callable[[Sequence[Array]], list[Array]]
"""An engine's ``run``: one array per input to the outputs."""


def clearing(run: Run, detection: DetectionOutputs | None) -> Run:
    """``run`` with zeros in the rows beyond a detector's count: the operator leaves what the memory held before."""
    if detection is None:
        return run

    def run_and_clear(arrays: Sequence[Array]) -> list[Array]:
        outputs = [output.copy() for output in run(arrays)]
        count = max(0, int(outputs[detection.count].flat[0]))
        for index in (detection.boxes, detection.classes, detection.scores):
            outputs[index][:, count:] = 0
        return outputs

    return run_and_clear


def tensor_digest(array: Array) -> str:
    """sha256 of an array's little-endian bytes."""
    from hashlib import sha256

    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return sha256(little.tobytes()).hexdigest()


def difference(expected: Array, got: Array) -> float:
    """How far apart: the largest difference, or for indices (int32, int64, bool) the number of places that differ."""
    if expected.dtype.name in ("int32", "int64", "bool"):
        return float(np.count_nonzero(expected != got))
    if not expected.size:
        return 0.0
    apart = np.abs(expected.astype(np.float64) - got.astype(np.float64))
    return float(np.max(np.where(np.isnan(apart), np.inf, apart)))
