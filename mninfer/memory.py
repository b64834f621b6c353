"""Memory that is used again: the system hands out fresh pages one fault at a time, which costs more than what most
steps compute in them (600 faults, 1.3 ms, for a 500-pixel photo).
"""

import threading
from functools import cache
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Workspace", "keep_freed_buffers"]

LARGEST_KEPT_BYTES = 8 << 20


class Workspace(threading.local):
    """Arrays for what a computation needs on its way, the same memory again in each call of a thread.

    An array is good until the next one of its name, and must not be given out.
    """

    def __init__(self) -> None:
        self._buffers: dict[str, npt.NDArray[np.uint8]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of whatever values; above 8 MB it is one of its own."""
        dtype = np.dtype(dtype)
        num_bytes = prod(shape) * dtype.itemsize
        if num_bytes > LARGEST_KEPT_BYTES:
            return np.empty(shape, dtype)
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < num_bytes:
            buffer = self._buffers[name] = np.empty(num_bytes, np.uint8)
        return buffer[:num_bytes].view(dtype).reshape(shape)


@cache
def keep_freed_buffers() -> None:
    """Let the C library keep freed buffers of up to 8 MB for the next picture, instead of giving them back each time.

    Freeing one large block once raises the size from which glibc maps blocks afresh (mallopt(3), M_MMAP_THRESHOLD,
    "dynamic"). The block is never touched, so it costs no memory; elsewhere this does nothing.
    """
    np.empty(LARGEST_KEPT_BYTES, np.uint8)
