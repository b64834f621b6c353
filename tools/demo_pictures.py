"""Five drawn pictures of things that a network for CIFAR-10 knows: ours, so that the demo can ship them.

What goes in is nothing; out come uint8 RGB arrays, the same on every machine. No picture is more than filled polygons.
"""

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["SCENES", "draw_scene"]

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

SIDE = 256
_DARK, _GLASS, _ROAD = (30, 30, 32), (150, 188, 212), (108, 108, 110)


def draw_scene(name: str) -> Picture:
    """One of ``SCENES``, uint8 RGB [256, 256, 3]."""
    return SCENES[name]()


def _airplane() -> Picture:
    picture = _sky((100, 160, 230), (190, 220, 250))
    _fill(picture, (235, 238, 242), (20, 140), (45, 128), (200, 118), (235, 128), (240, 136), (200, 146), (40, 152))
    _fill(picture, (190, 196, 205), (110, 134), (150, 132), (100, 205), (70, 210))
    _fill(picture, (175, 182, 192), (120, 124), (150, 122), (128, 80), (112, 80))
    _fill(picture, (60, 90, 160), (30, 134), (62, 130), (38, 80), (18, 82))
    for x in range(75, 205, 14):
        _disc(picture, (70, 90, 120), (x, 131), 3)
    return picture


def _automobile() -> Picture:
    picture = _sky((175, 195, 215), (215, 222, 228))
    picture[175:] = _ROAD
    body = ((15, 150), (40, 120), (85, 112), (110, 80), (185, 80), (215, 115), (242, 122), (245, 170), (15, 170))
    _fill(picture, (200, 40, 40), *body)
    _fill(picture, _GLASS, (97, 112), (117, 88), (147, 88), (147, 112))
    _fill(picture, _GLASS, (153, 112), (153, 88), (180, 88), (202, 112))
    for x in (65, 195):
        _wheel(picture, (x, 172), 26)
    return picture


def _frog() -> Picture:
    picture = np.full((SIDE, SIDE, 3), (60, 110, 50), np.uint8)
    for number in range(60):  # leaves
        x, y, turn = (number * step % size for step, size in ((97, SIDE), (151, SIDE), (67, 180)))
        _oval(picture, (40 + number % 30, 85 + number * 7 % 50, 35), (x, y), (30, 8), turn)
    _oval(picture, (95, 135, 45), (128, 160), (85, 60))
    _oval(picture, (110, 150, 55), (128, 100), (70, 48))
    _oval(picture, (190, 195, 140), (128, 185), (55, 35))
    for x in (85, 171):
        _disc(picture, (120, 160, 60), (x, 68), 22)
        _disc(picture, (200, 180, 60), (x, 66), 13)
        _disc(picture, _DARK, (x, 66), 7)
    cv2.ellipse(picture, (128, 112), (45, 16), 0, 0, 180, (50, 75, 25), 3, cv2.LINE_AA)
    for x in (40, 216):
        _oval(picture, (85, 125, 40), (x, 200), (38, 20))
    return picture


def _ship() -> Picture:
    picture = _sky((150, 175, 205), (205, 215, 225))
    picture[150:] = (50, 90, 130)
    for y in range(156, SIDE, 9):
        cv2.line(picture, (0, y), (SIDE, y + 3), (70, 115, 155), 2, cv2.LINE_AA)
    _fill(picture, (70, 40, 40), (20, 130), (240, 125), (215, 172), (45, 172))
    _fill(picture, (230, 230, 230), (20, 130), (240, 125), (238, 136), (24, 140))
    _fill(picture, (240, 240, 240), (70, 95), (185, 92), (190, 128), (66, 130))
    for x in range(80, 180, 16):
        _fill(picture, (60, 80, 110), (x, 104), (x + 8, 104), (x + 8, 112), (x, 112))
    _fill(picture, (190, 50, 40), (105, 60), (135, 60), (138, 94), (102, 94))
    cv2.line(picture, (200, 125), (200, 50), (90, 80, 70), 3, cv2.LINE_AA)
    return picture


def _truck() -> Picture:
    picture = _sky((170, 190, 210), (215, 222, 228))
    picture[185:] = _ROAD
    _fill(picture, (235, 235, 230), (15, 60), (165, 60), (165, 180), (15, 180))
    _fill(picture, (190, 35, 35), (168, 95), (215, 95), (238, 135), (238, 180), (168, 180))
    _fill(picture, _GLASS, (180, 103), (210, 103), (226, 133), (180, 133))
    _fill(picture, (50, 50, 50), (10, 178), (240, 178), (240, 190), (10, 190))
    for x in (50, 90, 205):
        _wheel(picture, (x, 192), 22)
    return picture


def _sky(top: Colour, bottom: Colour) -> Picture:
    down = np.linspace(0, 1, SIDE)[:, None, None]
    rows = np.array(top) * (1 - down) + np.array(bottom) * down
    return np.ascontiguousarray(np.broadcast_to(rows, (SIDE, SIDE, 3))).astype(np.uint8)


def _fill(picture: Picture, colour: Colour, *corners: tuple[int, int]) -> None:
    cv2.fillPoly(picture, [np.array(corners, np.int32)], colour, cv2.LINE_AA)


def _oval(picture: Picture, colour: Colour, centre: tuple[int, int], axes: tuple[int, int], turn: int = 0) -> None:
    cv2.ellipse(picture, centre, axes, turn, 0, 360, colour, -1, cv2.LINE_AA)


def _disc(picture: Picture, colour: Colour, centre: tuple[int, int], radius: int) -> None:
    cv2.circle(picture, centre, radius, colour, -1, cv2.LINE_AA)


def _wheel(picture: Picture, centre: tuple[int, int], radius: int) -> None:
    _disc(picture, _DARK, centre, radius)
    _disc(picture, (170, 170, 170), centre, radius * 2 // 5)


SCENES = {"airplane": _airplane, "automobile": _automobile, "frog": _frog, "ship": _ship, "truck": _truck}
