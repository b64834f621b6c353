import sys

import cv2
import numpy as np
import pytest

from mninfer.camera.window import Window
from mninfer.errors import MissingDependencyError, OutputError

FRAME = np.zeros((4, 4, 3), np.uint8)


@pytest.fixture
def opencv(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """An OpenCV with windows: what it was asked to show, which key is pressed, whether the window is still there."""
    state: dict[str, object] = {"shown": [], "key": -1, "visible": 1.0}
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           GTK3\n    GTK+: YES")
    monkeypatch.setattr(cv2, "imshow", lambda title, pixels: state["shown"].append(pixels))
    monkeypatch.setattr(cv2, "waitKey", lambda delay: state["key"])
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, what: state["visible"])
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: state.update(visible=0.0))
    monkeypatch.setenv("DISPLAY", ":0")
    return state


def test_frames_are_shown_blue_first_until_q_escape_or_the_windows_button(opencv: dict[str, object]) -> None:
    window = Window()
    red = FRAME.copy()
    red[..., 0] = 255
    assert window.show(red)
    assert opencv["shown"][0][0, 0].tolist() == [0, 0, 255]
    for key in (ord("q"), 27):
        opencv["key"] = key
        assert not window.show(FRAME)
    opencv.update(key=ord("x"))
    assert window.show(FRAME)
    opencv.update(visible=0.0)
    assert not window.show(FRAME)
    window.close()


def test_an_opencv_without_windows_is_named_with_both_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           NONE\n")
    with pytest.raises(MissingDependencyError, match="built without windows") as caught:
        Window()
    assert caught.value.hints[0].startswith("--http 8000")
    assert "pip install opencv-python" in caught.value.hints[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is a display something to be named")
def test_without_a_display_the_process_is_not_left_to_qt(
    opencv: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match="no screen to show pictures on"):
        Window()


def test_a_window_that_fails_is_an_output_error(opencv: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "imshow", fail)
    with pytest.raises(OutputError, match="no window could be opened"):
        Window().show(FRAME)
