"""A flatbuffer whose every activation is an output, and what runs it: the same kernels, nothing hidden.

An engine reuses the memory of activations that are no outputs. As outputs they are kept, by every engine and through
the same interface as any run; that a switch of the engines' own would do it, for debugging, isn't needed then.
"""

from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.engines import open_engine
from mninfer.model_file import Graph, Quantization, check_model, decode_model, encode_model, misread_by_xnnpack

__all__ = ["ActivationRunner", "activation_indices", "real_values", "stored_values", "visible_activations"]

Array = npt.NDArray[Any]


def activation_indices(graph: Graph) -> tuple[int, ...]:
    """The tensors that depend on the input and that operators write, in the operators' order.

    What follows from constants alone, as weights that are stored in float16, is none.
    """
    live = set(graph.inputs)
    written: list[int] = []
    for operator in graph.operators:
        if live.intersection(operator.inputs):
            live.update(operator.outputs)
            written += operator.outputs
    return tuple(written)


def visible_activations(flatbuffer: bytes) -> bytes:
    """The same model with all of ``activation_indices`` as its outputs, in that order.

    Raises:
        ModelFileError, UnsupportedModelError: it is no sound model, or one that can't be rewritten without loss.
    """
    graph = check_model(flatbuffer, allow_unlisted_ops=True)
    root = decode_model(flatbuffer)
    root["subgraphs"][0]["outputs"] = activation_indices(graph)
    root.pop("signature_defs", None)  # they name the outputs that were
    return encode_model(root)


def real_values(array: Array, quantization: Quantization | None) -> Array:
    """Integers of a tensor as the numbers that they stand for, in float32; what isn't quantized stays as it is."""
    if quantization is None or array.dtype.kind not in "iu":
        return array
    shape = [1] * array.ndim
    if quantization.is_per_channel:
        shape[quantization.dimension] = -1
    scales = np.array(quantization.scales).reshape(shape)
    zero_points = np.array(quantization.zero_points or (0,), np.int64).reshape(shape)
    real: Array = ((array.astype(np.int64) - zero_points) * scales).astype(np.float32)
    return real


def stored_values(real: Array, dtype: np.dtype[Any], quantization: Quantization | None) -> Array:
    """The inverse of ``real_values`` for a tensor of one scale: rounded half up, as preprocessing does, and clipped."""
    if quantization is None or dtype.kind not in "iu":
        return real.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    steps = np.floor(real.astype(np.float64) / quantization.scales[0] + 0.5) + (quantization.zero_points or (0,))[0]
    stored: Array = np.clip(steps, limits.min, limits.max).astype(dtype)
    return stored


class ActivationRunner:
    """A model with one input, opened so that a run gives every activation; to be closed, or used in a ``with``.

    ``graph`` is that of the model given: its indices are the keys of what ``run`` gives.
    """

    def __init__(self, flatbuffer: bytes, *, engine: str = "auto", threads: int | None = None) -> None:
        self.graph = check_model(flatbuffer, allow_unlisted_ops=True)
        self.indices = activation_indices(self.graph)
        if len(self.graph.inputs) != 1:
            raise ValueError(f"activations are for models with one input, not {len(self.graph.inputs)}")
        self._engine = open_engine(
            visible_activations(flatbuffer),
            engine=engine,
            threads=threads,
            use_xnnpack=misread_by_xnnpack(self.graph) is None,
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """With a batch that the file leaves open as 1."""
        return self._engine.inputs[0].shape

    @property
    def input_dtype(self) -> np.dtype[Any]:
        return np.dtype(self._engine.inputs[0].dtype)

    def run(self, tensor: Array) -> Mapping[int, Array]:
        """Every activation by its index, the input among them, as the model computes it; they belong to the caller."""
        outputs = self._engine.run([tensor])
        return MappingProxyType({self.graph.inputs[0]: tensor, **dict(zip(self.indices, outputs, strict=True))})

    def run_real(self, tensor: Array) -> Mapping[int, Array]:
        """As ``run``, integers as the numbers that they stand for; a float ``tensor`` is stored as the input is."""
        tensors, first = self.graph.tensors, self.graph.inputs[0]
        is_real = tensor.dtype.kind == "f"
        found = self.run(stored_values(tensor, self.input_dtype, tensors[first].quantization) if is_real else tensor)
        return MappingProxyType({i: real_values(array, tensors[i].quantization) for i, array in found.items()})

    def close(self) -> None:
        """Free the engine's memory now."""
        self._engine.close()

    def __enter__(self) -> "ActivationRunner":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
