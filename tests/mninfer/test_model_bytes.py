"""A model is read from a regular file of bounded size; what else a path may be is named."""

import os
from pathlib import Path

import pytest

from mninfer.errors import ModelFileError
from mninfer.model_file.model_bytes import read_model_bytes


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "m\N{LATIN SMALL LETTER O WITH DIAERESIS}del.tflite"
    path.write_bytes(b"\0TFL3\n\r\n")
    assert read_model_bytes(path) == b"\0TFL3\n\r\n"
    assert read_model_bytes(str(path)) == b"\0TFL3\n\r\n"


def failure(path: Path) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        read_model_bytes(path)
    assert caught.value.where == str(path)
    return caught.value


def test_a_missing_file_gets_near_matches(tmp_path: Path) -> None:
    (tmp_path / "mobilenet_v2.tflite").write_bytes(b"x")
    error = failure(tmp_path / "mobilenetv2.tflite")
    assert "no such model file" in error.what
    assert error.hints == (f"did you mean {tmp_path / 'mobilenet_v2.tflite'}?",)
    assert failure(tmp_path / "absent" / "model.tflite").hints == ()


def test_a_saved_model_folder_is_named(tmp_path: Path) -> None:
    assert "a folder" in failure(tmp_path).what
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    error = failure(tmp_path)
    assert "SavedModel" in error.what
    assert f"mnconvert {tmp_path}" in error.hints[0]


def test_a_folder_offers_the_models_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.tflite").write_bytes(b"x")
    assert failure(tmp_path).hints == (f"did you mean {tmp_path / 'a.tflite'}?",)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "pipe" in failure(path).what


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_device_is_refused() -> None:
    assert "device" in failure(Path("/dev/zero")).what


def test_a_file_of_more_than_2_gib_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as file:
        file.truncate((2 << 30) + 1)
    assert "more than 2 GiB" in failure(path).what


def test_a_path_with_a_zero_byte_is_an_error() -> None:
    assert "cannot be read" in failure(Path("model\0.tflite")).what


def test_a_folder_that_may_not_be_looked_into_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = os.stat

    def forbidden(path: object, **options: object) -> os.stat_result:
        if str(path).endswith("saved_model.pb"):
            raise PermissionError(13, "Permission denied", str(path))
        return look(path, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "stat", forbidden)
    assert "a folder" in failure(tmp_path).what
