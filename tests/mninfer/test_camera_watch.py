from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mninfer.camera.frame import Frame, Pixels
from mninfer.camera.playback import VideoFile
from mninfer.camera.rate import FrameRate, Pace
from mninfer.camera.watch import Seen, watch
from support.videos import read_number, write_numbered_video


class Source:
    is_live = True
    frames_per_second = None

    def __init__(self, count: int) -> None:
        self.count = count

    def frames(self) -> Iterator[Frame]:
        for number in range(self.count):
            yield Frame(np.full((4, 4, 3), number, np.uint8), number)

    def close(self) -> None: ...


def no_drawing(pixels: Pixels, result: Any) -> Pixels:
    raise AssertionError("nobody asked for a picture")


def test_every_frame_of_a_video_reaches_every_viewer_in_order(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    write_numbered_video(path, 120)
    seen: list[tuple[int, int, int]] = []

    def viewer(frame: Seen, picture: Callable[[], Pixels]) -> bool:
        seen.append((frame.frame.number, frame.result, read_number(picture())))
        return True

    num_done = watch(VideoFile(str(path)), read_number, lambda pixels, result: pixels, [viewer])
    assert num_done == 120
    assert seen == [(number, number, number) for number in range(120)]


def test_num_frames_stops() -> None:
    assert watch(Source(9), lambda pixels: None, no_drawing, [], num_frames=4) == 4
    assert watch(Source(3), lambda pixels: None, no_drawing, [], num_frames=4) == 3


def test_a_viewer_can_end_it_after_all_viewers_had_the_frame() -> None:
    got: list[int] = []
    viewers = [lambda seen, picture: seen.frame.number < 2, lambda seen, picture: got.append(seen.frame.number) is None]
    assert watch(Source(9), lambda pixels: None, no_drawing, viewers) == 3
    assert got == [0, 1, 2]


def test_a_picture_is_drawn_once_and_only_when_asked_for() -> None:
    drawn: list[int] = []

    def draw(pixels: Pixels, result: Any) -> Pixels:
        drawn.append(int(pixels[0, 0, 0]))
        return pixels

    def viewer(seen: Seen, picture: Callable[[], Pixels]) -> bool:
        if seen.frame.number == 1:
            assert picture() is picture()
        return True

    watch(Source(3), lambda pixels: None, draw, [viewer, viewer])
    assert drawn == [1]


def test_the_rate_is_the_mean_over_the_last_two_seconds() -> None:
    times = iter([0.0, 0.5, 1.0, 1.1, 3.0, 3.1])
    rate = FrameRate(lambda: next(times))
    assert rate.tick() == 0
    assert rate.tick() == pytest.approx(2)
    assert rate.tick() == pytest.approx(2)
    assert rate.tick() == pytest.approx(3 / 1.1)
    assert rate.tick() == pytest.approx(2 / 2)  # 1.0, 1.1, 3.0
    assert rate.tick() == pytest.approx(2 / 2)  # 1.1, 3.0, 3.1


def test_a_pace_waits_for_early_frames_and_does_not_rush_after_late_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr("mninfer.camera.rate.monotonic", lambda: now[0])
    monkeypatch.setattr("mninfer.camera.rate.sleep", sleep)
    pace = Pace(10)
    pace.wait()  # due at once
    now[0] += 0.04
    pace.wait()
    assert waits == [0.06]
    now[0] += 0.7  # a slow frame
    pace.wait()
    now[0] += 0.01
    pace.wait()
    assert len(waits) <= 2
