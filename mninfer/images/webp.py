"""WebP: RIFF chunks, dimensions, orientation, the first frame of an animation (RFC 9649).

The format has no checksum: a byte changed inside the picture data that still decodes cannot be noticed by anybody.
"""

import struct
from collections.abc import Iterator

from mninfer.images.exif import read_orientation
from mninfer.images.header import Format, Header, damaged, unsupported

__all__ = ["read_webp"]

ALPHA_FLAG = 0x10
KNOWN = (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"EXIF")


def read_webp(data: bytes) -> Header:
    """Read the header; InputError where a chunk reaches out of the file."""
    size = int.from_bytes(data[4:8], "little") + 8
    if size > len(data) or size < 20:
        raise damaged(Format.WEBP, f"cut off: it says {size:,} bytes and has {len(data):,}")
    chunks: dict[bytes, bytes] = {}
    for name, body in _walk(data, 12, size):
        if name in KNOWN:
            chunks.setdefault(name, body)
    if b"ANMF" in chunks:
        chunks = _first_frame(chunks)
        payload = _riff(chunks)
    else:
        payload = data if size == len(data) else data[:size]
    width, height, has_alpha = _read_size(chunks)
    return Header(
        format=Format.WEBP,
        width=width,
        height=height,
        payload=payload,
        orientation=read_orientation(chunks.get(b"EXIF", b"")),
        num_channels=4 if has_alpha else 3,
        has_alpha=has_alpha,
        decoder_bytes=width * height * (8 if b"VP8L" in chunks else 4),
    )


def _walk(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    while position + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > end:
            raise damaged(Format.WEBP, f"its {name!r} chunk reaches past its end")
        yield name, data[position + 8 : position + 8 + length]
        position += 8 + length + (length & 1)


def _read_size(chunks: dict[bytes, bytes]) -> tuple[int, int, bool]:
    """(width, height, has_alpha), from the picture data; the canvas of an extended file must agree."""
    if lossy := chunks.get(b"VP8 "):
        if len(lossy) < 10 or lossy[3:6] != b"\x9d\x01\x2a" or lossy[0] & 1:
            raise damaged(Format.WEBP, "no key frame at the start of its data")
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", lossy, 6))
        has_alpha = b"ALPH" in chunks
        if int.from_bytes(lossy[:3], "little") >> 5 > len(lossy) - 10:
            raise damaged(Format.WEBP, "its first partition reaches past its end")
    elif lossless := chunks.get(b"VP8L"):
        if len(lossless) < 5 or lossless[0] != 0x2F:
            raise damaged(Format.WEBP, "no lossless header at the start of its data")
        bits = int.from_bytes(lossless[1:5], "little")
        width, height, has_alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    else:
        raise damaged(Format.WEBP, "it has no picture data")
    canvas = _canvas(chunks)
    if not width or not height or canvas not in (None, (width, height)):
        raise damaged(Format.WEBP, f"a picture of {width} x {height} on a canvas of {canvas}")
    return width, height, has_alpha


def _canvas(chunks: dict[bytes, bytes]) -> tuple[int, int] | None:
    extended = chunks.get(b"VP8X")
    if extended is None:
        return None
    if len(extended) < 10:
        raise damaged(Format.WEBP, "its extended header is too short")
    return int.from_bytes(extended[4:7], "little") + 1, int.from_bytes(extended[7:10], "little") + 1


def _first_frame(chunks: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The chunks of a still picture that shows an animation's first frame."""
    frame = chunks[b"ANMF"]
    if len(frame) < 24:
        raise damaged(Format.WEBP, "its first frame is too short")
    left, top, width, height = (int.from_bytes(frame[3 * i : 3 * i + 3], "little") for i in range(4))
    if (left, top) != (0, 0) or (width + 1, height + 1) != _canvas(chunks):
        raise unsupported(Format.WEBP, "with an animation whose first frame is smaller than its canvas")
    still = {name: body for name, body in _walk(frame, 16, len(frame)) if name in (b"ALPH", b"VP8 ", b"VP8L")}
    extended = bytes([ALPHA_FLAG if b"ALPH" in still or b"VP8L" in still else 0]) + chunks[b"VP8X"][1:10]
    exif = {b"EXIF": chunks[b"EXIF"]} if b"EXIF" in chunks else {}
    return {b"VP8X": extended, **still, **exif}


def _riff(chunks: dict[bytes, bytes]) -> bytes:
    parts = [
        name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)
        for name, body in chunks.items()
        if name != b"EXIF"
    ]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
