"""Pictures that are arrays or PIL images already -> uint8 RGB."""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from mninfer.errors import InputError
from mninfer.images.orient import orient
from mninfer.images.rgb import Color, Pixels, composite, to_8_bits

__all__ = ["from_array", "from_pil", "is_pil"]


def from_array(array: npt.NDArray[Any], *, order: str, background: Color) -> Pixels:
    """``uint8 [height, width]``, or 1, 3 or 4 channels in ``order`` (alpha last), as RGB; RGB comes back itself."""
    if array.dtype != np.uint8:
        raise InputError(f"the array is {array.dtype}, not uint8", hints=_to_uint8(array))
    if array.ndim not in (2, 3) or not array.size or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InputError(
            f"the array has shape {list(array.shape)}, not [height, width, 3] (or 1 or 4 channels, or none)",
            hints=_to_picture(array),
        )
    import cv2

    pixels = array if _is_in_rows(array) else np.ascontiguousarray(array)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
    if pixels.shape[2] == 4:
        rgba = pixels if order == "rgb" else cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
        return composite(rgba, background)  # type: ignore[arg-type]
    return pixels if order == "rgb" else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def is_pil(source: object) -> bool:
    """Whether this is a PIL image; PIL is not imported to find out."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(source, module.Image)


def from_pil(image: Any, *, background: Color, max_pixels: int) -> Pixels:
    """A PIL image as RGB, upright by its EXIF orientation."""
    width, height = image.size
    if not width * height:
        raise InputError(f"the PIL image is empty: {width} x {height} pixels")
    if width * height > max_pixels:
        raise InputError(f"{width} x {height} pixels are more than the {max_pixels:,} allowed")
    try:
        orientation = image.getexif().get(274, 1)
        pixels = _pil_pixels(image, background)
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what PIL raises for damaged files
        raise InputError(f"PIL cannot read the picture: {error}") from error
    return orient(pixels, orientation if orientation in range(1, 9) else 1)


def _pil_pixels(image: Any, background: Color) -> Pixels:
    mode = image.mode
    if mode == "F":
        raise InputError('a PIL image of mode "F" has no known range', hints='image.convert("RGB")')
    if mode.startswith("I"):
        return from_array(_deep(np.asarray(image)), order="rgb", background=background)
    if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return composite(np.asarray(image.convert("RGBA")), background)
    return np.array(image if mode == "RGB" else image.convert("RGB"))


def _deep(values: npt.NDArray[Any]) -> Pixels:
    """PIL's 16- and 32-bit gray, which holds 16-bit pictures."""
    if values.min() < 0 or values.max() > 65535:
        raise InputError("32-bit pixels have no known range", hints='image.convert("RGB")')
    return to_8_bits(values.astype(np.uint16))


def _is_in_rows(array: npt.NDArray[Any]) -> bool:
    """Whether pixels lie one after the other in each row, rows anyhow: what OpenCV takes as it is."""
    channels = array.shape[2] if array.ndim == 3 else 1
    inner = array.strides[1] == channels and (array.ndim == 2 or array.strides[2] == 1)
    return inner and array.strides[0] >= array.shape[1] * channels


def _to_uint8(array: npt.NDArray[Any]) -> str:
    if array.dtype.kind == "f":
        return "for values from 0 to 1: (array * 255).round().astype(np.uint8)"
    if array.dtype == np.uint16:
        return "for values from 0 to 65535: ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)"
    return "array.astype(np.uint8), for values from 0 to 255"


def _to_picture(array: npt.NDArray[Any]) -> str:
    if array.ndim == 1:
        return "for the bytes of a picture file: array.tobytes()"
    if array.ndim == 4 and len(array) == 1:
        return "for a batch of one: array[0]"
    if array.ndim == 3 and array.shape[0] in (1, 3, 4):
        return "for channels first: array.transpose(1, 2, 0)"
    return "an array as PIL or OpenCV gives it"
