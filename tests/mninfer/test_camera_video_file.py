import os
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from mninfer.camera.playback import VideoFile
from mninfer.camera.video_file import VIDEO_CODECS, VideoSaver
from mninfer.errors import OutputError
from support.videos import numbered_frame, read_number


def saver(path: Path, *, rate: float | None = 25.0, is_live: bool = False, force: bool = False) -> VideoSaver:
    return VideoSaver(str(path), frames_per_second=rate, is_live=is_live, force=force)


def numbers_in(path: Path) -> list[int]:
    source = VideoFile(str(path))
    numbers = [read_number(frame.pixels) for frame in source.frames()]
    source.close()
    return numbers


@pytest.mark.parametrize("suffix", sorted(VIDEO_CODECS))
def test_what_is_saved_is_every_frame_in_order(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    video = saver(path)
    for number in range(60):
        video.add(numbered_frame(number))
    assert not path.exists()  # not before it is complete
    video.close()
    assert numbers_in(path) == list(range(60))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_odd_sizes_lose_a_row_or_column_and_later_sizes_are_fitted(tmp_path: Path) -> None:
    video = saver(tmp_path / "out.mp4")
    video.add(np.zeros((65, 81, 3), np.uint8))
    video.add(np.zeros((200, 100, 3), np.uint8))
    video.close()
    frames = list(VideoFile(str(tmp_path / "out.mp4")).frames())
    assert [frame.pixels.shape for frame in frames] == [(64, 80, 3)] * 2


def test_nothing_seen_nothing_written(tmp_path: Path) -> None:
    saver(tmp_path / "out.mp4").close()
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_no_codec_is_known_for(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r'"\.gif" is no kind of video') as caught:
        saver(tmp_path / "out.gif")
    assert ".mp4" in str(caught.value)


def test_an_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    path = tmp_path / "out.avi"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="the output exists already"):
        saver(path)
    video = saver(path, force=True)
    assert path.read_bytes() == b"mine"
    video.add(numbered_frame(7))
    video.close()
    assert numbers_in(path) == [7]


def test_a_part_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.part.avi").write_bytes(b"mine")
    video = saver(tmp_path / "x.avi")
    video.add(numbered_frame(3))
    video.close()
    assert (tmp_path / "x.part.avi").read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == ["x.avi", "x.part.avi"]


def test_a_path_that_opencv_refuses_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    def refuse(*_: object) -> None:
        raise cv2.error("no such path")

    monkeypatch.setattr(cv2, "VideoWriter", type("Writer", (), {"__new__": refuse, "fourcc": cv2.VideoWriter.fourcc}))
    video = saver(tmp_path / "x.avi")
    with pytest.raises(OutputError, match="cannot write to this path"):
        video.add(numbered_frame(0))
    video.close()
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    video = saver(tmp_path / "none" / "out.avi")
    with pytest.raises(OutputError, match="No such file or directory"):
        video.add(numbered_frame(0))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    rng = np.random.default_rng(1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        video = saver(path)
        for _ in range(40):
            video.add(rng.integers(0, 255, (240, 320, 3), np.uint8))
        with pytest.raises(OutputError, match="frames could be written"):
            video.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == []


def test_a_live_video_keeps_time_by_repeating_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]
    monkeypatch.setattr("mninfer.camera.video_file.monotonic", lambda: now[0])
    path = tmp_path / "live.avi"
    video = saver(path, rate=10, is_live=True)
    for number, seconds in enumerate([0.0, 0.31, 0.32, 1.0]):
        now[0] = 50.0 + seconds
        video.add(numbered_frame(number))
    video.close()
    assert numbers_in(path) == [0, 1, 1, 1, *[3] * 7]  # frame 2 came in the same tenth of a second as frame 1


@pytest.mark.parametrize(("rate", "saved"), [(119.783, 119.78), (239.531, 239.53), (29.97003, 29.97), (999.4, 999.4)])
def test_a_slow_motion_videos_mean_rate_is_one_that_can_be_written(tmp_path: Path, rate: float, saved: float) -> None:
    for suffix in VIDEO_CODECS:
        video = saver(tmp_path / f"out{suffix}", rate=rate)
        for number in range(5):
            video.add(numbered_frame(number))
        video.close()
        source = VideoFile(str(tmp_path / f"out{suffix}"))
        assert source.frames_per_second == pytest.approx(saved, rel=1e-3)
        assert len(list(source.frames())) == 5
