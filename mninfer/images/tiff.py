"""TIFF: the first directory, its strips or tiles inside the file, orientation (TIFF 6.0).

Two tags are rewritten in a copy for the decoder: the orientation, which libtiff would apply by itself, and the kind of
alpha, which would make it multiply colours with losses.
"""

import struct
from functools import partial

from mninfer.images.header import Format, Header, damaged, unsupported
from mninfer.images.tiff_data import COMPRESSIONS, check_piece

__all__ = ["read_tiff"]

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIP_OFFSETS, ORIENTATION = (
    256,
    257,
    258,
    259,
    262,
    266,
    273,
    274,
)
SAMPLES, ROWS_PER_STRIP, STRIP_BYTES, PLANAR, EXTRA, FORMAT = 277, 278, 279, 284, 338, 339
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 322, 323, 324, 325
SUB_DIRECTORIES, DNG_VERSION, SUB_FILE_TYPE = 330, 50706, 254
NUMBERS = {1: "B", 3: "H", 4: "I"}
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
DEPTHS = {
    WHITE_IS_ZERO: (1, 8),
    BLACK_IS_ZERO: (1, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    SEPARATED: (8,),
    YCBCR: (8,),
}
CHANNELS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, SEPARATED: 4, YCBCR: 3}
ASSOCIATED, UNASSOCIATED = 1, 2
KNOWN = frozenset(
    (WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP,
     STRIP_BYTES, PLANAR, EXTRA, FORMAT, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES, SUB_DIRECTORIES,
     DNG_VERSION, SUB_FILE_TYPE)
)  # fmt: skip
MOST_VALUES = 1 << 20  # of one tag: 200 megapixels in tiles of 16 x 16 have 781,250

Tags = dict[int, tuple[int, ...]]


