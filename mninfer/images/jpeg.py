"""JPEG: markers, dimensions, orientation, and whether the file is whole (ITU-T T.81, annex B).

``read_jpeg`` walks the markers up to the picture data. ``check_scans`` walks those too, for decoders that do not say
what they had to make up.
"""

import re
from functools import partial

from mninfer.images.exif import read_orientation
from mninfer.images.header import Format, Header, damaged, unsupported

__all__ = ["check_scans", "read_jpeg"]

SOI, EOI, SOS, DRI, APP1, APP14 = 0xD8, 0xD9, 0xDA, 0xDD, 0xE1, 0xEE
RESTARTS = range(0xD0, 0xD8)
STANDALONE = (0x01, *RESTARTS)
FRAMES = {
    0xC0: "baseline",
    0xC1: "extended sequential",
    0xC2: "progressive",
    0xC9: "arithmetic-coded",
    0xCA: "arithmetic-coded progressive",
}
OTHER_FRAMES = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical", 0xCB: "lossless"}
PROGRESSIVE = (0xC2, 0xCA)
# A marker that is not a stuffed 0xFF (00), a fill byte (FF) or a restart.
MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
RESTART_IN_SCAN = re.compile(rb"\xff[\xd0-\xd7]")
MAX_SCANS = 500  # each scan passes over the whole picture; real progressive files have about ten


def read_jpeg(data: bytes) -> Header:
    """Read the header and check what can be checked without decoding; InputError where the file cannot be whole."""
    frame: tuple[int, bytes] | None = None
    orientation, position = 1, 2
    while True:
        marker, body, position = _next_segment(data, position)
        if marker == SOS:
            break
        if marker == EOI:
            raise damaged(Format.JPEG, "it has no picture data")
        if marker in FRAMES or marker in OTHER_FRAMES:
            frame = (marker, body)
        elif marker == APP1 and orientation == 1 and body.startswith(b"Exif\0\0"):
            orientation = read_orientation(body)
    if frame is None:
        raise damaged(Format.JPEG, "no frame header before the picture data")
    if data.rfind(b"\xff\xd9", position) < 0:
        raise damaged(Format.JPEG, f"cut off: no end marker in its {len(data):,} bytes")
    return _read_frame(*frame, orientation=orientation, data=data, scan=body, scan_start=position)


def check_scans(data: bytes) -> None:
    """Walk the entropy-coded data: every segment inside the file, restart markers in turn, an end marker."""
    position, interval, num_scans = 2, 0, 0
    while True:
        marker, body, position = _next_segment(data, position)
        if marker == EOI:
            return
        if marker == DRI:
            interval = int.from_bytes(body[:2], "big")
        if marker != SOS:
            continue
        num_scans += 1
        if num_scans > MAX_SCANS:
            raise damaged(Format.JPEG, f"more than {MAX_SCANS} scans")
        found = MARKER_IN_SCAN.search(data, position)
        if found is None:
            raise damaged(Format.JPEG, f"cut off: no end marker in its {len(data):,} bytes")
        _check_restarts(data, position, found.start(), has_interval=interval > 0)
        position = found.start()


def _next_segment(data: bytes, position: int) -> tuple[int, bytes, int]:
    """(marker, body, position after it); standalone markers other than EOI are passed over."""
    size = len(data)
    while position + 1 < size and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill bytes may come before any marker
            position += 1
            continue
        if marker == EOI:
            return marker, b"", position + 2
        if marker in STANDALONE:
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        end = position + 2 + length
        if length < 2 or end > size:
            raise damaged(Format.JPEG, f"cut off inside its header, {size:,} bytes long")
        return marker, data[position + 4 : end], end
    if position + 1 >= size:
        raise damaged(Format.JPEG, f"cut off inside its header, {size:,} bytes long")
    raise damaged(Format.JPEG, f"no marker at byte {position:,}")


def _read_frame(marker: int, body: bytes, *, orientation: int, data: bytes, scan: bytes, scan_start: int) -> Header:
    if marker in OTHER_FRAMES:
        raise unsupported(Format.JPEG, f"with {OTHER_FRAMES[marker]} coding")
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise damaged(Format.JPEG, "its frame header is too short")
    precision, num_components = body[0], body[5]
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if precision != 8:
        raise unsupported(Format.JPEG, f"with {precision} bits per sample")
    if num_components not in (1, 3, 4):
        raise unsupported(Format.JPEG, f"with {num_components} components")
    if not height or not width:
        raise damaged(Format.JPEG, f"its size is {width} x {height}")
    num_blocks = _count_blocks(body[6 : 6 + 3 * num_components], width, height)
    _check_length(marker, num_blocks, len(data) - scan_start)
    # Progressive, or with components in scans of their own: a decoder keeps every coefficient, two bytes each.
    is_in_parts = marker in PROGRESSIVE or scan[:1] != body[5:6]
    return Header(
        format=Format.JPEG,
        width=width,
        height=height,
        payload=data,
        orientation=orientation,
        num_channels=4 if num_components == 4 else 3,
        is_cmyk=num_components == 4,
        decoder_bytes=num_blocks * 128 if is_in_parts else 0,
        check_data=partial(check_scans, data) if is_in_parts else None,
    )


def _count_blocks(components: bytes, width: int, height: int) -> int:
    """The 8 x 8 blocks of all components, for pictures that fill whole MCUs."""
    factors = [(value >> 4, value & 15) for value in components[1::3]]
    if not all(1 <= across <= 4 and 1 <= down <= 4 for across, down in factors):
        raise damaged(Format.JPEG, "sampling factors outside 1 to 4")
    widest, tallest = max(across for across, _ in factors), max(down for _, down in factors)
    num_units = -(-width // (8 * widest)) * -(-height // (8 * tallest))
    if len(factors) == 1:
        return -(-width // 8) * -(-height // 8)
    return num_units * sum(across * down for across, down in factors)


def _check_length(marker: int, num_blocks: int, num_bytes: int) -> None:
    """Refuse a size that the data cannot fill: a Huffman code has a bit, a sequential block two, a progressive one."""
    fewest_bits = {0xC0: 2, 0xC1: 2, 0xC2: 1}.get(marker, 0) * num_blocks
    if num_bytes * 8 < fewest_bits:
        raise damaged(Format.JPEG, f"{num_bytes:,} bytes of data cannot fill its {num_blocks:,} blocks")


def _check_restarts(data: bytes, start: int, end: int, *, has_interval: bool) -> None:
    for index, found in enumerate(RESTART_IN_SCAN.finditer(data, start, end)):
        if not has_interval or found.group()[1] != 0xD0 + index % 8:
            raise damaged(Format.JPEG, f"restart marker out of turn at byte {found.start():,}")
