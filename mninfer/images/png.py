"""PNG: chunks and their checksums, dimensions, orientation, transparency (W3C PNG, third edition)."""

import struct
import zlib
from dataclasses import dataclass, field

from mninfer.images.exif import read_orientation
from mninfer.images.header import Format, Header, damaged, unsupported

__all__ = ["read_png"]

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16), RGBA: (8, 16)}
SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
BEST_DEFLATE_RATIO = 1032  # zlib's technical details: no more can come out of a byte
NOT_TRUNCATED = 2 * BEST_DEFLATE_RATIO
MOST_CHUNKS = 1 << 18  # libpng writes 8 KB into each: files of 2 GB have as many


@dataclass(slots=True)
class _Chunks:
    """What the walk found; ``kept`` holds the chunks that the pixels need, whole."""

    header: bytes = b""
    kept: list[memoryview] = field(default_factory=list)
    transparency: bytes | None = None
    exif: bytes = b""
    num_palette_bytes: int = 0
    num_data_bytes: int = 0
    has_others: bool = False


def read_png(data: bytes) -> Header:
    """Check every chunk and read the header. ``payload`` leaves animations and notes out: the still picture stays."""
    chunks = _walk(data)
    width, height, depth, kind, compression, filtering, interlacing = struct.unpack(">IIBBBBB", chunks.header)
    if not 0 < width < 2**31 or not 0 < height < 2**31 or depth not in DEPTHS.get(kind, ()):
        raise damaged(Format.PNG, f"a size of {width} x {height} with {depth} bits and colour type {kind}")
    if compression or filtering or interlacing > 1:
        raise damaged(Format.PNG, "unknown compression, filter or interlacing method")
    if kind == PALETTE and not chunks.num_palette_bytes:
        raise damaged(Format.PNG, "its palette is missing")
    row_bytes = (width * SAMPLES[kind] * depth + 7) // 8
    if chunks.num_data_bytes * BEST_DEFLATE_RATIO + NOT_TRUNCATED < height * row_bytes:
        raise damaged(Format.PNG, f"{chunks.num_data_bytes:,} bytes of data cannot fill {width} x {height} pixels")
    transparent_gray = _transparent_gray(chunks, depth) if kind == GRAY else None
    has_alpha = kind in (GRAY_ALPHA, RGBA) or (chunks.transparency is not None and kind != GRAY)
    num_channels = 4 if has_alpha else 1 if kind == GRAY and (depth == 16 or transparent_gray is not None) else 3
    sample_bytes = 2 if depth == 16 else 1
    return Header(
        format=Format.PNG,
        width=width,
        height=height,
        payload=b"".join([data[:8], *chunks.kept]) if chunks.has_others else data,
        orientation=read_orientation(chunks.exif),
        num_channels=num_channels,
        bytes_per_sample=sample_bytes,
        has_alpha=has_alpha,
        transparent_gray=transparent_gray,
        decoder_bytes=width * height * num_channels * sample_bytes,  # since 4.11 a frame of its own, for animations
    )


def _walk(data: bytes) -> _Chunks:
    chunks, view, position = _Chunks(), memoryview(data), 8
    for _ in range(MOST_CHUNKS):
        if position + 12 > len(data):
            raise damaged(Format.PNG, f"cut off: no end chunk in its {len(data):,} bytes")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise damaged(Format.PNG, f"cut off inside its {_spelled(name)} chunk, {len(data):,} bytes long")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise damaged(Format.PNG, f"wrong checksum of its {_spelled(name)} chunk at byte {position:,}")
        _take(chunks, name, view[position:end])
        if name == b"IEND":
            break
        position = end
    else:
        raise unsupported(Format.PNG, f"with more than {MOST_CHUNKS:,} chunks")
    if not chunks.num_data_bytes:
        raise damaged(Format.PNG, "it has no picture data")
    return chunks


def _take(chunks: _Chunks, name: bytes, chunk: memoryview) -> None:
    body = chunk[8:-4]
    if not chunks.header:
        if name != b"IHDR" or len(body) != 13:
            raise damaged(Format.PNG, "it does not start with a header chunk")
        chunks.header = bytes(body)
    elif name == b"IHDR":
        raise damaged(Format.PNG, "it has two header chunks")
    if name == b"eXIf":
        chunks.exif = bytes(body)
    elif name == b"tRNS":
        chunks.transparency = bytes(body)
    elif name == b"PLTE":
        chunks.num_palette_bytes = len(body)
    elif name == b"IDAT":
        chunks.num_data_bytes += len(body)
    if name in NEEDED:
        chunks.kept.append(chunk)
    elif not name[0] & 0x20:  # a capital first letter: critical
        raise damaged(Format.PNG, f"unknown critical chunk {_spelled(name)}")
    else:
        chunks.has_others = True


def _transparent_gray(chunks: _Chunks, depth: int) -> int | None:
    """The one transparent level of a gray picture, in the decoded array's units (1, 2 and 4 bits are spread to 8)."""
    if chunks.transparency is None or len(chunks.transparency) != 2:
        return None
    level = int.from_bytes(chunks.transparency, "big") & (1 << depth) - 1
    return level if depth >= 8 else level * 255 // ((1 << depth) - 1)


def _spelled(name: bytes) -> str:
    return name.decode("latin-1") if name.isalpha() else repr(name)
