"""Any source of a picture -> uint8 RGB: named, bounded, whole, upright."""

import os
from dataclasses import dataclass
from typing import IO, Any, Protocol

import numpy as np

from mninfer.errors import InputError
from mninfer.images.arrays import from_array, from_pil, is_pil
from mninfer.images.header import Header
from mninfer.images.rgb import Color, Pixels
from mninfer.images.source import read_file, read_stream
from mninfer.limits import DEFAULT_MAX_PIXELS

__all__ = ["DEFAULT_MAX_PIXELS", "ImageSource", "LoadedImage", "Reducer", "load_image", "source_name"]

WHITE = (255, 255, 255)
MIN_WORKING_BYTES = 900_000_000  # with Python, numpy and OpenCV the process stays below 1 GiB
BYTES_PER_PIXEL = 4.5  # of working memory that ``max_pixels`` grants: an upright 8-bit picture takes 3

ImageSource = Any  # path, bytes, binary file object, uint8 array or PIL image


class Reducer(Protocol):
    """Says how far a picture may be reduced while it is decoded, as ``preprocessing.Cover`` does."""

    def reduction(self, image_size: tuple[int, int]) -> int:
        """1, 2, 4 or 8 for a picture of this (width, height)."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """``pixels`` is ``uint8 [height, width, 3]`` RGB; ``original_size`` is the (width, height) before ``reduction``."""

    pixels: Pixels
    original_size: tuple[int, int]
    reduction: int = 1


def load_image(
    source: ImageSource,
    *,
    order: str = "rgb",
    background: Color = WHITE,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    cover: Reducer | None = None,
) -> LoadedImage:
    """Load a picture; every problem with it is an InputError that names it.

    ``source`` is a path (str, PathLike), the bytes of a picture file, a binary file object, a uint8 array in ``order``,
    or a PIL image. ``background`` is what shows through transparent pixels. ``cover`` lets a JPEG be decoded at 1/2,
    1/4 or 1/8 of its size; ``None`` decodes in full.
    """
    if order not in ("rgb", "bgr"):
        raise ValueError(f'order is "rgb" or "bgr", not {order!r}')
    try:
        if isinstance(source, np.ndarray):
            return _whole(from_array(source, order=order, background=background))
        if is_pil(source):
            return _whole(from_pil(source, background=background, max_pixels=max_pixels))
        return _load_encoded(_read(source), background, max_pixels, cover)
    except InputError as error:
        error.at(source_name(source))
        raise


def source_name(source: ImageSource) -> str:
    """What messages and results call a source: its path where it has one."""
    if isinstance(source, str | os.PathLike):
        return _printable(os.fsdecode(source))
    if isinstance(source, np.ndarray):
        return f"array {list(source.shape)}"
    if isinstance(source, bytes | bytearray | memoryview):
        return f"{len(source):,} bytes"
    name = getattr(source, "filename", None) or getattr(source, "name", None)
    return _printable(os.fsdecode(name)) if isinstance(name, str | bytes) and name else type(source).__name__


def _printable(path: str) -> str:
    """A path whose undecodable bytes (surrogates) would make printing fail, with escapes in their place."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _whole(pixels: Pixels) -> LoadedImage:
    return LoadedImage(pixels, (pixels.shape[1], pixels.shape[0]))


def _read(source: ImageSource) -> bytes:
    if isinstance(source, str | os.PathLike):
        return read_file(source)
    if isinstance(source, bytes):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if hasattr(source, "read"):
        stream: IO[Any] = source
        return read_stream(stream)
    raise InputError(
        f"a picture cannot be made from {type(source).__name__}",
        hints="a path, the bytes of a picture file, a binary file object, a uint8 array or a PIL image",
    )


def _load_encoded(data: bytes, background: Color, max_pixels: int, cover: Reducer | None) -> LoadedImage:
    from mninfer.images.decode import decode
    from mninfer.images.formats import read_header
    from mninfer.images.header import Format

    header = read_header(data)
    _check_num_pixels(header, max_pixels)
    reduction = _reduction(header, cover) if cover is not None and header.format is Format.JPEG else 1
    _check_memory(header, reduction, max_pixels, held=len(data) + len(header.payload))
    if header.check_data is not None:
        header.check_data()
    pixels = decode(header, reduction=reduction, background=background)
    return LoadedImage(pixels, header.oriented_size, reduction)


def _reduction(header: Header, cover: Reducer) -> int:
    """What the decoder may divide by, so that it averages the very blocks that halving the upright picture would."""
    from mninfer.images.orient import keeps_the_grid

    reduction = cover.reduction(header.oriented_size)
    while not keeps_the_grid((header.width, header.height), header.orientation, reduction):
        reduction //= 2
    return reduction


def _check_num_pixels(header: Header, max_pixels: int) -> None:
    if header.width * header.height > max_pixels:
        raise InputError(
            f"{header.width} x {header.height} pixels are more than the {max_pixels:,} allowed",
            hints=["scale the picture down", "raise max_pixels (--max-megapixels), if you trust it"],
        )


def _check_memory(header: Header, reduction: int, max_pixels: int, *, held: int) -> None:
    needed = held + header.working_bytes(reduction)
    allowed = max(MIN_WORKING_BYTES, int(max_pixels * BYTES_PER_PIXEL))
    if needed > allowed:
        raise InputError(
            f"decoding {header.width} x {header.height} pixels of this kind of {header.format} takes "
            f"{needed // 1_000_000:,} MB of memory, more than the {allowed // 1_000_000:,} MB allowed",
            hints=["scale the picture down", "raise max_pixels (--max-megapixels), if you trust it"],
        )
