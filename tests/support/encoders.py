"""Tiny picture writers: every kind that a real encoder would not make, or would not make wrong."""

import struct
import zlib

import numpy as np

# ---------------------------------------------------------------- pictures


def scene(width: int, height: int) -> np.ndarray:
    """uint8 RGB by an integer formula: a gradient with flat shapes on it, different in every corner."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x * 200 // width + 20, y * 200 // height + 20, (x + y) * 100 // (width + height) + 60], -1)
    picture[height // 8 : height // 3, width // 8 : width // 2] = (230, 40, 30)
    picture[height // 2 : height * 7 // 8, width * 2 // 3 : width * 7 // 8] = (20, 60, 220)
    return picture.astype(np.uint8)


def exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF-structured EXIF block with the orientation alone."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(order + "IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)


# ---------------------------------------------------------------- JPEG


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Insert segments right after the start marker."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def exif_segment(orientation: int) -> bytes:
    return segment(0xE1, b"Exif\0\0" + exif(orientation))


class _Bits:
    def __init__(self) -> None:
        self.bits: list[str] = []

    def put(self, value: int, size: int) -> None:
        if size:
            self.bits.append(format(value, f"0{size}b"))

    def flush(self) -> bytes:
        text = "".join(self.bits)
        text += "1" * (-len(text) % 8)
        self.bits = []
        raw = bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
        return raw.replace(b"\xff", b"\xff\0")


def flat_jpeg(
    levels: np.ndarray,
    *,
    sof: int = 0xC0,
    restart: int = 0,
    adobe: int | None = None,
    precision: int = 8,
    block: int = 8,
) -> bytes:
    """A JPEG of flat 8 x 8 blocks: ``levels`` is ``[rows, columns, components]``, the value of each block.

    DC coefficients only, so with ``sof=0xC2`` it is a valid progressive file of one scan.
    """
    rows, columns, components = levels.shape
    frame = struct.pack(">BHHB", precision, rows * block, columns * block, components)
    frame += b"".join(bytes([i + 1, 0x11, 0]) for i in range(components))
    # Twelve DC codes of four bits; one AC code (end of block) of one bit.
    tables = bytes([0x00, 0, 0, 0, 12, *[0] * 12, *range(12)]) + bytes([0x10, 1, *[0] * 15, 0])
    scan = bytes([components, *(v for i in range(components) for v in (i + 1, 0)), 0, 0 if sof == 0xC2 else 63, 0])
    parts = [b"\xff\xd8"]
    if adobe is not None:
        parts.append(segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([adobe])))
    parts += [segment(0xDB, b"\0" + b"\1" * 64), segment(sof, frame), segment(0xC4, tables)]
    if restart:
        parts.append(segment(0xDD, struct.pack(">H", restart)))
    return b"".join([*parts, segment(0xDA, scan), _flat_scan(levels, restart, is_progressive=sof == 0xC2), b"\xff\xd9"])


def _flat_scan(levels: np.ndarray, restart: int, *, is_progressive: bool) -> bytes:
    coded, bits, previous = b"", _Bits(), [0] * levels.shape[2]
    for index, unit in enumerate(levels.reshape(-1, levels.shape[2]).astype(int).tolist()):
        if restart and index and index % restart == 0:
            coded += bits.flush() + bytes([0xFF, 0xD0 + (index // restart - 1) % 8])
            previous = [0] * levels.shape[2]
        for component, level in enumerate(unit):
            value = 8 * (level - 128)
            difference = value - previous[component]
            previous[component] = value
            size = abs(difference).bit_length()
            bits.put(size, 4)
            bits.put(difference if difference >= 0 else difference + (1 << size) - 1, size)
            if not is_progressive:
                bits.put(0, 1)
    return coded + bits.flush()


# ---------------------------------------------------------------- PNG


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_raw(
    size: tuple[int, int], depth: int, kind: int, rows: bytes, *, before: bytes = b"", interlaced: int = 0
) -> bytes:
    """A PNG around filtered rows; ``before`` is chunks that go before the data."""
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, interlaced)
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + data + chunk(b"IEND", b"")


def png(pixels: np.ndarray, kind: int, *, depth: int | None = None, before: bytes = b"") -> bytes:
    """``pixels`` as they stand: ``[height, width(, samples)]``, uint8 or uint16; ``depth`` packs 1, 2 or 4 bits."""
    height, width = pixels.shape[:2]
    if depth is not None and depth < 8:
        per_byte = 8 // depth
        padded = np.pad(pixels, ((0, 0), (0, -width % per_byte))).reshape(height, -1, per_byte)
        weights = 1 << (np.arange(per_byte)[::-1] * depth)
        lines = [(row * weights).sum(-1).astype(np.uint8).tobytes() for row in padded]
    else:
        lines = [row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels]
    rows = b"".join(b"\0" + line for line in lines)
    return png_raw((width, height), depth or pixels.dtype.itemsize * 8, kind, rows, before=before)


# ---------------------------------------------------------------- TIFF


def tiff(
    raw: bytes,
    size: tuple[int, int],
    *,
    photometric: int = 1,
    bits: int = 8,
    samples: int = 1,
    order: str = "<",
    tags: dict[int, tuple[str, list[int]]] | None = None,
    stored: bytes | None = None,
    compression: int = 1,
) -> bytes:
    """A TIFF of one strip, ``stored`` as compressed; ``tags`` adds or replaces: tag -> ("H" or "I", values)."""
    width, height = size
    raw = raw if stored is None else stored
    entries = {
        256: ("I", [width]), 257: ("I", [height]), 258: ("H", [bits] * samples), 259: ("H", [compression]),
        262: ("H", [photometric]),
        273: ("I", [8]), 277: ("H", [samples]), 278: ("I", [height]), 279: ("I", [len(raw)]), 284: ("H", [1]),
        **(tags or {}),
    }  # fmt: skip
    body = raw + b"\0" * (len(raw) & 1)
    start = 8 + len(body)
    directory, tail, tail_start = b"", b"", start + 2 + 12 * len(entries) + 4
    for tag, (kind, values) in sorted(entries.items()):
        packed = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(packed) > 4:
            tail, packed = tail + packed, struct.pack(order + "I", tail_start + len(tail))
        directory += struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[kind], len(values)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    return head + body + struct.pack(order + "H", len(entries)) + directory + bytes(4) + tail


# ---------------------------------------------------------------- BMP


def bmp(size: tuple[int, int], depth: int, rows: bytes, *, palette: bytes = b"", compression: int = 0) -> bytes:
    """A BMP with a 40-byte header around padded rows (bottom row first, unless the height is negative)."""
    start = 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, *size, 1, depth, compression, len(rows), 0, 0, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + palette + rows


# ---------------------------------------------------------------- GIF


def gif(
    size: tuple[int, int], frames: list[tuple[tuple[int, int, int, int], list[int]]], *, transparent: int | None = None
) -> bytes:
    """A GIF of 4 colours (red, green, blue, white): each frame is ((left, top, width, height), indices)."""
    head = (
        b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, 0, 0) + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
    )
    body = b""
    for box, indices in frames:
        if transparent is not None or len(frames) > 1:
            flags = 0 if transparent is None else 1
            body += b"\x21\xf9\x04" + bytes([flags, 10, 0, transparent or 0, 0])
        body += b"\x2c" + struct.pack("<HHHHB", *box, 0) + b"\x02" + _gif_blocks(indices)
    return head + body + b";"


def _gif_blocks(indices: list[int]) -> bytes:
    """Uncompressed LZW: a clear code before every pair, so that codes stay three bits wide."""
    codes: list[int] = []
    for start in range(0, len(indices), 2):
        codes += [4, *indices[start : start + 2]]
    codes.append(5)
    value = sum(code << 3 * i for i, code in enumerate(codes))
    data = value.to_bytes((3 * len(codes) + 7) // 8, "little")
    return b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"


# ---------------------------------------------------------------- WebP


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(n + struct.pack("<I", len(b)) + b + b"\0" * (len(b) & 1) for n, b in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunks(data: bytes) -> dict[bytes, bytes]:
    chunks, position = {}, 12
    while position + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, position)
        chunks[name] = data[position + 8 : position + 8 + size]
        position += 8 + size + (size & 1)
    return chunks


def extended(size: tuple[int, int], flags: int) -> tuple[bytes, bytes]:
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def webp_frame(still: bytes, size: tuple[int, int], offset: tuple[int, int] = (0, 0)) -> tuple[bytes, bytes]:
    """An ANMF chunk around the data of a still WebP."""
    inner = {name: body for name, body in webp_chunks(still).items() if name in (b"ALPH", b"VP8 ", b"VP8L")}
    parts = b"".join(n + struct.pack("<I", len(b)) + b + b"\0" * (len(b) & 1) for n, b in inner.items())
    numbers = (*(o // 2 for o in offset), *(side - 1 for side in size), 100)
    return b"ANMF", b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0" + parts


# ---------------------------------------------------------------- AVIF


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, name) + body


def boxes(data: bytes, position: int = 0) -> list[tuple[bytes, bytes]]:
    result = []
    while position + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        result.append((name, data[position + 8 : position + size]))
        position += size
    return result


def turned_avif(data: bytes, *properties: bytes) -> bytes:
    """Add properties (whole boxes, such as irot) to the first item of an AVIF file that OpenCV wrote."""
    top = dict(boxes(data))
    meta = dict(boxes(top[b"meta"], 4))
    parts = dict(boxes(meta[b"iprp"]))
    known = boxes(parts[b"ipco"])
    ipma = parts[b"ipma"]
    count = ipma[10]  # version 0, one-byte associations: version and flags, entries, item, count
    added = bytes(0x80 | len(known) + 1 + i for i in range(len(properties)))  # essential, as they must be
    ipma = ipma[:10] + bytes([count + len(added)]) + ipma[11 : 11 + count] + added + ipma[11 + count :]
    iprp = box(b"ipco", parts[b"ipco"] + b"".join(properties)) + box(b"ipma", ipma)
    growth = len(iprp) - len(meta[b"iprp"])
    meta[b"iloc"] = _moved(meta[b"iloc"], growth)
    meta[b"iprp"] = iprp
    new_meta = top[b"meta"][:4] + b"".join(box(name, body) for name, body in meta.items())
    return b"".join(box(name, new_meta if name == b"meta" else body) for name, body in top.items())


def _moved(iloc: bytes, growth: int) -> bytes:
    """Item locations (version 0, 4-byte offsets and lengths) shifted by as many bytes as come before the data."""
    assert (iloc[0], iloc[4], iloc[5] >> 4) == (0, 0x44, 0), iloc[:8].hex()
    moved, position = bytearray(iloc), 8
    for _ in range(int.from_bytes(iloc[6:8], "big")):
        extents = int.from_bytes(iloc[position + 4 : position + 6], "big")
        position += 6
        for _ in range(extents):
            offset = int.from_bytes(iloc[position : position + 4], "big") + growth
            moved[position : position + 4] = offset.to_bytes(4, "big")
            position += 8
    return bytes(moved)
