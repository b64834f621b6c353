"""A file is written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import pytest

from mninfer.errors import OutputError
from mninfer.files import (
    FileTooLargeError,
    NotRegularFileError,
    part_of,
    put_in_place,
    read_regular_file,
    write_atomically,
)

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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new", force=True)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", mode)


@pytest.mark.parametrize("name", ["n" * 240, "n" * 255, "\u00e9" * 127])
def test_a_name_may_be_as_long_as_the_system_takes_it(tmp_path: Path, name: str) -> None:
    """Its part, of a longer name, was what the system refused."""
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("this file system does not take such names")
    write_atomically(tmp_path / name, b"data", force=True)
    assert (tmp_path / name).read_bytes() == b"data"
    assert os.listdir(tmp_path) == [name]
    assert part_of(str(tmp_path / name)) != part_of(str(tmp_path / f"m{name[1:]}"))


def test_a_name_that_is_too_long_is_told_and_has_no_part(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write the file"):
        write_atomically(tmp_path / ("n" * 256), b"data")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_is_no_file(tmp_path: Path, force: bool) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        write_atomically(tmp_path, b"", force=force)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_regular_file_stays(tmp_path: Path, force: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="the output is a pipe, not a file"):
        write_atomically(pipe, b"", force=force)
    with pytest.raises(OutputError, match="the output is a device, not a file"):
        write_atomically(os.devnull, b"", force=force)
    assert pipe.is_fifo()


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


def test_the_part_that_another_process_writes_is_left_to_it(tmp_path: Path) -> None:
    part = Path(part_of(str(tmp_path / "out")))
    part.write_bytes(b"half")
    with pytest.raises(OutputError, match="another process is writing the same file") as caught:
        write_atomically(tmp_path / "out", b"ours")
    assert str(part) in caught.value.hints[0]
    assert os.listdir(tmp_path) == [part.name]
    assert part.read_bytes() == b"half"


class TestRead:
    def test_a_file_is_read_whole(self, tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(b"data")
        assert read_regular_file(tmp_path / "in", 4) == b"data"

    def test_more_than_is_wanted_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "in").write_bytes(b"data")
        with pytest.raises(FileTooLargeError, match="4 bytes, more than 3") as caught:
            read_regular_file(tmp_path / "in", 3)
        assert caught.value.size_bytes == 4

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
    def test_what_has_no_end_is_not_opened(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path, "a folder"), (Path("/dev/zero"), "a device")):
            with pytest.raises(NotRegularFileError) as caught:
                read_regular_file(path, 10)
            assert caught.value.kind == kind


def test_a_part_is_kept_where_its_place_was_taken(tmp_path: Path) -> None:
    part, target = tmp_path / "part", tmp_path / "out"
    part.write_bytes(b"ours")
    target.write_bytes(b"theirs")
    with pytest.raises(OutputError, match="exists already"):
        put_in_place(str(part), str(target), force=False)
    assert part.read_bytes() == b"ours"
    put_in_place(str(part), str(target), force=True)
    assert os.listdir(tmp_path) == ["out"]
    assert target.read_bytes() == b"ours"
