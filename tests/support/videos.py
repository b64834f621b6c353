"""Videos whose frames say their own number, in ten black or white blocks, so that one that is lost or moved shows."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["numbered_frame", "read_number", "write_numbered_video", "write_video"]

BITS, SIDE = 10, 32
CODECS = {".avi": "MJPG", ".mkv": "MJPG", ".mp4": "mp4v"}

Pixels = npt.NDArray[np.uint8]


def numbered_frame(number: int, height: int = 96) -> Pixels:
    """uint8 RGB: the number's bits along the top, the lowest first; grey below."""
    frame = np.full((height, BITS * SIDE, 3), 128, np.uint8)
    for bit in range(BITS):
        frame[:SIDE, bit * SIDE : (bit + 1) * SIDE] = 255 * (number >> bit & 1)
    return frame


def read_number(pixels: Pixels) -> int:
    """The number that ``numbered_frame`` put there, whatever a codec did to the edges."""
    middles = pixels[SIDE // 2, SIDE // 2 :: SIDE, 1][:BITS]
    return sum(1 << bit for bit, level in enumerate(middles) if level > 127)


def write_video(path: Path, frames: list[Pixels], frames_per_second: float = 25.0) -> None:
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODECS[path.suffix]), frames_per_second, (width, height)
    )
    assert writer.isOpened(), f"this OpenCV writes no {path.suffix}"
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()


def write_numbered_video(path: Path, count: int, frames_per_second: float = 25.0) -> None:
    write_video(path, [numbered_frame(number) for number in range(count)], frames_per_second)
