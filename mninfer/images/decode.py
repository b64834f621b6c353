"""A checked header -> uint8 RGB pixels as meant to be seen, by simplejpeg (JPEG, where installed) or OpenCV."""

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError
from mninfer.images.header import Format, Header, damaged
from mninfer.images.jpeg import check_scans
from mninfer.images.orient import orient
from mninfer.images.rgb import cmyk_to_rgb, to_rgb

__all__ = ["decode"]

Pixels = npt.NDArray[np.uint8]


def decode(header: Header, *, reduction: int, background: tuple[int, int, int]) -> Pixels:
    """Decode at 1/``reduction`` (1, 2, 4 or 8; JPEG only), turned upright.

    Blocks that are not whole, at the right and bottom, are left out: halving a full picture does so too.
    """
    expected = (-(-header.height // reduction), -(-header.width // reduction))
    jpeg_decoder = _simplejpeg() if header.format is Format.JPEG else None
    if jpeg_decoder is not None:
        pixels = _decode_strictly(jpeg_decoder, header, reduction)
    else:
        if header.format is Format.JPEG:
            check_scans(header.payload)
        pixels = to_rgb(_decode_with_opencv(header, reduction), header, background)
    if pixels.shape[:2] != expected:
        height, width = pixels.shape[:2]
        raise damaged(header.format, f"it says {header.width} x {header.height} and decodes to {width} x {height}")
    whole_blocks = pixels[: header.height // reduction or 1, : header.width // reduction or 1]
    return orient(_cropped(whole_blocks, header), header.orientation)


def _cropped(pixels: Pixels, header: Header) -> Pixels:
    if header.crop is None:
        return pixels
    x, y, width, height = header.crop
    return np.ascontiguousarray(pixels[y : y + height, x : x + width])


def _simplejpeg() -> ModuleType | None:
    """The strict JPEG decoder; None where there is none, as on 32-bit ARM."""
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg  # type: ignore[no-any-return]


def _decode_strictly(simplejpeg: ModuleType, header: Header, reduction: int) -> Pixels:
    """Decode with libjpeg's warnings (data that end early, impossible codes) as errors."""
    minimum = {} if reduction == 1 else {
        "min_height": -(-header.height // reduction),
        "min_width": -(-header.width // reduction),
    }  # fmt: skip
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            header.payload, "CMYK" if header.is_cmyk else "RGB", strict=True, **minimum
        )
    except (ValueError, MemoryError) as error:
        raise damaged(Format.JPEG, str(error) or type(error).__name__) from error
    return cmyk_to_rgb(pixels) if header.is_cmyk else pixels


def _decode_with_opencv(header: Header, reduction: int) -> npt.NDArray[Any]:
    import cv2

    flags = {
        1: cv2.IMREAD_COLOR,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    if header.has_alpha or header.bytes_per_sample == 2 or header.transparent_gray is not None:
        flags = cv2.IMREAD_UNCHANGED
    try:
        decoded = cv2.imdecode(np.frombuffer(header.payload, np.uint8), flags)
    except cv2.error as error:
        raise damaged(header.format, f"OpenCV gave up: {error.err}") from error
    if decoded is None:
        raise _refused(header.format, cv2)
    return decoded


def _refused(form: Format, cv2: ModuleType) -> InputError:
    """Whether this OpenCV lacks the format, or the data are bad."""
    suffix = {Format.GIF: ".gif", Format.AVIF: ".avif", Format.WEBP: ".webp", Format.TIFF: ".tiff"}.get(form)
    if suffix and not cv2.haveImageWriter(f"x{suffix}"):
        return InputError(
            f"{form} is not read by this OpenCV ({cv2.__version__})",
            hints=["save it as JPEG or PNG", "pip install 'opencv-python-headless>=5'"],
        )
    return damaged(form, "its data do not decode")
