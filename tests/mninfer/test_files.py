"""A file is written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import pytest

from mninfer.errors import OutputError
from mninfer.files import write_atomically

pytestmark = pytest.mark.smoke


def test_it_is_written_and_nothing_else(tmp_path: Path) -> None:
    write_atomically(tmp_path / "out", b"data")
    assert (tmp_path / "out").read_bytes() == b"data"
    assert os.listdir(tmp_path) == ["out"]


def test_an_existing_file_stays_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="the output exists already") as caught:
        write_atomically(path, b"new")
    assert "--force to replace it" in caught.value.hints
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new", force=True)
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_is_no_file(tmp_path: Path, force: bool) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        write_atomically(tmp_path, b"", force=force)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write the file: No such file") as caught:
        write_atomically(tmp_path / "no" / "out", b"")
    assert caught.value.hints == ("make the folder first",)


@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_the_old_file_and_no_part(tmp_path: Path, force: bool, monkeypatch: Any) -> None:
    path = tmp_path / "out"
    if force:
        path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(path, b"new", force=force)
    assert os.listdir(tmp_path) == (["out"] if force else [])
    assert not force or path.read_bytes() == b"old"


def test_a_file_that_comes_up_meanwhile_stays(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "out"
    monkeypatch.setattr(os, "fsync", lambda descriptor: path.write_bytes(b"theirs"))
    with pytest.raises(OutputError, match="exists already"):
        write_atomically(path, b"ours")
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: Any) -> None:
    def no_links(source: object, target: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    write_atomically(tmp_path / "out", b"data")
    assert os.listdir(tmp_path) == ["out"]
