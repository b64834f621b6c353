"""The orientation tag of an EXIF block, wherever a format keeps one. A malformed block has none."""

import struct

__all__ = ["read_orientation"]

ORIENTATION_TAG = 274
SHORT = 3


def read_orientation(block: bytes) -> int:
    """1..8 from a TIFF-structured EXIF block (with or without its ``Exif`` prefix); 1 where there is none."""
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1
    try:
        (offset,) = struct.unpack_from(order + "I", block, 4)
        (num_entries,) = struct.unpack_from(order + "H", block, offset)
        for index in range(num_entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", block, offset + 2 + 12 * index)
            if tag == ORIENTATION_TAG:
                return value if kind == SHORT and 1 <= value <= 8 else 1
    except (struct.error, OverflowError):  # it points outside of itself: a broken block turns nothing
        pass
    return 1
