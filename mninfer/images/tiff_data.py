"""Whether a strip or tile of a TIFF is whole: OpenCV shows whatever libtiff had before an error.

Deflated data are inflated and their checksum compared, run lengths are added up, LZW data must end in their end code.
LZW has no checksum, and libtiff's complaint about an impossible code does not reach us through OpenCV: a byte changed
in the middle of LZW data stays unnoticed.
"""

import zlib
from collections.abc import Callable

from mninfer.errors import InputError
from mninfer.images.header import Format, damaged

__all__ = ["COMPRESSIONS", "check_piece"]

PART_BYTES = 1 << 20
LZW_END = 257


def check_piece(compression: int, data: memoryview, expected: int) -> None:
    """InputError where ``data`` cannot give ``expected`` bytes."""
    COMPRESSIONS[compression](data, expected)


def _check_plain(data: memoryview, expected: int) -> None:
    if len(data) < expected:
        raise _short(len(data), expected)


def _check_deflated(data: memoryview, expected: int) -> None:
    inflater, total, rest = zlib.decompressobj(), 0, bytes(data)
    try:
        while not inflater.eof and total <= expected:
            part = inflater.decompress(rest, PART_BYTES)
            total, rest = total + len(part), inflater.unconsumed_tail
            if not part and not rest and not inflater.eof:
                break
    except zlib.error as error:
        raise damaged(Format.TIFF, f"its deflated data do not inflate ({error})") from error
    if total < expected or not inflater.eof:
        raise _short(total, expected)


def _check_run_lengths(data: memoryview, expected: int) -> None:
    position, total, size = 0, 0, len(data)
    if size > 2 * expected + PART_BYTES:  # the worst case is one byte in 128 more than the pixels
        raise damaged(Format.TIFF, f"{size:,} bytes of run lengths for {expected:,} bytes of pixels")
    while position < size and total < expected:
        head = data[position]
        if head < 128:  # so many bytes, and one more, as they are
            position, total = position + head + 2, total + head + 1
        else:  # one byte repeated; 128 means nothing
            position, total = position + (2 if head > 128 else 1), total + (257 - head if head > 128 else 0)
    if position > size or total < expected:
        raise _short(total, expected)


def _check_lzw(data: memoryview, expected: int) -> None:
    tail = int.from_bytes(data[-4:], "big")
    widths, paddings = range(9, 13), range(8)
    is_ended = any(tail >> pad & (1 << width) - 1 == LZW_END for width in widths for pad in paddings)
    if len(data) < 2 or (not is_ended and any(data[-1:])):
        raise damaged(Format.TIFF, f"its LZW data for {expected:,} bytes have no end code")


COMPRESSIONS: dict[int, Callable[[memoryview, int], None]] = {
    1: _check_plain,
    5: _check_lzw,
    8: _check_deflated,
    32946: _check_deflated,  # its number before it was registered
    32773: _check_run_lengths,
}


def _short(found: int, expected: int) -> InputError:
    return damaged(Format.TIFF, f"cut off: {found:,} bytes of pixels where {expected:,} belong")
