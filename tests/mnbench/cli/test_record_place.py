"""Where a record goes: refused before anything is measured; and where that fails in the end, nothing is lost."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from mnbench.cli.record_place import check_place, kept_elsewhere, write_or_keep
from mnbench.record import Record
from mnbench.record_file import read_record
from mninfer.errors import OutputError
from support.records import board_record

pytestmark = pytest.mark.smoke

RECORD = board_record()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_place_that_will_do_is_left_as_it_was(tmp_path: Path) -> None:
    check_place(str(tmp_path / "r.json"), force=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "r.json").write_text("mine")
    check_place(str(tmp_path / "r.json"), force=True)
    assert (tmp_path / "r.json").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("results/r.json", "No such file or directory", "make the folder first"),
        ("here.json/r.json", "Not a directory", "-o FILE"),
        (f"{'r' * 300}.json", "File name too long", "-o FILE"),
        ("here.json", "the output exists already", "--force"),
    ],
)
def test_a_place_that_will_not_do(tmp_path: Path, name: str, what: str, hint: str) -> None:
    (tmp_path / "here.json").write_text("mine")
    with pytest.raises(OutputError) as caught:
        check_place(str(tmp_path / name), force=False)
    assert what in str(caught.value)
    assert hint in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["here.json"]


def test_the_part_that_another_process_writes_is_left_to_it(tmp_path: Path) -> None:
    """In two containers with one folder, two processes may have one number."""
    part = tmp_path / f"r.json.{os.getpid()}.part"
    part.write_text("half")
    with pytest.raises(OutputError, match="another process is writing the same file") as caught:
        check_place(str(tmp_path / "r.json"), force=False)
    assert str(part) in caught.value.hints[0]
    assert part.read_text() == "half"


def test_a_record_is_written(tmp_path: Path, elsewhere: Path) -> None:
    write_or_keep(RECORD, str(tmp_path / "r.json"), force=False)
    assert read_record(tmp_path / "r.json") == RECORD
    assert list(elsewhere.iterdir()) == []


def test_a_file_that_came_up_meanwhile_stays_and_the_record_is_kept(tmp_path: Path, elsewhere: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("another's")
    with pytest.raises(OutputError, match="the output exists already; the record lies in ") as caught:
        write_or_keep(RECORD, str(path), force=False)
    (kept,) = elsewhere.iterdir()
    assert str(kept) in caught.value.what
    assert f"mnbench table {kept}" in caught.value.hints[0]
    assert read_record(kept) == RECORD
    assert path.read_text() == "another's"


def test_where_no_place_takes_it_both_are_told(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere / "gone"))
    error = kept_elsewhere(RECORD, OutputError("the disk is full", where="r.json"))
    assert error.what == "the disk is full; nor can it be kept elsewhere"
    assert error.where == "r.json"


def test_half_a_record_is_not_kept(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Record) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mnbench.cli.record_place.encode_record", fail)
    assert "nor can it be kept" in kept_elsewhere(RECORD, OutputError("the disk is full")).what
    assert list(elsewhere.iterdir()) == []


def test_a_record_that_is_too_large_to_be_read_is_kept_and_nobody_is_sent_to_read_it(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mnbench.cli.record_place.MAX_RECORD_BYTES", 100)
    error = kept_elsewhere(RECORD, OutputError("the result has 101 bytes by now", hints="fewer --rounds"))
    (kept,) = elsewhere.iterdir()
    assert read_record(kept) == RECORD
    assert error.what == f"the result has 101 bytes by now; the record lies in {kept}"
    assert error.hints == ("fewer --rounds",)


def test_an_empty_name_is_told_before_anything_is_measured() -> None:
    with pytest.raises(OutputError, match="the output has an empty name"):
        check_place("", force=True)
