"""One setting of the C library's allocator, made without its name: keep what a picture's buffers free."""

from functools import cache

import numpy as np

__all__ = ["keep_freed_buffers"]

LARGEST_KEPT_BYTES = 8 << 20


@cache
def keep_freed_buffers() -> None:
    """Let buffers of up to 8 MB be reused from picture to picture instead of going back to the system each time.

    glibc maps large blocks afresh, and the system hands their pages over one fault at a time: 600 faults, 1.3 ms, for
    each 500-pixel photo. Freeing one large block once raises the size from which it does so (mallopt(3),
    M_MMAP_THRESHOLD, "dynamic"). The block is never touched, so it costs no memory; elsewhere this does nothing.
    """
    np.empty(LARGEST_KEPT_BYTES, np.uint8)
