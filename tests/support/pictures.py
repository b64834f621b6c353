"""Pictures of one flat coloured shape on a flat background, and their class names: data made from a seed, no files."""

import numpy as np
import numpy.typing as npt

__all__ = ["CLASSES", "COLOURS", "SHAPES", "draw_shape", "shape_pictures"]

COLOURS = {"red": (220, 40, 40), "green": (40, 170, 60), "blue": (50, 80, 220), "yellow": (240, 210, 40)}
SHAPES = ("circle", "square", "triangle", "cross")
CLASSES = tuple(f"{colour} {shape}" for colour in COLOURS for shape in SHAPES)

Picture = npt.NDArray[np.uint8]


def draw_shape(
    colour: str, shape: str, *, size: tuple[int, int], centre: tuple[float, float], radius: float, background: int
) -> Picture:
    """A uint8 RGB picture, ``size`` = (width, height); ``centre`` and ``radius`` in pixels, ``background`` a grey."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float64) + 0.5
    dx, dy = (x - centre[0]) / radius, (y - centre[1]) / radius
    inside = {
        "circle": dx * dx + dy * dy <= 1,
        "square": np.maximum(abs(dx), abs(dy)) <= 0.886,  # the circle's area
        "triangle": (dy <= 0.75) & (abs(dx) <= (dy + 1.15) * 0.62),
        "cross": (np.minimum(abs(dx), abs(dy)) <= 0.28) & (np.maximum(abs(dx), abs(dy)) <= 1.1),
    }[shape]
    picture = np.full((height, width, 3), background, np.uint8)
    picture[inside] = COLOURS[colour]
    return picture


def shape_pictures(
    count: int, *, seed: int, size: tuple[int, int] = (48, 48)
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """``count`` pictures [n, height, width, 3] and their class indices; all else is drawn at random."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(CLASSES), size=count)
    pictures = []
    for label in labels:
        colour, shape = CLASSES[label].split()
        radius = rng.uniform(0.22, 0.4) * min(size)
        centre = tuple(
            rng.uniform(radius * 1.1, side - radius * 1.1) if side > 2.2 * radius else side / 2 for side in size
        )
        picture = draw_shape(
            colour, shape, size=size, centre=(centre[0], centre[1]), radius=radius, background=int(rng.integers(256))
        )
        light = rng.uniform(0.75, 1.1)
        noise = rng.normal(0, 6, picture.shape)
        pictures.append(np.clip(picture * light + noise, 0, 255).astype(np.uint8))
    return np.stack(pictures), labels
