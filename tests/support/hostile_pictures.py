"""Pictures of every kind and in every bad state, made by formula, each with what must come of it.

``python -m support.hostile_pictures`` (in ``tests/``) loads them all in one process and prints a JSON object: what came
of each, and the most memory that the process ever held.
"""

import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from support.encoders import (
    bmp,
    box,
    chunk,
    exif,
    exif_segment,
    extended,
    flat_jpeg,
    gif,
    png,
    png_raw,
    riff,
    scene,
    segment,
    tiff,
    turned_avif,
    webp_chunks,
    webp_frame,
    with_segments,
)

SIZE = (64, 40)
HAS_GIF = cv2.haveImageWriter("x.gif")
HAS_AVIF = cv2.haveImageWriter("x.avif")


@dataclass(frozen=True)
class Kind:
    """``expected``: None for a picture that must load, otherwise a part of the error's sentence."""

    name: str
    make: Callable[[], bytes]
    expected: str | None = None


def encoded(suffix: str, *options: int, gray: bool = False, alpha: bool = False) -> bytes:
    picture = cv2.cvtColor(scene(*SIZE), cv2.COLOR_RGB2BGR)
    if gray:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    if alpha:
        picture = np.dstack([picture, np.tile(np.arange(SIZE[0], dtype=np.uint8) * 4, (SIZE[1], 1))])
    done, data = cv2.imencode(suffix, picture, list(options))
    assert done
    return data.tobytes()


def jpeg(**changes: int) -> bytes:
    """A baseline JPEG; changes are to bytes of its frame header, by offset from the marker."""
    data = bytearray(encoded(".jpg"))
    start = data.index(b"\xff\xc0")
    for offset, value in changes.items():
        data[start + int(offset.strip("_"))] = value
    return bytes(data)


def jpeg_of_size(width: int, height: int, marker: int = 0xC0) -> bytes:
    high, low = height >> 8, height & 255
    return jpeg(_1=marker, _5=high, _6=low, _7=width >> 8, _8=width & 255)


def zeroed(data: bytes, start: float, count: int) -> bytes:
    at = int(len(data) * start)
    return data[:at] + bytes(count) + data[at + count :]


def flipped(data: bytes, at: float) -> bytes:
    changed = bytearray(data)
    changed[int(len(data) * at)] ^= 0x55
    return bytes(changed)


def cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


def without(data: bytes, start: float, end: float) -> bytes:
    return cut(data, start) + data[int(len(data) * end) :]


def grays(bits: int = 8) -> np.ndarray:
    return (np.arange(SIZE[0] * SIZE[1]).reshape(SIZE[1], SIZE[0]) % (1 << bits)).astype(
        np.uint16 if bits > 8 else np.uint8
    )


