"""Pictures with what was found drawn on them, in a folder: names are planned beforehand, so that none collide."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from mninfer.errors import OutputError
from mninfer.files import refuse_existing, write_atomically
from mninfer.images.paths import FoundImage

__all__ = ["PictureSaver", "drawing_saver", "plan_names", "write_picture"]

# What every OpenCV writes. Anything else (GIF, AVIF, the many kinds of TIFF) becomes a PNG, named x.gif.png.
_WRITABLE = frozenset((".bmp", ".jpeg", ".jpg", ".png", ".webp"))

_ELSEWHERE = "another folder"

Render = Callable[[str, Any], Any]


def plan_names(pictures: Sequence[FoundImage], suffix: str | None = None) -> dict[str, str]:
    """For each picture's path a name below the folder; equal ones (in any case of letters) get -2, -3, …"""
    taken: set[str] = set()
    names = {}
    for picture in pictures:
        stem, ending = os.path.splitext(picture.relative)
        if suffix is not None:
            ending = suffix
        elif ending.lower() not in _WRITABLE:
            ending += ".png"
        name, number = stem + ending, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}{ending}"
        taken.add(name.casefold())
        names[picture.path] = name
    return names


class PictureSaver:
    """``plan`` once, then ``save`` each. ``render(path, result)`` makes the uint8 picture, RGB or one channel."""

    def __init__(self, folder: str, render: Render, *, suffix: str | None = None) -> None:
        self._folder = folder
        self._render = render
        self._suffix = suffix
        self._force = False
        self._names: dict[str, str] = {}

    def plan(self, pictures: Sequence[FoundImage], *, force: bool) -> None:
        """Name every file to come; refuse to write over one that exists (unless ``force``) or over a source."""
        self._force = force
        self._names = plan_names(pictures, self._suffix)
        for picture in pictures:
            target = self._target(picture)
            if not os.path.lexists(target):
                continue
            if os.path.exists(picture.path) and os.path.samefile(target, picture.path):
                raise OutputError("this would write over the picture itself", where=target, hints="another folder")
            refuse_existing(target, force=force, elsewhere=_ELSEWHERE)

    def _target(self, picture: FoundImage) -> str:
        return os.path.join(self._folder, self._names[picture.path])

    def save(self, picture: FoundImage, result: Any) -> None:
        """Draw ``result`` on the picture and write it, whole or not at all."""
        target = self._target(picture)
        write_picture(target, self._render(picture.path, result), force=self._force)


def drawing_saver(folder: str) -> PictureSaver:
    """Saves pictures with their results drawn on them."""
    return PictureSaver(folder, _draw_on_file)


def _draw_on_file(path: str, result: Any) -> Any:
    from mninfer.draw import draw
    from mninfer.images import load_image

    return draw(load_image(path).pixels, result)


def write_picture(target: str, pixels: Any, *, force: bool) -> None:
    """Encode by the suffix and write it whole or not at all, making its folder where there is none."""
    import cv2

    is_colour = pixels.ndim == 3
    ordered = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if is_colour else pixels
    try:
        is_encoded, data = cv2.imencode(os.path.splitext(target)[1], ordered)
    except cv2.error as error:
        raise OutputError("this OpenCV cannot encode such a picture", where=target) from error
    if not is_encoded:
        raise OutputError("the picture could not be encoded (too large for its format?)", where=target)
    try:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder: {error.strerror}", where=target, hints=_ELSEWHERE) from error
    write_atomically(target, data.tobytes(), force=force, elsewhere=_ELSEWHERE, is_synced=False)
