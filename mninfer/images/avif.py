"""AVIF: boxes inside the file, the primary item's size, clean aperture, rotation and mirroring, alpha.

After ISO/IEC 23008-12 and AVIF 1.1. OpenCV leaves cropping, rotation and mirroring to us. Like WebP, the format has no
checksum.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from mninfer.images.header import Format, Header, damaged, unsupported

__all__ = ["read_avif"]

# Quarter turns counter-clockwise, mirrored top-bottom (0), left-right (1) or not (None) -> EXIF orientation.
# The mirroring is done after the turning (MIAF, 7.3.6.7).
ORIENTATIONS = {
    (0, None): 1, (1, None): 8, (2, None): 3, (3, None): 6,
    (0, 0): 4, (1, 0): 5, (2, 0): 2, (3, 0): 7,
    (0, 1): 2, (1, 1): 7, (2, 1): 4, (3, 1): 5,
}  # fmt: skip
ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
MOST_BOXES = 1 << 16  # side by side; an item can name 32,767 properties


@dataclass(slots=True)
class _Properties:
    size: tuple[int, int] | None = None
    aperture: bytes | None = None
    turns: int = 0
    mirror: int | None = None
    depths: bytes = b""
    others: list[bytes] = field(default_factory=list)


def read_avif(data: bytes) -> Header:
    """Read the header; InputError where a box reaches out of the file."""
    meta = b""
    for name, body in _boxes(data, 0, len(data)):
        if name == b"meta" and not meta:
            meta = body
    if not meta:
        raise damaged(Format.AVIF, "it has no description of its items")
    boxes = dict(_boxes(meta, 4, len(meta)))
    properties = _read_properties(boxes)
    if properties.size is None or 0 in properties.size:
        raise damaged(Format.AVIF, "its size is missing")
    width, height = properties.size
    has_alpha = ALPHA in boxes.get(b"iprp", b"")
    is_deep = any(depth > 8 for depth in properties.depths)
    if has_alpha and is_deep:
        raise unsupported(Format.AVIF, f"with {max(properties.depths)} bits per sample and transparency")
    return Header(
        format=Format.AVIF,
        width=width,
        height=height,
        payload=data,
        crop=None if properties.aperture is None else _crop(properties.aperture, width, height),
        orientation=ORIENTATIONS[properties.turns, properties.mirror],
        num_channels=4 if has_alpha else 3,
        has_alpha=has_alpha,
        decoder_bytes=width * height * (24 if is_deep or has_alpha else 16),
    )


def _boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(MOST_BOXES):
        if position + 8 > end:
            return
        size, name, start = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8], 8
        if size == 1:
            size, start = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        elif size == 0:
            size = end - position
        if size < start or position + size > end:
            raise damaged(Format.AVIF, f"cut off: its {name!r} box of {size:,} bytes at byte {position:,}")
        yield name, data[position + start : position + size]
        position += size
    raise unsupported(Format.AVIF, f"with more than {MOST_BOXES:,} boxes side by side")


def _read_properties(boxes: dict[bytes, bytes]) -> _Properties:
    """Those of the primary item: its size, turning, mirroring and depths."""
    parts = dict(_boxes(boxes.get(b"iprp", b""), 0, len(boxes.get(b"iprp", b""))))
    container = parts.get(b"ipco", b"")
    known = list(_boxes(container, 0, len(container)))
    found = _Properties()
    try:
        primary = _primary_item(boxes[b"pitm"])
        for index in _associations(parts[b"ipma"], primary):
            if not 1 <= index <= len(known):
                continue
            name, body = known[index - 1]
            if name == b"ispe":
                found.size = (int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big"))
            elif name == b"clap":
                found.aperture = body
            elif name == b"irot":
                found.turns = body[0] & 3
            elif name == b"imir":
                found.mirror = body[0] & 1
            elif name == b"pixi":
                found.depths = body[5 : 5 + body[4]]
    except (KeyError, IndexError):
        raise damaged(Format.AVIF, "the description of its main picture is incomplete") from None
    return found


def _crop(aperture: bytes, width: int, height: int) -> tuple[int, int, int, int]:
    """x, y, width and height of a clean aperture (ISO/IEC 14496-12): its size, and its centre's distance from ours."""
    if len(aperture) != 32:
        raise damaged(Format.AVIF, f"a clean aperture of {len(aperture)} bytes")
    wide, high, right, down = (_fraction(aperture[start : start + 8]) for start in (0, 8, 16, 24))
    x, y = (width - wide) / 2 + right, (height - high) / 2 + down
    is_inside = x >= 0 and y >= 0 and wide > 0 and high > 0 and x + wide <= width and y + high <= height
    # MIAF (7.3.6.7) allows whole pixels alone.
    if not is_inside or any(value.denominator != 1 for value in (x, y, wide, high)):
        raise damaged(Format.AVIF, f"its clean aperture of {wide} x {high} pixels at {x}, {y} is none of its picture")
    return int(x), int(y), int(wide), int(high)


def _fraction(body: bytes) -> Fraction:
    denominator = int.from_bytes(body[4:], "big")
    if denominator == 0:
        raise damaged(Format.AVIF, "a clean aperture with a division by zero")
    return Fraction(int.from_bytes(body[:4], "big", signed=True), denominator)


def _primary_item(body: bytes) -> int:
    return int.from_bytes(body[4:6] if body[0] == 0 else body[4:8], "big")


def _associations(body: bytes, wanted: int) -> list[int]:
    """The numbers of an item's properties, from 1."""
    id_bytes, wide = (2 if body[0] == 0 else 4), body[3] & 1
    position = 8
    for _ in range(min(int.from_bytes(body[4:8], "big"), len(body))):
        item = int.from_bytes(body[position : position + id_bytes], "big")
        position += id_bytes
        num_associations = body[position]
        position += 1
        step = 2 if wide else 1
        if item == wanted:
            entries = [body[position + step * i : position + step * (i + 1)] for i in range(num_associations)]
            # The highest bit says "essential".
            return [int.from_bytes(entry, "big") & (0x7FFF if wide else 0x7F) for entry in entries]
        position += step * num_associations
    return []
