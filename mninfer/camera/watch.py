"""The loop: frame -> result -> everything that wants it. Knows no camera, model or terminal, only their shapes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mninfer.camera.frame import Frame, FrameSource, Pixels
from mninfer.camera.rate import FrameRate, Pace

__all__ = ["Seen", "Viewer", "watch"]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame, what was found in it, and how fast frames are being done."""

    frame: Frame
    result: Any
    frames_per_second: float


# Takes what was seen and a function that draws it (once, and only when called); False ends the watching.
Viewer = Callable[[Seen, Callable[[], Pixels]], bool]


def watch(
    source: FrameSource,
    analyse: Callable[[Pixels], Any],
    draw: Callable[[Pixels, Any], Pixels],
    viewers: Sequence[Viewer],
    *,
    num_frames: int | None = None,
    is_paced: bool = False,
) -> int:
    """Watch until the source ends, ``num_frames`` are done, or a viewer has had enough; return how many were done."""
    rate = FrameRate()
    pace = Pace(source.frames_per_second or 25.0) if is_paced and not source.is_live else None
    num_done = 0
    for frame in source.frames():
        if pace:
            pace.wait()
        seen = Seen(frame, analyse(frame.pixels), rate.tick())
        picture = _drawn_once(draw, seen)
        num_done += 1
        has_enough = [not viewer(seen, picture) for viewer in viewers]  # a list: every viewer gets every frame
        if any(has_enough) or num_done == num_frames:
            break
    return num_done


def _drawn_once(draw: Callable[[Pixels, Any], Pixels], seen: Seen) -> Callable[[], Pixels]:
    drawn: list[Pixels] = []

    def picture() -> Pixels:
        if not drawn:
            drawn.append(draw(seen.frame.pixels, seen.result))
        return drawn[0]

    return picture
