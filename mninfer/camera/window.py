"""Live pictures in a window of this machine's screen, where the OpenCV that is installed can open one."""

import os
import sys

from mninfer.camera.frame import Pixels
from mninfer.errors import MissingDependencyError, OutputError

__all__ = ["Window"]

_TITLE = "mninfer (q closes)"
_CLOSING_KEYS = (ord("q"), 27)


class Window:
    """``show`` frames until it returns False: q, Esc or the window's own button."""

    def __init__(self) -> None:
        _require_windows()
        _require_display()

    def show(self, pixels: Pixels) -> bool:
        import cv2

        try:
            cv2.imshow(_TITLE, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
            key = cv2.waitKey(1) & 0xFF
            return key not in _CLOSING_KEYS and cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error as error:
            raise OutputError(
                "no window could be opened", hints="--http 8000 shows the pictures in a browser"
            ) from error

    def close(self) -> None:
        import cv2

        cv2.destroyAllWindows()


def _require_windows() -> None:
    import cv2

    gui = [
        line.split(":", 1)[1].strip()
        for line in cv2.getBuildInformation().splitlines()
        if line.strip().startswith("GUI:")
    ]
    if gui and gui[0] == "NONE":
        raise MissingDependencyError(
            "this OpenCV was built without windows",
            hints=[
                "--http 8000 shows the pictures in a browser, with nothing to install",
                "python -m pip uninstall -y opencv-python-headless && python -m pip install opencv-python",
            ],
        )


def _require_display() -> None:
    """Qt ends the whole process where there is no display: look first."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OutputError(
            "no screen to show pictures on (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            hints=["--http 8000 shows the pictures in a browser", "ssh -X for a window over the network"],
        )
