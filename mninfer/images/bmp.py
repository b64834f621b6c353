"""BMP: header, palette and rows inside the file. A fourth channel is padding in this format and is dropped."""

import struct

from mninfer.images.header import Format, Header, damaged, unsupported

__all__ = ["read_bmp"]

UNCOMPRESSED, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
DEPTHS = {UNCOMPRESSED: (1, 4, 8, 16, 24, 32), RLE8: (8,), RLE4: (4,), BITFIELDS: (16, 32), ALPHA_BITFIELDS: (16, 32)}
MAX_RUN = 255  # pixels that two bytes of run-length coding can stand for


def read_bmp(data: bytes) -> Header:
    """Read the header; InputError where the rows do not fit in the file."""
    if len(data) < 26:
        raise damaged(Format.BMP, f"cut off inside its header, {len(data):,} bytes long")
    start, header_size = struct.unpack_from("<II", data, 10)
    if header_size == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        compression = UNCOMPRESSED
    elif header_size in (40, 52, 56, 64, 108, 124) and len(data) >= 54:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise damaged(Format.BMP, f"a header of {header_size} bytes in a file of {len(data):,}")
    height = abs(height)  # negative: the first row is the top one
    if width <= 0 or height == 0:
        raise damaged(Format.BMP, f"its size is {width} x {height}")
    if depth not in DEPTHS.get(compression, ()):
        raise unsupported(Format.BMP, f"with {depth} bits per pixel and compression {compression}")
    _check_length(data, start, width, height, depth, is_run_length=compression in (RLE8, RLE4))
    return Header(format=Format.BMP, width=width, height=height, payload=data)


def _check_length(data: bytes, start: int, width: int, height: int, depth: int, *, is_run_length: bool) -> None:
    available = len(data) - start
    row_bytes = (width * depth + 31) // 32 * 4
    if is_run_length:
        if not data.endswith(b"\0\1") and b"\0\1" not in data[start:]:
            raise damaged(Format.BMP, f"cut off: no end mark in its {len(data):,} bytes")
        needed = -(-width * height // MAX_RUN) * 2 if width * height > 2**24 else 2
    else:
        needed = row_bytes * height
    if start < 14 or available < needed:
        raise damaged(
            Format.BMP, f"cut off: {width} x {height} pixels need {needed:,} bytes, {max(available, 0):,} are there"
        )
