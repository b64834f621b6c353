"""Raspberry Pi cameras, through libcamera's picamera2, which comes with the Pi's system."""

from typing import Any

from mninfer.camera.frame import FrameSource, Pixels
from mninfer.camera.newest_frame import NewestFrame
from mninfer.errors import InputError, MissingDependencyError

__all__ = ["open_picamera"]

_SIZE = (1280, 720)


def open_picamera() -> FrameSource:
    """Start the first camera in a video configuration."""
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise _missing() from error
    try:
        camera = Picamera2()
        # libcamera names formats by bytes in a little-endian word: its "BGR888" is an array of red, green, blue.
        camera.configure(camera.create_video_configuration(main={"size": _SIZE, "format": "BGR888"}))
        camera.start()
    except (RuntimeError, IndexError) as error:  # IndexError: picamera2 finds no camera
        raise InputError(
            f"the camera cannot be started: {error}",
            where="--source picamera2",
            hints=[
                "rpicam-hello --list-cameras shows whether the system sees it",
                "close programs that use the camera",
            ],
        ) from error
    return NewestFrame(_PicameraReader(camera), where="picamera2")


class _PicameraReader:
    frames_per_second: float | None = 30.0  # what a video configuration starts with
    is_over = False

    def __init__(self, camera: Any) -> None:
        self._camera = camera

    def read(self) -> Pixels | None:
        pixels: Pixels = self._camera.capture_array("main")
        return pixels

    def close(self) -> None:
        self._camera.stop()
        self._camera.close()


def _missing() -> MissingDependencyError:
    """Only Raspberry Pi OS has it, and a virtual environment does not see it unless told to."""
    return MissingDependencyError(
        "picamera2 is not installed for this Python",
        hints=[
            "sudo apt install -y python3-picamera2",
            "in a virtual environment: python3 -m venv --system-site-packages VENV",
        ],
    )
