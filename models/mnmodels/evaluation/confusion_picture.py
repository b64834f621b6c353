"""A confusion matrix as a picture: rows are the true classes, columns what the model said, shades the row's shares."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from mninfer.lettering import Lettering
from mnmodels.evaluation.canvas import BLACK, GREY, WHITE, Pixels, fit_text, put_centred, turned_text
from mnmodels.evaluation.class_match import class_name
from mnmodels.evaluation.result import Evaluation

__all__ = ["draw_confusion"]

MOST_NUMBERED, MOST_NAMED = 25, 100  # classes whose cells have a number, whose rows have a name
LARGEST_SIDE = 1400  # of the cells, in pixels
LABEL_WIDTH = 220
RIGHT, WRONG = np.array([29.0, 78.0, 216.0]), np.array([185.0, 28.0, 28.0])  # on the diagonal and off it


@dataclass(frozen=True, slots=True)
class _Layout:
    """Pixels: the cell's side, the letters', and where the cells begin."""

    cell: int
    letters: Lettering
    left: int
    top: int


def draw_confusion(evaluation: Evaluation) -> Pixels:
    """uint8 RGB. A column for other classes is there only where a picture fell into it."""
    matrix = evaluation.confusion
    labels = [class_name(label) for label in evaluation.labels]
    columns = labels if not matrix[:, -1].any() else [*labels, "another class"]
    matrix = matrix[:, : len(columns)]
    layout = _layout(labels, columns)
    height, width = layout.top + layout.cell * len(labels) + 16, layout.left + layout.cell * len(columns) + 16
    picture: Pixels = np.full((height, max(width, 480), 3), 255, np.uint8)
    _put_title(picture, evaluation)
    _put_cells(picture, matrix, layout)
    if len(labels) <= MOST_NAMED:
        _put_names(picture, labels, columns, layout)
    return picture


def _layout(labels: list[str], columns: list[str]) -> _Layout:
    cell = int(np.clip(LARGEST_SIDE // len(columns), 2, 48))
    letters = Lettering(min(16, max(9, cell - 2)))
    if len(labels) > MOST_NAMED:
        return _Layout(cell, letters, 40, 84)
    longest = max(letters.width(fit_text(label, letters, LABEL_WIDTH)) for label in columns)
    return _Layout(cell, letters, longest + 44, longest + 88)


def _put_title(picture: Pixels, evaluation: Evaluation) -> None:
    top1 = evaluation.top1
    Lettering(18).put(picture, f"top-1 {top1.rate:.2%} of {top1.total:,} pictures", 16, 12, BLACK)
    Lettering(14).put(picture, "rows: true class, columns: predicted; shade: share of the row", 16, 40, GREY)


def _put_cells(picture: Pixels, matrix: npt.NDArray[np.int64], layout: _Layout) -> None:
    shades = _shades(matrix)
    cell = layout.cell
    block = np.repeat(np.repeat(shades, cell, axis=0), cell, axis=1)
    if cell >= 8:  # a hairline between cells
        block[::cell], block[:, ::cell] = 229, 229
    picture[layout.top : layout.top + block.shape[0], layout.left : layout.left + block.shape[1]] = block
    corner = (layout.left - 1, layout.top - 1)
    cv2.rectangle(picture, corner, (layout.left + block.shape[1], layout.top + block.shape[0]), GREY)
    if len(matrix) > MOST_NUMBERED:
        return
    for row, column in np.argwhere(matrix).tolist():
        number = f"{matrix[row, column]}"
        letters = Lettering(next((h for h in (16, 14, 12, 10) if Lettering(h).width(number) <= cell - 6), 8))
        box = (layout.left + column * cell, layout.top + row * cell, cell, cell)
        put_centred(picture, number, letters, box, WHITE if shades[row, column].mean() < 140 else BLACK)


def _shades(matrix: npt.NDArray[np.int64]) -> Pixels:
    """White to blue on the diagonal, white to red off it; the square root lets rare mistakes be seen."""
    share = np.sqrt(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))[..., None]
    full = np.where(np.eye(*matrix.shape)[..., None] > 0, RIGHT, WRONG)
    shades: Pixels = np.floor(255 + share * (full - 255) + 0.5).astype(np.uint8)
    return shades


def _put_names(picture: Pixels, labels: list[str], columns: list[str], layout: _Layout) -> None:
    letters, cell = layout.letters, layout.cell
    for row, label in enumerate(labels):
        text = fit_text(label, letters, LABEL_WIDTH)
        top = layout.top + row * cell + (cell - letters.height) // 2
        letters.put(picture, text, layout.left - 8 - letters.width(text), top, BLACK)
    for column, label in enumerate(columns):
        strip = turned_text(fit_text(label, letters, LABEL_WIDTH), letters, BLACK)
        left = layout.left + column * cell + (cell - strip.shape[1]) // 2
        bottom = layout.top - 4
        region = picture[bottom - strip.shape[0] : bottom, left : left + strip.shape[1]]
        np.minimum(region, strip[:, : region.shape[1]], out=region)
