"""A contact sheet of the worst mistakes: each picture with what the model called it, and what it is."""

import cv2
import numpy as np

from mninfer.images import load_image
from mninfer.lettering import Lettering
from mnmodels.data import Pictures
from mnmodels.evaluation.canvas import BLACK, GREY, Pixels, fit_text
from mnmodels.evaluation.class_match import class_name
from mnmodels.evaluation.result import Evaluation, Mistake

__all__ = ["draw_mistakes"]

COLUMNS = 5
TILE, GAP = 200, 14
TEXT_HEIGHT = 58  # below a picture: two lines
TITLE_HEIGHT = 44
RED = (185, 28, 28)


def draw_mistakes(evaluation: Evaluation, pictures: Pictures) -> Pixels:
    """uint8 RGB; ``pictures`` are those that were evaluated."""
    mistakes = evaluation.mistakes
    rows = -(-len(mistakes) // COLUMNS)
    num_wrong = evaluation.top1.total - evaluation.top1.count
    height = TITLE_HEIGHT + rows * (TILE + TEXT_HEIGHT + GAP) + GAP
    sheet: Pixels = np.full((height, COLUMNS * (TILE + GAP) + GAP, 3), 255, np.uint8)
    shown = f"the {len(mistakes)} surest of {num_wrong:,} mistakes" if mistakes else "no mistakes"
    Lettering(18).put(sheet, f"{shown} in {evaluation.top1.total:,} pictures", GAP, 14, BLACK)
    for number, mistake in enumerate(mistakes):
        row, column = divmod(number, COLUMNS)
        place = (GAP + column * (TILE + GAP), TITLE_HEIGHT + row * (TILE + TEXT_HEIGHT + GAP))
        _put_tile(sheet, mistake, pictures, place)
    return sheet


def _put_tile(sheet: Pixels, mistake: Mistake, pictures: Pictures, place: tuple[int, int]) -> None:
    left, top = place
    tile = _tile(load_image(pictures.source(mistake.index)).pixels)
    sheet[top : top + TILE, left : left + TILE] = tile
    letters = Lettering(15)
    score = f" {mistake.score:.1%}"
    called = fit_text(class_name(mistake.predicted), letters, TILE - letters.width(score)) + score
    letters.put(sheet, called, left, top + TILE + 6, RED)
    letters.put(sheet, fit_text(f"is {class_name(mistake.truth)}", letters, TILE), left, top + TILE + 24, BLACK)
    small = Lettering(11)
    small.put(sheet, fit_text(mistake.name, small, TILE), left, top + TILE + 43, GREY)


def _tile(picture: Pixels) -> Pixels:
    """The whole picture in a grey square; small ones are enlarged by whole pixels, so that they stay what they are."""
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    if scale >= 2:
        size = (width * int(scale), height * int(scale))
        fitted = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    else:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    tile: Pixels = np.full((TILE, TILE, 3), 243, np.uint8)
    left, top = (TILE - size[0]) // 2, (TILE - size[1]) // 2
    tile[top : top + size[1], left : left + size[0]] = fitted
    return tile
