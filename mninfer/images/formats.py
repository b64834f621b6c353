"""What the bytes are, by their first ones: a picture that can be read, one that cannot, or something else, by name."""

from collections.abc import Callable
from importlib import import_module

from mninfer.errors import InputError
from mninfer.images.header import Header

__all__ = ["read_header"]

SAVE_AS = "save it as JPEG or PNG"
# (offset, first bytes, what it is): pictures that are not decoded here, then files that are no pictures.
OTHER_PICTURES = (
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"II+\0", "a BigTIFF picture"),
    (0, b"MM\0+", "a BigTIFF picture"),
    (0, b"II\xbc\x01", "a JPEG XR picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"\x00\x00\x01\x00", "a Windows icon"),
    (0, b"v/1\x01", "an OpenEXR picture"),
    (0, b"#?RADIANCE", "a Radiance HDR picture"),
    (0, b"DDS ", "a DirectDraw texture"),
    (0, b"qoif", "a QOI picture"),
    (0, b"FUJIFILM", "a camera raw picture"),
    (0, b"IIRO", "a camera raw picture"),
    (0, b"IIU\0", "a camera raw picture"),
    (6, b"HEAPCCDR", "a camera raw picture"),
    (8, b"CR\x02\x00", "a camera raw picture"),
    (0, b"gimp xcf", "a GIMP document"),
)
OTHER_FILES = (
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"PK\x03\x04", "a zip archive (or an office document)"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (4, b"TFL3", "a TFLite model"),
    (0, b"\x89HDF", "an HDF5 file (a Keras model?)"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"OggS", "an Ogg file"),
    (0, b"ID3", "an MP3 file"),
    (0, b"\x93NUMPY", "a numpy array"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the picture itself"),
)
BRANDS = {b"heic": "a HEIC picture", b"heix": "a HEIC picture", b"mif1": "a HEIF picture", b"msf1": "a HEIF picture"}
BRANDS |= {b"hevc": "a HEIC picture", b"crx ": "a camera raw picture"}


def read_header(data: bytes) -> Header:
    """Name the format, check the structure, and read the header; InputError for anything that cannot be a picture."""
    name = _find_format(data)
    if name is not None:
        # Each is a module of its own; most programs meet one kind, and importing all takes longer than reading.
        read: Callable[[bytes], Header] = getattr(import_module(f"mninfer.images.{name}"), f"read_{name}")
        return read(data)
    for found in (_brand(data), _match(data, OTHER_PICTURES), _text_picture(data)):
        if found:
            raise InputError(f"{found}, a kind that is not read here", hints=SAVE_AS)
    raise _not_a_picture(data)


def _find_format(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith((b"II*\0", b"MM\0*")) and data[8:12] != b"CR\x02\x00":
        return "tiff"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[4:8] == b"ftyp" and (b"avif" in _brands(data) or b"avis" in _brands(data)):
        return "avif"
    if data.startswith(b"BM") and data[6:10] == bytes(4):
        return "bmp"
    return None


def _brands(data: bytes) -> list[bytes]:
    """The major and compatible brands of an ISO media file."""
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return [box[:4], *(box[i : i + 4] for i in range(8, len(box), 4))]


def _brand(data: bytes) -> str | None:
    if data[4:8] != b"ftyp":
        return None
    named = [BRANDS[brand] for brand in _brands(data) if brand in BRANDS]
    return named[0] if named else None


def _match(data: bytes, signatures: tuple[tuple[int, bytes, str], ...]) -> str | None:
    return next((what for offset, start, what in signatures if data.startswith(start, offset)), None)


def _text_picture(data: bytes) -> str | None:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "an SVG drawing"
    if len(start) > 2 and start[:1] == b"p" and start[1:2] in b"1234567" and start[2:3] in b" \t\r\n#":
        return "a Netpbm picture"
    return None


def _not_a_picture(data: bytes) -> InputError:
    if not data:
        return InputError("an empty file", hints="copy or download the picture again")
    what = _match(data, OTHER_FILES) or ("a video" if data[4:8] == b"ftyp" else None) or _text(data)
    if what:
        return InputError(f"{what}, not a picture", hints="give a JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF file")
    if not any(data[:512]):
        return InputError("zeros, not a picture", hints="copy or download the picture again")
    return InputError(
        f"not a picture: its first bytes are {data[:8].hex(' ')}",
        hints="give a JPEG, PNG, WebP, BMP, TIFF, GIF or AVIF file",
    )


def _text(data: bytes) -> str | None:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page (a failed download?)"
    if start.startswith(b"<?xml"):
        return "an XML document"
    if start.startswith((b"{", b"[")) and b'"' in start:
        return "a JSON document"
    try:
        text = data[:512].decode("utf-8", "strict" if len(data) <= 512 else "ignore")
    except UnicodeDecodeError:
        return None
    return "a text file" if all(char.isprintable() or char in "\t\r\n\f" for char in text) and text else None
