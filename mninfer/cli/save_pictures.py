"""Pictures with what was found drawn on them, in a folder: names are planned beforehand, so that none collide."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from mninfer.errors import InputError, OutputError
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
    numbers: dict[str, int] = {}  # the last one that each name was given: a thousand folders may have one x.jpg each
    names = {}
    for picture in pictures:
        stem, ending = os.path.splitext(picture.relative)
        if suffix is not None:
            ending = suffix
        elif ending.lower() not in _WRITABLE:
            ending += ".png"
        name = stem + ending
        key, number = name.casefold(), numbers.get(name.casefold(), 1)
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}{ending}"
        numbers[key] = number
        taken.add(name.casefold())
        names[picture.path] = name
    return names


class PictureSaver:
    """``plan`` once, then ``save`` each. ``render(path, result)`` makes the uint8 picture, RGB or one channel."""

    def __init__(self, folder: str, render: Render, *, suffix: str | None = None) -> None:
        self.folder = folder
        self._render = render
        self._suffix = suffix
        self._force = False
        self._names: dict[str, str] = {}

    def plan(self, pictures: Sequence[FoundImage], *, force: bool) -> None:
        """Name every file to come; refuse to write over one that exists (unless ``force``) or over a source."""
        self._force = force
        self._names = plan_names(pictures, self._suffix)
        existing = [target for target in map(self._target, pictures) if os.path.lexists(target)]
        sources = {identity for picture in pictures if (identity := _identity(picture.path))} if existing else set()
        for target in existing:
            if _identity(target) in sources:
                raise OutputError("this would write over one of the pictures", where=target, hints=_ELSEWHERE)
            refuse_existing(target, force=force, elsewhere=_ELSEWHERE)

    def _target(self, picture: FoundImage) -> str:
        return os.path.join(self.folder, self._names[picture.path])

    def save(self, picture: FoundImage, result: Any) -> None:
        """Draw ``result`` on the picture and write it, whole or not at all."""
        target = self._target(picture)
        write_picture(target, self._render(picture.path, result), force=self._force)


def _identity(path: str) -> tuple[int, int] | None:
    """The same for every name of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def drawing_saver(folder: str, max_pixels: int) -> PictureSaver:
    """Saves pictures of up to ``max_pixels`` with their results drawn on them."""

    def draw_on_file(path: str, result: Any) -> Any:
        from mninfer.draw import draw
        from mninfer.images import load_image
        from mninfer.segmentation import Segmentation

        pixels = load_image(path, max_pixels=max_pixels).pixels
        if isinstance(result, Segmentation) and result.mask.shape != pixels.shape[:2]:
            raise InputError("the picture was changed while it was looked at")
        return draw(pixels, result)

    return PictureSaver(folder, draw_on_file)


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
