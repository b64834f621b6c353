"""Put results on pictures: labels, boxes, masks. uint8 RGB in, a new uint8 RGB picture out; no files."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from mninfer.detection import Detections
from mninfer.lettering import Lettering
from mninfer.results import Classification
from mninfer.segmentation import Segmentation

__all__ = ["class_colour", "draw", "draw_classification", "draw_detections", "draw_segmentation"]

Pixels = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
SMALLEST_TEXT, LARGEST_TEXT = 11, 72
MOST_LEGEND_LINES = 8
TINTED_PIXELS = 1 << 18  # at once: as numbers with fractions they take eight times their memory
GOLDEN_RATIO = 0.618034  # steps of it spread hues so that near indices are far apart


def draw(picture: Pixels, result: Classification | Detections | Segmentation) -> Pixels:
    """Draw any result on the picture that it was found in.

    >>> picture = mninfer.images.load_image("photo.png").pixels
    >>> result = mninfer.load("model.tflite").classify(picture)
    >>> mninfer.draw.draw(picture, result).shape
    (120, 160, 3)
    """
    if isinstance(result, Classification):
        return draw_classification(picture, result)
    if isinstance(result, Detections):
        return draw_detections(picture, result)
    return draw_segmentation(picture, result)


def draw_classification(picture: Pixels, result: Classification) -> Pixels:
    """Write the classes and scores into the upper left corner, best first."""
    drawn = _copy(picture)
    lines = [(f"{prediction.label}  {_percent(prediction.score)}", None) for prediction in result]
    _draw_panel(drawn, lines)
    return drawn


def draw_detections(picture: Pixels, result: Detections) -> Pixels:
    """Frame each object in its class's colour and write its class and score at the frame."""
    drawn = _copy(picture)
    line_width = max(1, round(min(drawn.shape[:2]) / 200))
    backwards = result.objects[::-1]  # the best ones last, on top
    for found in backwards:
        left, top, right, bottom = (round(edge) for edge in found.box.to_json())
        cv2.rectangle(drawn, (left, top), (right, bottom), BLACK, line_width + 2)
        cv2.rectangle(drawn, (left, top), (right, bottom), class_colour(found.index), line_width)
    for found in backwards:
        corner = (round(found.box.left), round(found.box.top))
        _draw_tag(drawn, f"{found.label} {_percent(found.score)}", corner, class_colour(found.index))
    return drawn


def draw_segmentation(picture: Pixels, result: Segmentation, *, opacity: float = 0.5) -> Pixels:
    """Tint every pixel in its class's colour, class 0 excepted, with a legend of the classes; largest first."""
    drawn = _copy(picture)
    if result.mask.shape != drawn.shape[:2]:
        raise ValueError(f"a mask of {result.mask.shape[::-1]} pixels for a picture of {drawn.shape[1::-1]}")
    shares = {index: share for index, share in result.shares().items() if index > 0}
    rows_at_once = max(1, TINTED_PIXELS // drawn.shape[1])
    for top in range(0, len(drawn), rows_at_once):
        rows = slice(top, top + rows_at_once)
        for index in shares:
            _tint(drawn[rows], result.mask[rows] == index, class_colour(index), opacity)
    legend = [(f"{result.name(index)}  {_percent(share)}", class_colour(index)) for index, share in shares.items()]
    _draw_panel(drawn, legend[:MOST_LEGEND_LINES])
    return drawn


def _tint(pixels: Pixels, here: npt.NDArray[np.bool_], colour: Colour, opacity: float) -> None:
    tint = np.array(colour, np.float32) * opacity
    pixels[here] = (pixels[here] * (1 - opacity) + tint).astype(np.uint8)


def class_colour(index: int) -> Colour:
    """A colour per class, the same in every picture; neighbours in number differ clearly."""
    hue = (index * GOLDEN_RATIO) % 1
    saturation = (0.85, 0.6, 1.0)[index % 3]
    pixel = np.array([[[round(hue * 179), round(saturation * 255), 255]]], np.uint8)
    red, green, blue = np.asarray(cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB))[0, 0].tolist()
    return red, green, blue


def _copy(picture: Pixels) -> Pixels:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise TypeError(f"drawing takes uint8 [height, width, 3], not {picture.dtype} {list(picture.shape)}")
    return np.array(picture, order="C")


def _lettering(picture: Pixels, texts: Sequence[str]) -> Lettering:
    """Letters that suit the picture's size, smaller where the longest text wouldn't fit."""
    height, width = picture.shape[:2]
    wanted = min(max(round(min(height, width) * 0.05), SMALLEST_TEXT), LARGEST_TEXT)
    longest = max((Lettering(wanted).width(text) for text in texts), default=0)
    room = width - wanted
    if longest > room > 0:
        wanted = max(SMALLEST_TEXT, int(wanted * room / longest))
    return Lettering(wanted)


def _draw_panel(picture: Pixels, lines: Sequence[tuple[str, Colour | None]]) -> None:
    """Lines on a darkened panel in the upper left; a line with a colour gets a square of it."""
    if not lines:
        return
    letters = _lettering(picture, [text for text, _ in lines])
    margin, step = letters.height // 2, round(letters.height * 1.35)
    indent = round(letters.height * 1.2) if any(colour for _, colour in lines) else 0
    width = max(letters.width(text) for text, _ in lines) + indent + 2 * margin
    panel = picture[: step * len(lines) + margin, :width]
    panel[:] = panel // 4
    for number, (text, colour) in enumerate(lines):
        top = margin + number * step
        if colour:
            side = round(letters.height * 0.8)
            cv2.rectangle(picture, (margin, top), (margin + side, top + side), colour, cv2.FILLED)
        letters.put(picture, text, margin + indent, top, WHITE)


def _draw_tag(picture: Pixels, text: str, corner: tuple[int, int], colour: Colour) -> None:
    """Text on a filled box above the corner, or below it where there is no room, kept inside the picture."""
    letters = _lettering(picture, [text])
    pad = max(1, letters.height // 5)
    width, height = letters.width(text) + 2 * pad, letters.height + 2 * pad
    left = max(0, min(corner[0], picture.shape[1] - width))
    top = corner[1] - height if corner[1] >= height else min(corner[1], max(0, picture.shape[0] - height))
    cv2.rectangle(picture, (left, top), (left + width, top + height), colour, cv2.FILLED)
    red, green, blue = colour
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 140
    letters.put(picture, text, left + pad, top + pad, BLACK if is_light else WHITE)


def _percent(share: Any) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"
