"""GIF: the block structure up to the end of the first frame, which is all that is decoded (GIF89a specification)."""

import struct

from mninfer.images.header import Format, Header, damaged

__all__ = ["read_gif"]

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
GRAPHIC_CONTROL = 0xF9


def read_gif(data: bytes) -> Header:
    """Read the canvas and the first frame; ``payload`` is a still GIF of just that frame."""
    if len(data) < 13:
        raise damaged(Format.GIF, f"cut off inside its header, {len(data):,} bytes long")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    if not width or not height:
        raise damaged(Format.GIF, f"its size is {width} x {height}")
    start = 13 + _table_bytes(flags)
    control, position = b"", start
    while True:
        kind = _byte(data, position)
        if kind == IMAGE:
            break
        if kind != EXTENSION:
            raise damaged(Format.GIF, "it has no picture" if kind == TRAILER else f"no block at byte {position:,}")
        end = _skip_blocks(data, position + 2)
        if _byte(data, position + 1) == GRAPHIC_CONTROL:
            control = data[position:end]
        position = end
    end = _check_frame(data, position, width, height)
    return Header(
        format=Format.GIF,
        width=width,
        height=height,
        payload=data[:start] + control + data[position:end] + bytes([TRAILER]),
        num_channels=4,
        has_alpha=True,
        decoder_bytes=width * height * 5,
    )


def _check_frame(data: bytes, position: int, width: int, height: int) -> int:
    """The position after the frame's data; the frame must lie on the canvas."""
    if position + 11 > len(data):
        raise damaged(Format.GIF, f"cut off inside its first frame, {len(data):,} bytes long")
    left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, position + 1)
    if not frame_width or not frame_height or left + frame_width > width or top + frame_height > height:
        raise damaged(Format.GIF, f"a frame of {frame_width} x {frame_height} at {left}, {top} on {width} x {height}")
    if not 1 <= _byte(data, position + 10 + _table_bytes(flags)) <= 8:
        raise damaged(Format.GIF, "an impossible code size")
    return _skip_blocks(data, position + 11 + _table_bytes(flags))


def _table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_blocks(data: bytes, position: int) -> int:
    """The position after a row of sub-blocks and the empty one that ends it."""
    while size := _byte(data, position):
        position += size + 1
    return position + 1


def _byte(data: bytes, position: int) -> int:
    if position >= len(data):
        raise damaged(Format.GIF, f"cut off, {len(data):,} bytes long")
    return data[position]
