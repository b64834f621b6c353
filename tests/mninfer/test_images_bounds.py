"""Files whose structure, not whose picture, is long: read in bounded memory, before anything else is known of them."""

import struct
import tracemalloc
from collections.abc import Callable

import pytest

from mninfer.errors import InputError
from mninfer.images.formats import read_header
from mninfer.images.header import Header
from support.encoders import box, chunk, png, riff, scene, tiff, webp_chunks
from support.hostile_pictures import SIZE, encoded

pytestmark = pytest.mark.smoke


def peak_bytes(read: Callable[[], Header]) -> int:
    tracemalloc.start()
    try:
        read()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def with_long_tags(count: int, num_values: int) -> bytes:
    """A gray TIFF of 1000 x 1000 with ``count`` private tags, the values of each being all its pixels."""
    private = {60_000 + number: ("I", [0]) for number in range(count)}
    data = bytearray(tiff(bytes(1_000_000), (1000, 1000), tags=private))
    (start,) = struct.unpack_from("<I", data, 4)
    (num_entries,) = struct.unpack_from("<H", data, start)
    for position in range(start + 2, start + 2 + 12 * num_entries, 12):
        if struct.unpack_from("<H", data, position)[0] >= 60_000:
            struct.pack_into("<HII", data, position + 2, 1, num_values, 8)
    return bytes(data)


def test_values_of_tags_that_nobody_asks_for_are_not_read() -> None:
    data = with_long_tags(20, 1_000_000)
    assert peak_bytes(lambda: read_header(data)) < 10_000_000  # each would take 8 MB


def test_a_tag_with_more_values_than_any_picture_has_pieces_is_refused() -> None:
    data = tiff(bytes(4_200_000), (1000, 1000))
    (start,) = struct.unpack_from("<I", data, 4)
    strips = start + 2 + 12 * 5
    assert struct.unpack_from("<H", data, strips) == (273,)
    data = data[: strips + 4] + struct.pack("<II", (1 << 20) + 1, 8) + data[strips + 12 :]
    with pytest.raises(InputError, match="tag 273 has 1,048,577 values"):
        read_header(data)


def test_a_png_in_crumbs_is_refused() -> None:
    plain = png(scene(*SIZE), 2)
    with pytest.raises(InputError, match="more than 262,144 chunks"):
        read_header(plain[:-12] + chunk(b"IDAT", b"") * 262_144 + plain[-12:])
    crumbs = chunk(b"IDAT", b"") * 1000
    assert read_header(plain[:-12] + crumbs + plain[-12:]).size == SIZE


def test_chunks_that_a_webp_does_not_need_are_passed_over() -> None:
    others = [(struct.pack(">I", 0x61000000 + number), b"") for number in range(50_000)]
    data = riff(*webp_chunks(encoded(".webp")).items(), *others)
    assert peak_bytes(lambda: read_header(data)) < 1_000_000 + len(data)


def avif(*, num_items: int = 0, num_properties: int = 0) -> bytes:
    """Of an AVIF what is read of it: item 1 has a size; other items have nothing, other properties say nothing."""
    size = box(b"ispe", struct.pack(">III", 0, *SIZE))
    items = struct.pack(">I", 1 << 24) + struct.pack(">I", num_items + 1) + struct.pack(">IBB", 1, 1, 1)
    items += b"".join(struct.pack(">IB", number + 2, 0) for number in range(num_items))
    known = box(b"ipco", size + box(b"free", b"") * num_properties)
    meta = bytes(4) + box(b"pitm", struct.pack(">IH", 0, 1)) + box(b"iprp", known + box(b"ipma", items))
    return box(b"ftyp", b"avif\0\0\0\0avifmif1") + box(b"meta", meta)


def test_of_an_avif_one_item_is_looked_at() -> None:
    data = avif(num_items=100_000)
    assert read_header(data).size == SIZE
    assert peak_bytes(lambda: read_header(data)) < 4_000_000
    with pytest.raises(InputError, match="more than 65,536 boxes side by side"):
        read_header(avif(num_properties=65_536))


def test_alpha_that_is_announced_and_not_described_is_damage() -> None:
    rgba = bytes(SIZE[0] * SIZE[1] * 4)
    with pytest.raises(InputError, match="damaged TIFF: tag 338 is missing"):
        read_header(tiff(rgba, SIZE, photometric=2, samples=4, tags={338: ("H", [])}))
