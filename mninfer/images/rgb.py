"""Decoded arrays of any kind -> uint8 RGB, by integer formulas. Large arrays go row block by row block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError
from mninfer.images.header import Header

__all__ = ["cmyk_to_rgb", "composite", "to_8_bits", "to_rgb"]

Pixels = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

BLOCK_BYTES = 1 << 20


def to_rgb(decoded: npt.NDArray[Any], header: Header, background: Color) -> Pixels:
    """What OpenCV decoded (gray, BGR or BGRA, 8 or 16 bits) as uint8 RGB; may change ``decoded`` in place."""
    import cv2

    gray = decoded if decoded.ndim == 2 else None
    if header.transparent_gray is not None and gray is not None:
        alpha = np.where(gray == header.transparent_gray, 0, 255).astype(np.uint8)
        color = cv2.cvtColor(to_8_bits(gray), cv2.COLOR_GRAY2RGB)
        return composite(np.dstack([color, alpha]), background)
    pixels = to_8_bits(decoded)
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
    if pixels.shape[2] == 4:
        for rows in _blocks(pixels):
            cv2.cvtColor(rows, cv2.COLOR_BGRA2RGBA, dst=rows)
        return composite(pixels, background, is_premultiplied=header.is_premultiplied)
    for rows in _blocks(pixels):
        cv2.cvtColor(rows, cv2.COLOR_BGR2RGB, dst=rows)
    return pixels


def to_8_bits(pixels: npt.NDArray[Any]) -> Pixels:
    """16 bits as round(value / 257), so that 65535 is 255; 8 bits as they are."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype != np.uint16:
        raise InputError(f"{pixels.dtype} pixels are not supported", hints="save it as an ordinary 8-bit JPEG or PNG")
    table: Pixels = ((np.arange(65536) + 128) // 257).astype(np.uint8)
    result = np.empty(pixels.shape, np.uint8)
    step = max(1, BLOCK_BYTES // (pixels.size // len(pixels)))
    for top in range(0, len(pixels), step):  # numpy makes an index of eight bytes for each value
        result[top : top + step] = np.take(table, pixels[top : top + step])
    return result


def composite(rgba: Pixels, background: Color, *, is_premultiplied: bool = False) -> Pixels:
    """RGBA over a colour: (colour * alpha + background * (255 - alpha) + 127) // 255 per channel.

    Premultiplied colours are not multiplied again: colour + (background * (255 - alpha) + 127) // 255, at most 255.
    """
    result = np.empty((*rgba.shape[:2], 3), np.uint8)
    under = np.array(background, np.uint32)
    for rows, out in zip(_blocks(rgba), _blocks(result, rgba.shape), strict=True):
        alpha = rows[..., 3:].astype(np.uint32)
        color = rows[..., :3].astype(np.uint32)
        if is_premultiplied:
            out[:] = np.minimum(color + (under * (255 - alpha) + 127) // 255, 255)
        else:
            out[:] = (color * alpha + under * (255 - alpha) + 127) // 255
    return result


def cmyk_to_rgb(cmyk: Pixels) -> Pixels:
    """Adobe's inverted CMYK: k - ((255 - c) * k >> 8), OpenCV's formula, so that both decoders agree."""
    result = np.empty((*cmyk.shape[:2], 3), np.uint8)
    for rows, out in zip(_blocks(cmyk), _blocks(result, cmyk.shape), strict=True):
        black = rows[..., 3:].astype(np.uint16)
        out[:] = black - ((255 - rows[..., :3].astype(np.uint16)) * black >> 8)
    return result


def _blocks(pixels: npt.NDArray[Any], shape: tuple[int, ...] | None = None) -> Iterator[npt.NDArray[Any]]:
    """Views of whole rows, of about a megabyte of an array of ``shape``."""
    height, width, channels = shape or pixels.shape
    step = max(1, BLOCK_BYTES // (width * channels))
    return (pixels[top : top + step] for top in range(0, height, step))