def read_tiff(data: bytes) -> Header:
    """Read the first picture's header; InputError where its data reach out of the file or OpenCV would misread them."""
    order = "<" if data[:2] == b"II" else ">"
    tags, positions = _read_directory(data, order)
    width, height = _one(tags, WIDTH), _one(tags, HEIGHT)
    if width <= 0 or height <= 0:
        raise damaged(Format.TIFF, f"its size is {width} x {height}")
    depth, num_samples = _check_kind(tags)
    piece_pixels, pieces = _find_pieces(tags, data, width, height)
    alpha = _one(tags, EXTRA, 0) if num_samples == 4 and _one(tags, PHOTOMETRIC) == RGB else 0
    orientation = _one(tags, ORIENTATION, 1)
    payload = _patched(
        data, order, positions, {ORIENTATION: 1, EXTRA: ASSOCIATED} if alpha == UNASSOCIATED else {ORIENTATION: 1}
    )
    return Header(
        format=Format.TIFF,
        width=width,
        height=height,
        payload=payload,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        num_channels=4 if alpha in (ASSOCIATED, UNASSOCIATED) else 1 if depth == 16 and num_samples == 1 else 3,
        bytes_per_sample=2 if depth == 16 else 1,
        has_alpha=alpha in (ASSOCIATED, UNASSOCIATED),
        is_premultiplied=alpha == ASSOCIATED,
        decoder_bytes=piece_pixels * max(4, num_samples * depth // 8) * 2,
        check_data=partial(_check_pieces, _one(tags, COMPRESSION, 1), pieces),
    )


def _read_directory(data: bytes, order: str) -> tuple[Tags, dict[int, int]]:
    """The number tags of the first directory, and where each one's entry is."""
    tags: Tags = {}
    positions: dict[int, int] = {}
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (num_entries,) = struct.unpack_from(order + "H", data, start)
        for position in range(start + 2, start + 2 + 12 * num_entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", data, position)
            size = SIZES.get(kind, 0) * count
            is_wanted = tag in KNOWN and kind in NUMBERS and tag not in tags
            if size > len(data) or (is_wanted and count > MOST_VALUES):
                raise damaged(Format.TIFF, f"tag {tag} has {count:,} values")
            where = position + 8 if size <= 4 else struct.unpack_from(order + "I", data, position + 8)[0]
            if is_wanted:  # the values of the others may be as long as the file, each
                tags[tag] = struct.unpack_from(f"{order}{count}{NUMBERS[kind]}", data, where)
                positions[tag] = position
    except (struct.error, OverflowError):  # the second on 32-bit machines
        raise damaged(Format.TIFF, f"cut off: its directory reaches past its {len(data):,} bytes") from None
    return tags, positions


def _check_kind(tags: Tags) -> tuple[int, int]:
    """(bits per sample, samples per pixel) of a kind that OpenCV reads rightly."""
    if DNG_VERSION in tags or (SUB_DIRECTORIES in tags and _one(tags, SUB_FILE_TYPE, 0) & 1):
        raise unsupported(Format.TIFF, "from a camera's raw sensor (DNG, NEF, ARW, …)")
    num_samples, depth = _one(tags, SAMPLES, 1), _one(tags, BITS, 1)
    photometric = _one(tags, PHOTOMETRIC)
    if len(set(tags.get(BITS, (1,)))) != 1 or set(tags.get(FORMAT, (1,))) != {1}:
        raise unsupported(Format.TIFF, "with samples other than whole numbers of one size")
    if depth not in DEPTHS.get(photometric, ()):
        raise unsupported(Format.TIFF, f"with {depth} bits per sample and photometric interpretation {photometric}")
    if num_samples != CHANNELS[photometric] and (photometric, num_samples) != (RGB, 4):
        raise unsupported(
            Format.TIFF, f"with {num_samples} samples per pixel and photometric interpretation {photometric}"
        )
    if _one(tags, COMPRESSION, 1) not in COMPRESSIONS or _one(tags, FILL_ORDER, 1) != 1:
        raise unsupported(Format.TIFF, f"with compression {_one(tags, COMPRESSION, 1)}")
    if num_samples > 1 and _one(tags, PLANAR, 1) != 1:
        raise unsupported(Format.TIFF, "with separate colour planes")
    return depth, num_samples


def _find_pieces(tags: Tags, data: bytes, width: int, height: int) -> tuple[int, list[tuple[memoryview, int]]]:
    """The pixels of one strip or tile; all of them, each with the bytes that it must give, and all inside the file."""
    is_tiled = TILE_OFFSETS in tags
    if is_tiled:
        across, down = _one(tags, TILE_WIDTH), _one(tags, TILE_HEIGHT)
        offsets, counts = tags[TILE_OFFSETS], tags.get(TILE_BYTES, ())
    else:
        across, down = width, min(_one(tags, ROWS_PER_STRIP, height), height)
        offsets, counts = tags.get(STRIP_OFFSETS, ()), tags.get(STRIP_BYTES, ())
    if across <= 0 or down <= 0:
        raise damaged(Format.TIFF, f"its pieces are {across} x {down}")
    num_pieces = -(-width // across) * -(-height // down)
    if len(offsets) < num_pieces or len(counts) < num_pieces:
        raise damaged(Format.TIFF, f"{len(offsets)} offsets and {len(counts)} sizes for {num_pieces:,} pieces")
    row_bytes = (across * _one(tags, SAMPLES, 1) * _one(tags, BITS, 1) + 7) // 8
    pieces, view = [], memoryview(data)
    for index, (offset, count) in enumerate(zip(offsets[:num_pieces], counts[:num_pieces], strict=True)):
        if not count or offset + count > len(data):
            raise damaged(Format.TIFF, f"cut off: {count:,} bytes at byte {offset:,}, it has {len(data):,}")
        num_rows = down if is_tiled else min(down, height - index * down)
        pieces.append((view[offset : offset + count], row_bytes * num_rows))
    return across * down, pieces


def _check_pieces(compression: int, pieces: list[tuple[memoryview, int]]) -> None:
    for piece, expected in pieces:
        check_piece(compression, piece, expected)


def _one(tags: Tags, tag: int, default: int | None = None) -> int:
    values = tags.get(tag, () if default is None else (default,))
    if not values:
        raise damaged(Format.TIFF, f"tag {tag} is missing")
    return values[0]


def _patched(data: bytes, order: str, positions: dict[int, int], values: dict[int, int]) -> bytes:
    """``data`` with the single values of some tags replaced, where they differ."""
    copy = bytearray(data)
    for tag, value in values.items():
        if tag in positions:
            kind, count = struct.unpack_from(order + "HI", data, positions[tag] + 2)
            if count == 1:
                struct.pack_into(order + NUMBERS[kind], copy, positions[tag] + 8, value)
    return data if copy == data else bytes(copy)
