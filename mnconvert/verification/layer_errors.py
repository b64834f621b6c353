"""Where a quantized file loses its signal: each activation of it against the float file's, in dB.

The int8 file's operators are the float file's, one by one, but for QUANTIZE and DEQUANTIZE.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnconvert.calibration.visible import ActivationRunner
from mnconvert.verification.fidelity import decibel
from mnconvert.verification.pictures import PicturePreparer
from mninfer.model_file import Graph, Operator, macs_by_operator, read_model
from mninfer.preprocessing import PreprocessSpec

__all__ = ["LayerError", "as_batch", "matching_operators", "sqnr_by_operator"]

Array = npt.NDArray[Any]
_COPIES = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerError:
    """One operator's output. ``operator`` is its index in the float file, ``name`` its output's there.

    ``std`` and ``bias`` are the float output's deviation and the mean error, so that a shift shows apart from noise.
    """

    operator: int
    kind: str
    name: str
    sqnr_db: float
    std: float
    bias: float
    macs: int

    def to_json(self) -> dict[str, Any]:
        return {
            "operator": self.operator,
            "kind": self.kind,
            "name": self.name,
            "sqnr_db": round(self.sqnr_db, 2),
            "std": float(f"{self.std:.4g}"),
            "bias": float(f"{self.bias:.4g}"),
            "macs": self.macs,
        }


def sqnr_by_operator(
    float_flatbuffer: bytes, quantized: bytes, *, preprocess: PreprocessSpec, pictures: Iterable[Array]
) -> tuple[LayerError, ...]:
    """Run both files, every activation visible, on ``pictures``; as for ``verify``. A handful tells enough.

    Raises:
        ValueError: the files are not of one network, or there is no picture.
    """
    recorded = read_model(quantized, where="the quantized file", allow_unlisted_ops=True).preprocess
    with ActivationRunner(float_flatbuffer) as wanted, ActivationRunner(quantized) as found:
        pairs = matching_operators(wanted.graph, found.graph)
        sums = [_Sums() for _ in pairs]
        tensor = found.graph.tensors[found.graph.inputs[0]].spec(found.input_shape)
        prepare = PicturePreparer(tensor, recorded=recorded or preprocess, preprocess=preprocess)
        for picture in pictures:
            stored, real = prepare(picture)
            floats, integers = wanted.run_real(as_batch(real, wanted)), found.run_real(as_batch(stored, found))
            for each, (left, right) in zip(sums, pairs, strict=True):
                each.add(floats[left.outputs[0]], integers[right.outputs[0]])
        macs = macs_by_operator(wanted.graph)
        return tuple(
            each.result(operator, wanted.graph, macs[operator.index])
            for each, (operator, _) in zip(sums, pairs, strict=True)
        )


def as_batch(tensor: Array, runner: ActivationRunner) -> Array:
    """One picture as often as the file's batch takes it."""
    return np.repeat(tensor, runner.input_shape[0], axis=0)


class _Sums:
    """One activation's sums over all pictures."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = self._squares = self._errors = self._error_squares = 0.0

    def add(self, wanted: Array, found: Array) -> None:
        if wanted.size != found.size:
            raise ValueError(f"activations of {list(wanted.shape)} and {list(found.shape)} cannot be compared")
        real = wanted.ravel().astype(np.float64)
        error = found.ravel().astype(np.float64) - real
        self._count += real.size
        self._sum += float(real.sum())
        self._squares += float(real @ real)
        self._errors += float(error.sum())
        self._error_squares += float(error @ error)

    def result(self, operator: Operator, graph: Graph, macs: int) -> LayerError:
        if not self._count:
            raise ValueError("nothing was measured: there is no picture")
        mean = self._sum / self._count
        return LayerError(
            operator=operator.index,
            kind=operator.name,
            name=graph.tensors[operator.outputs[0]].name,
            sqnr_db=float(decibel(self._squares, self._error_squares)),
            std=float(np.sqrt(max(self._squares / self._count - mean * mean, 0.0))),
            bias=self._errors / self._count,
            macs=macs,
        )


def matching_operators(wanted: Graph, found: Graph) -> list[tuple[Operator, Operator]]:
    """The operators that compute, of both files, in their order.

    Raises:
        ValueError: the files are not of one network.
    """
    left, right = _computing(wanted), _computing(found)
    if [operator.name for operator in left] != [operator.name for operator in right]:
        raise ValueError("the files are not of one network: their operators differ")
    return list(zip(left, right, strict=True))


def _computing(graph: Graph) -> list[Operator]:
    """All but copies, and but what follows from constants alone."""
    live = set(graph.inputs)
    found = []
    for operator in graph.operators:
        if live.intersection(operator.inputs):
            live.update(operator.outputs)
            if operator.name not in _COPIES:
                found.append(operator)
    return found