def rgba(dtype: type = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    alpha = np.tile(np.linspace(0, top, SIZE[0]).astype(dtype), (SIZE[1], 1))
    return np.dstack([scene(*SIZE).astype(dtype) * (top // 255), alpha])


def animated_png() -> bytes:
    """One still and one further frame of the whole size."""
    still = png(scene(*SIZE), 2)
    control = struct.pack(">IIIIIHHBB", 0, *SIZE, 0, 0, 1, 10, 0, 0)
    later = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, *SIZE, 0, 0, 1, 10, 0, 0))
    rows = b"".join(b"\0" + bytes(SIZE[0] * 3) for _ in range(SIZE[1]))
    later += chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(rows))
    end = still.index(b"IEND") - 4
    return (
        still[:33]
        + chunk(b"acTL", struct.pack(">II", 2, 0))
        + chunk(b"fcTL", control)
        + still[33:end]
        + later
        + still[end:]
    )


def jpeg_kinds() -> Iterator[Kind]:
    baseline = encoded(".jpg")
    progressive = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    levels = np.full((4, 6, 3), 128, np.uint8)
    levels[..., 0] = np.arange(24).reshape(4, 6) * 9 + 20
    ink = np.dstack([levels, levels[..., :1]])
    scan = baseline.index(b"\xff\xda")
    yield Kind("jpeg baseline", lambda: baseline)
    yield Kind("jpeg gray", lambda: encoded(".jpg", gray=True))
    yield Kind("jpeg progressive", lambda: progressive)
    yield Kind("jpeg with restarts", lambda: encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 1))
    yield Kind("jpeg cmyk", lambda: flat_jpeg(ink))
    yield Kind("jpeg cmyk, adobe", lambda: flat_jpeg(ink, adobe=0))
    yield Kind("jpeg ycck, adobe", lambda: flat_jpeg(ink, adobe=2))
    yield Kind("jpeg rgb, adobe", lambda: flat_jpeg(levels, adobe=0))
    yield Kind("jpeg of one block", lambda: flat_jpeg(levels[:1, :1]))
    yield Kind("jpeg turned", lambda: with_segments(baseline, exif_segment(6)))
    yield Kind("jpeg with orientation 9", lambda: with_segments(baseline, exif_segment(9)))
    yield Kind(
        "jpeg with broken exif", lambda: with_segments(baseline, segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f"))
    )
    yield Kind("jpeg with fill bytes", lambda: baseline[:2] + b"\xff\xff\xff" + baseline[2:])
    yield Kind("jpeg with bytes after its end", lambda: baseline + b"\0MP4 of a motion photo" * 99)
    yield Kind("jpeg followed by another (MPO)", lambda: baseline + baseline)
    yield Kind("jpeg cut in half", lambda: cut(baseline, 0.7), "cut off")
    yield Kind("jpeg cut in its header", lambda: baseline[:100], "cut off inside its header")
    yield Kind("jpeg of three bytes", lambda: baseline[:3], "cut off inside its header")
    yield Kind("jpeg without end marker", lambda: baseline[:-2], "cut off")
    yield Kind(
        "jpeg cut, with a thumbnail", lambda: cut(with_segments(baseline, segment(0xE1, baseline)), 0.8), "cut off"
    )
    yield Kind("jpeg progressive, cut", lambda: cut(progressive, 0.8), "cut off")
    yield Kind("jpeg with no data", lambda: baseline[: scan + 14] + b"\xff\xd9", "damaged JPEG")
    yield Kind("jpeg without a scan", lambda: baseline[:scan] + b"\xff\xd9", "no picture data")
    yield Kind("jpeg without a frame", lambda: b"\xff\xd8" + baseline[scan:], "no frame header")
    yield Kind("jpeg with junk between segments", lambda: baseline[:20] + b"junk" + baseline[20:], "no marker at byte")
    yield Kind("jpeg with an empty segment", lambda: baseline[:2] + b"\xff\xe1\0\1" + baseline[2:], "cut off inside")
    yield Kind("jpeg of height 0", lambda: jpeg_of_size(64, 0), "its size is 64 x 0")
    yield Kind("jpeg of 12 bits", lambda: jpeg(_4=12), "12 bits per sample")
    yield Kind("jpeg of 2 components", lambda: jpeg(_9=2), "2 components")
    yield Kind("jpeg sampled 0 x 0", lambda: jpeg(_11=0), "sampling factors")
    yield Kind("jpeg lossless", lambda: jpeg(_1=0xC3), "lossless")
    yield Kind("jpeg bomb", lambda: jpeg_of_size(65500, 65500), "cannot fill")
    yield Kind("jpeg progressive bomb", lambda: jpeg_of_size(14000, 14000, 0xC2), "cannot fill")
    yield Kind("jpeg progressive, heavy", heavy_progressive, "MB of memory")
    yield Kind(
        "jpeg too large", lambda: jpeg_of_size(20000, 20000) + bytes(3_000_000) + b"\xff\xd9", "pixels are more than"
    )
    yield Kind("jpeg of 600 scans", lambda: many_scans(levels), "more than 500 scans")
    if has_simplejpeg():
        yield Kind("jpeg with a piece missing", lambda: without(baseline, 0.7, 0.85), "damaged JPEG")
        yield Kind("jpeg without tables", lambda: flat_jpeg(levels).replace(b"\xff\xdb", b"\xff\xfe"), "damaged JPEG")
    yield Kind("jpeg with a stray restart", lambda: baseline[:-40] + b"\xff\xd3" + baseline[-40:], "damaged JPEG")


def has_simplejpeg() -> bool:
    try:
        import simplejpeg  # noqa: F401
    except ImportError:
        return False
    return True


def heavy_progressive() -> bytes:
    """198 megapixels, long enough to be plausible; its coefficients alone would take 1.2 GB."""
    body = flat_jpeg(np.full((1, 1, 3), 128, np.uint8), sof=0xC2)
    frame = body.index(b"\xff\xc2") + 5
    return body[:frame] + struct.pack(">HH", 14080, 14080) + body[frame + 4 : -2] + bytes(2_000_000) + b"\xff\xd9"


def many_scans(levels: np.ndarray) -> bytes:
    body = flat_jpeg(levels, sof=0xC2)
    scan = body.index(b"\xff\xda")
    return body[:scan] + body[scan:-2] * 600 + b"\xff\xd9"


def png_kinds() -> Iterator[Kind]:
    plain = png(scene(*SIZE), 2)
    palette = chunk(b"PLTE", bytes(range(48)))
    for depth in (1, 2, 4, 8):
        yield Kind(f"png gray, {depth} bits", lambda depth=depth: png(grays(depth), 0, depth=depth))
    for depth in (1, 2, 4):
        yield Kind(f"png palette, {depth} bits", lambda depth=depth: png(grays(depth), 3, depth=depth, before=palette))
    yield Kind("png gray, 16 bits", lambda: png(grays(16), 0))
    yield Kind("png rgb", lambda: plain)
    yield Kind("png rgb, 16 bits", lambda: png(rgba(np.uint16)[..., :3], 2))
    yield Kind("png rgba", lambda: png(rgba(), 6))
    yield Kind("png rgba, 16 bits", lambda: png(rgba(np.uint16), 6))
    yield Kind("png gray and alpha", lambda: png(rgba()[..., 2:], 4))
    yield Kind("png gray, one transparent level", lambda: png(grays(), 0, before=chunk(b"tRNS", b"\0\x07")))
    yield Kind("png rgb, one transparent colour", lambda: png(scene(*SIZE), 2, before=chunk(b"tRNS", bytes(6))))
    yield Kind(
        "png palette with alpha", lambda: png(grays(4), 3, depth=4, before=palette + chunk(b"tRNS", bytes([0, 128])))
    )
    yield Kind("png turned", lambda: png(scene(*SIZE), 2, before=chunk(b"eXIf", exif(8, ">"))))
    yield Kind("png with notes", lambda: png(scene(*SIZE), 2, before=chunk(b"tEXt", b"Title\0hello")))
    yield Kind("png animated", animated_png)
    yield Kind("png interlaced", lambda: png_raw((1, 1), 8, 0, b"\0\x07", interlaced=1))
    yield Kind("png with bytes after its end", lambda: plain + b"more")
    yield Kind("png cut in half", lambda: cut(plain, 0.5), "cut off")
    yield Kind("png without its end", lambda: plain[:-12], "cut off")
    yield Kind("png with a flipped byte", lambda: flipped(plain, 0.5), "wrong checksum of its IDAT")
    yield Kind("png of the signature only", lambda: plain[:8], "cut off")
    yield Kind("png of width 0", lambda: png_raw((0, 40), 8, 0, b""), "a size of 0 x 40")
    yield Kind("png of 3 bits", lambda: png_raw(SIZE, 3, 0, b""), "3 bits")
    yield Kind("png without a palette", lambda: png(grays(), 3), "palette is missing")
    yield Kind("png without data", lambda: plain[:33] + plain[-12:], "no picture data")
    yield Kind("png with two headers", lambda: plain[:33] + plain[8:], "two header chunks")
    yield Kind("png without a header", lambda: plain[:8] + plain[33:], "does not start with a header")
    yield Kind(
        "png with an unknown chunk", lambda: png(scene(*SIZE), 2, before=chunk(b"ABCD", b"")), "critical chunk ABCD"
    )
    yield Kind("png with rows missing", lambda: png_raw(SIZE, 8, 0, bytes(65 * 20)), "do not decode")
    yield Kind("png with a wrong filter", lambda: png_raw(SIZE, 8, 0, (b"\7" + bytes(64)) * 40), "do not decode")
    yield Kind("png with broken deflate", lambda: broken_deflate(plain), "do not decode")
    yield Kind("png bomb, 49 KB for 2.3 GB", lambda: png_raw((28000, 28000), 8, 2, bytes(49_000_000)), "damaged PNG")
    yield Kind("png too large", lambda: png_raw((20000, 20000), 1, 0, bytes(2501) * 20000), "pixels are more than")
    yield Kind("png, heavy", lambda: png_raw((12000, 10000), 16, 6, bytes(960_000_000 // 900)), "damaged PNG")
    yield Kind("png, heavy and whole", heavy_png, "MB of memory")


def broken_deflate(data: bytes) -> bytes:
    at = data.index(b"IDAT") + 4
    size = int.from_bytes(data[at - 8 : at - 4], "big")
    return data[: at - 8] + chunk(b"IDAT", zeroed(data[at : at + size], 0.5, 20)) + data[-12:]


def heavy_png() -> bytes:
    """Fourteen thousand pixels square at eight bytes each, really there: 1.5 GB from 1.5 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join([packer.compress(bytes(14000 * 8 + 1)) for _ in range(14000)]) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 14000, 14000, 16, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def webp_kinds() -> Iterator[Kind]:
    lossy = encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 90)
    lossless = encoded(".webp")
    clear = encoded(".webp", alpha=True)
    frame = webp_frame(lossless, SIZE)
    animation = (b"ANIM", bytes(6))
    yield Kind("webp lossy", lambda: lossy)
    yield Kind("webp lossless", lambda: lossless)
    yield Kind("webp with alpha", lambda: clear)
    yield Kind("webp turned", lambda: riff(extended(SIZE, 8), *webp_chunks(lossy).items(), (b"EXIF", exif(6))))
    yield Kind("webp animated", lambda: riff(extended(SIZE, 2), animation, frame, frame))
    yield Kind(
        "webp animated in a corner",
        lambda: riff(extended((128, 80), 2), animation, webp_frame(lossless, SIZE, (2, 2))),
        "smaller than its canvas",
    )
    yield Kind("webp with bytes after its end", lambda: lossy + b"more")
    yield Kind("webp cut in half", lambda: cut(lossy, 0.5), "cut off")
    yield Kind("webp with a chunk too long", lambda: lossy[:16] + b"\xff\xff\0\0" + lossy[20:], "reaches past its end")
    yield Kind("webp without data", lambda: riff(extended(SIZE, 0)), "no picture data")
    yield Kind("webp without a key frame", lambda: lossy[:23] + b"\0" + lossy[24:], "no key frame")
    yield Kind("webp without a signature", lambda: lossless[:20] + b"\0" + lossless[21:], "no lossless header")
    yield Kind("webp of another size", lambda: riff(extended((9, 9), 0), *webp_chunks(lossy).items()), "on a canvas of")
    yield Kind(
        "webp too large", lambda: riff((b"VP8L", b"\x2f" + b"\xff\xff\xff\x0f" + bytes(99))), "pixels are more than"
    )
    yield Kind("webp lossless, zeros inside", lambda: zeroed(lossless, 0.3, 400), "do not decode")


def bmp_kinds() -> Iterator[Kind]:
    colors = bytes(range(256)) * 4
    yield Kind("bmp, 24 bits", lambda: encoded(".bmp"))
    yield Kind("bmp, 8 bits", lambda: bmp((4, 2), 8, bytes(range(8)), palette=colors))
    yield Kind("bmp, 1 bit", lambda: bmp((4, 2), 1, bytes(8), palette=colors[:8]))
    yield Kind("bmp, 32 bits", lambda: bmp((2, 2), 32, bytes(range(16))))
    yield Kind("bmp, top row first", lambda: bmp((2, -2), 32, bytes(range(16))))
    yield Kind("bmp, run lengths", lambda: bmp((4, 2), 8, b"\4\1\0\0\4\2\0\1", palette=colors, compression=1))
    yield Kind("bmp, run lengths, cut", lambda: bmp((4, 2), 8, b"\4\1", palette=colors, compression=1), "no end mark")
    yield Kind("bmp cut", lambda: cut(encoded(".bmp"), 0.9), "cut off")
    yield Kind("bmp of its header", lambda: encoded(".bmp")[:20], "cut off inside its header")
    yield Kind("bmp of width 0", lambda: bmp((0, 2), 24, b""), "its size is 0 x 2")
    yield Kind("bmp of 7 bits", lambda: bmp((4, 2), 7, bytes(99)), "7 bits per pixel")
    yield Kind("bmp with a JPEG in it", lambda: bmp((4, 2), 24, bytes(99), compression=4), "compression 4")
    yield Kind("bmp bomb", lambda: bmp((60000, 60000), 24, bytes(99)), "cut off")
    yield Kind(
        "bmp bomb, run lengths", lambda: bmp((13000, 13000), 8, b"\0\1", palette=colors, compression=1), "cut off"
    )


def tiff_kinds() -> Iterator[Kind]:
    raw, gray = scene(*SIZE).tobytes(), grays().tobytes()
    deep = grays(16)
    yield Kind("tiff rgb, lzw", lambda: encoded(".tiff"))
    yield Kind("tiff gray", lambda: tiff(gray, SIZE))
    yield Kind("tiff gray, white is zero", lambda: tiff(gray, SIZE, photometric=0))
    yield Kind("tiff gray, 16 bits, big-endian", lambda: tiff(deep.astype(">u2").tobytes(), SIZE, bits=16, order=">"))
    yield Kind("tiff, 1 bit", lambda: tiff(bytes(8 * 40), SIZE, bits=1))
    yield Kind("tiff rgb", lambda: tiff(raw, SIZE, photometric=2, samples=3))
    yield Kind("tiff turned", lambda: tiff(raw, SIZE, photometric=2, samples=3, tags={274: ("H", [6])}))
    for extra in (0, 1, 2):
        alpha = {338: ("H", [extra])}
        yield Kind(
            f"tiff rgba, extra samples {extra}",
            lambda alpha=alpha: tiff(rgba().tobytes(), SIZE, photometric=2, samples=4, tags=alpha),
        )
    colors = {320: ("H", [i * 257 for i in range(256)] * 3)}
    yield Kind("tiff palette", lambda: tiff(gray, SIZE, photometric=3, tags=colors))
    yield Kind("tiff cmyk", lambda: tiff(rgba().tobytes(), SIZE, photometric=5, samples=4))
    yield Kind(
        "tiff in planes",
        lambda: tiff(raw, SIZE, photometric=2, samples=3, tags={284: ("H", [2])}),
        "separate colour planes",
    )
    yield Kind(
        "tiff of floats", lambda: tiff(gray * 4, SIZE, bits=32, tags={339: ("H", [3])}), "other than whole numbers"
    )
    yield Kind("tiff, 4 bits", lambda: tiff(gray, SIZE, bits=4), "4 bits per sample")
    yield Kind("tiff, white is zero, 16 bits", lambda: tiff(gray * 2, SIZE, bits=16, photometric=0), "16 bits")
    yield Kind("tiff gray and alpha", lambda: tiff(gray * 2, SIZE, samples=2), "2 samples per pixel")
    yield Kind("tiff of a raw sensor", lambda: tiff(gray, SIZE, tags={50706: ("I", [1])}), "raw sensor")
    yield Kind("tiff cut", lambda: cut(tiff(gray, SIZE), 0.9), "cut off")
    yield Kind("tiff of its signature", lambda: b"II*\0", "cut off")
    yield Kind("tiff with data outside", lambda: tiff(gray, SIZE, tags={273: ("I", [10**9])}), "cut off")
    yield Kind("tiff with too few data", lambda: tiff(gray[:99], SIZE), "cut off")
    yield Kind("tiff of width 0", lambda: tiff(gray, (0, 40)), "its size is 0 x 40")
    yield Kind("tiff without a size", lambda: tiff(gray, SIZE, tags={256: ("H", [])}), "damaged TIFF")
    yield Kind("tiff of 4 billion values", lambda: huge_count(tiff(gray, SIZE)), "values")
    yield Kind("tiff too large", lambda: tiff(gray, (30000, 30000), tags={259: ("H", [5])}), "pixels are more than")
    deflated, runs = zlib.compress(gray), packed_bits(gray)
    yield Kind("tiff deflated", lambda: tiff(gray, SIZE, stored=deflated, compression=8))
    yield Kind(
        "tiff deflated, flipped",
        lambda: tiff(gray, SIZE, stored=flipped(deflated, 0.5), compression=8),
        "do not inflate",
    )
    yield Kind(
        "tiff deflated, short", lambda: tiff(gray, SIZE, stored=zlib.compress(gray[:-9]), compression=8), "cut off"
    )
    yield Kind("tiff with run lengths", lambda: tiff(gray, SIZE, stored=runs, compression=32773))
    yield Kind("tiff with run lengths, short", lambda: tiff(gray, SIZE, stored=runs[:-3], compression=32773), "cut off")
    yield Kind("tiff lzw, short", lambda: tiff(gray, SIZE, stored=b"\x80\x0b\x60\x50", compression=5), "no end code")
    yield Kind("tiff with fax coding", lambda: tiff(gray, SIZE, stored=gray, compression=4), "compression 4")


def packed_bits(data: bytes) -> bytes:
    return b"".join(bytes([len(data[i : i + 128]) - 1]) + data[i : i + 128] for i in range(0, len(data), 128))


def huge_count(data: bytes) -> bytes:
    at = int.from_bytes(data[4:8], "little") + 2 + 12 * 2 + 4
    return data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :]


def gif_kinds() -> Iterator[Kind]:
    missing = None if HAS_GIF else "GIF is not read by this OpenCV"
    whole = (0, 0, 4, 2)
    still = gif((4, 2), [(whole, [0, 1, 2, 3, 3, 2, 1, 0])])
    yield Kind("gif", lambda: still, missing)
    yield Kind("gif with a clear colour", lambda: gif((4, 2), [(whole, [0, 1, 2, 3] * 2)], transparent=1), missing)
    yield Kind("gif animated", lambda: gif((4, 2), [(whole, [0] * 8), (whole, [1] * 8)]), missing)
    yield Kind("gif cut", lambda: still[:-8], "cut off")
    yield Kind("gif of its header", lambda: still[:10], "cut off inside its header")
    yield Kind("gif without a frame", lambda: still[:25] + b";", "no picture")
    yield Kind("gif with junk", lambda: still[:25] + b"junk", "no block at byte")
    yield Kind("gif with a frame outside", lambda: gif((4, 2), [((2, 0, 4, 2), [0] * 8)]), "a frame of 4 x 2")
    yield Kind("gif too large", lambda: gif((60000, 60000), [(whole, [0] * 8)]), "pixels are more than")
    yield Kind("gif with pixels missing", lambda: gif((4, 2), [(whole, [0, 1])]), missing or "damaged GIF")


def avif_kinds() -> Iterator[Kind]:
    head = box(b"ftyp", b"avif\0\0\0\0avifmif1")
    yield Kind("avif without items", lambda: head, "no description")
    yield Kind("avif with a box too long", lambda: head + b"\0\0\xff\xffmeta", "cut off")
    yield Kind("avif without a size", lambda: head + box(b"meta", bytes(4)), "incomplete")
    if HAS_AVIF:
        still = encoded(".avif")
        large = still.index(b"ispe") + 8
        yield Kind("avif", lambda: still)
        yield Kind("avif turned", lambda: turned_avif(still, box(b"irot", b"\1")))
        yield Kind("avif cut", lambda: cut(still, 0.8), "cut off")
        yield Kind(
            "avif too large", lambda: still[:large] + b"\0\0\xff\xff" * 2 + still[large + 8 :], "pixels are more than"
        )


def other_kinds() -> Iterator[Kind]:
    for name, data, what in (
        ("empty", b"", "an empty file"),
        ("text", b"not a picture at all", "a text file"),
        ("html", b"<!DOCTYPE html><html>404</html>", "an HTML page"),
        ("json", b'{"error": "gone"}', "a JSON document"),
        ("xml", b"<?xml version='1.0'?><a/>", "an XML document"),
        ("svg", b"<?xml version='1.0'?><svg xmlns='x'/>", "an SVG drawing"),
        ("pdf", b"%PDF-1.7\n" + bytes(99), "a PDF document"),
        ("zip", b"PK\x03\x04" + bytes(99), "a zip archive"),
        ("git lfs", b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        ("tflite", b"\x1c\0\0\0TFL3" + bytes(99), "a TFLite model"),
        ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
        ("heic", box(b"ftyp", b"heic\0\0\0\0mif1heic"), "a HEIC picture"),
        ("mp4", box(b"ftyp", b"isom\0\0\0\0isommp42"), "a video"),
        ("jpeg xl", b"\xff\x0a" + bytes(99), "a JPEG XL picture"),
        ("jpeg 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), "a JPEG 2000 picture"),
        ("photoshop", b"8BPS" + bytes(99), "a Photoshop document"),
        ("icon", b"\0\0\1\0" + bytes(99), "a Windows icon"),
        ("camera raw", b"II*\0\x10\0\0\0CR\2\0" + bytes(99), "a camera raw picture"),
        ("bigtiff", b"II+\0" + bytes(99), "a BigTIFF picture"),
        ("netpbm", b"P6\n4 2\n255\n" + bytes(24), "a Netpbm picture"),
        ("zeros", bytes(5000), "zeros"),
        ("noise", bytes((i * i * 37 + i // 3) & 255 for i in range(5000)), "its first bytes are"),
        ("one byte", b"\xff", "not a picture"),
    ):
        yield Kind(name, lambda data=data: data, what)


def all_kinds() -> list[Kind]:
    groups = (jpeg_kinds, png_kinds, webp_kinds, bmp_kinds, tiff_kinds, gif_kinds, avif_kinds, other_kinds)
    return [kind for group in groups for kind in group()]


def main() -> None:
    import resource

    from mninfer.errors import MnError
    from mninfer.images import load_image

    outcomes = {}
    for kind in all_kinds():
        try:
            loaded = load_image(kind.make())
            outcomes[kind.name] = {"shape": loaded.pixels.shape, "size": loaded.original_size}
        except MnError as error:
            outcomes[kind.name] = {"error": type(error).__name__, "text": str(error), "hints": len(error.hints)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    json.dump({"outcomes": outcomes, "peak_bytes": peak}, sys.stdout)


if __name__ == "__main__":
    main()
