"""The constants of a graph as arrays."""

import numpy as np
import numpy.typing as npt

from mninfer.model_file import Graph

__all__ = ["Constants"]


class Constants:
    """Read when asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def has(self, index: int) -> bool:
        return self.graph.tensors[index].data is not None

    def __getitem__(self, index: int) -> npt.NDArray[np.generic]:
        tensor = self.graph.tensors[index]
        if tensor.data is None:
            raise KeyError(index)
        return np.frombuffer(tensor.data, np.dtype(tensor.dtype).newbyteorder("<")).reshape(tensor.shape)

    def floats(self, index: int) -> npt.NDArray[np.float64]:
        return np.asarray(self[index], np.float64)

    def integers(self, index: int) -> tuple[int, ...]:
        return tuple(int(value) for value in self[index].ravel())
