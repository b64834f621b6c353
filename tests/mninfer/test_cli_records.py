import csv
import errno
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.cli import records as records_module
from mninfer.cli.finished_records import finished_images
from mninfer.cli.record_format import CsvFormat, JsonlFormat, image_key
from mninfer.cli.records import RecordFile
from mninfer.errors import MissingDependencyError, OutputError

COLUMNS = ("label", "score")


def rows(record: dict[str, Any]) -> list[list[object]]:
    return [[each["label"], each["score"]] for each in record["objects"]]


def record(number: int) -> dict[str, Any]:
    """0, 1, 2 objects by turns; every fourth picture fails; names and labels that CSV must quote."""
    name = f'p{number}, "x"\n.jpg'
    if number % 4 == 3:
        return {"image": name, "error": f"bad, {number}"}
    return {"image": name, "objects": [{"label": f'a "{i}"\n,b', "score": 0.5} for i in range(number % 3)]}


def open_file(
    path: Path, *, resume: bool = False, force: bool = False, settings: Any = None, images: Any = None
) -> RecordFile:
    images = ASKED if images is None else images
    return RecordFile(
        str(path), columns=COLUMNS, rows=rows, settings=settings or {"top": 5}, images=images, resume=resume,
        force=force,
    )  # fmt: skip


ASKED = [*(record(number)["image"] for number in range(100)), *(f"{number}{'x' * 2000}" for number in range(100))]


def write_whole(path: Path, count: int = 12) -> bytes:
    with open_file(path) as file:
        for number in range(count):
            file.write(record(number))
        file.finish()
    return path.read_bytes()


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_file_appears_only_when_it_is_complete(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    with open_file(path) as file:
        file.write(record(0))
        assert not path.exists()
        assert Path(file.part).exists()
        file.finish()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_csv_reads_back(tmp_path: Path) -> None:
    data = write_whole(tmp_path / "out.csv", 5)
    table = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert [row["image"] for row in table] == [f'p{n}, "x"\n.jpg' for n in (0, 1, 2, 2, 3, 4)]
    assert table[1]["label"] == 'a "0"\n,b'
    assert table[0]["label"] == ""
    assert table[4] == {"image": 'p3, "x"\n.jpg', "label": "", "score": "", "error": "bad, 3"}


def test_jsonl_reads_back(tmp_path: Path) -> None:
    data = write_whole(tmp_path / "out.jsonl", 5)
    assert [json.loads(line) for line in data.splitlines()] == [record(number) for number in range(5)]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_cut_off_at_any_byte_and_resumed_it_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    whole = write_whole(tmp_path / f"whole.{suffix}")
    path = tmp_path / f"out.{suffix}"
    with open_file(path):
        pass
    sidecar = Path(f"{path}.part.json").read_bytes()
    for size in range(0, len(whole) + 1, 1 if suffix == "csv" else 3):
        Path(f"{path}.part").write_bytes(whole[:size])
        Path(f"{path}.part.json").write_bytes(sidecar)
        with open_file(path, resume=True) as file:
            for number in range(12):
                if not file.is_done(record(number)["image"]):
                    file.write(record(number))
                elif number % 4 == 3:
                    assert file.error_of(record(number)["image"]) == f"bad, {number}"
            file.finish()
        assert path.read_bytes() == whole, size
        path.unlink()


def test_a_part_is_not_written_over_unasked(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_file(path) as file:
        file.write(record(1))
    with pytest.raises(OutputError, match="a run was cut off here") as caught:
        open_file(path)
    assert "--resume" in str(caught.value)
    assert "--force" in str(caught.value)
    with open_file(path, force=True) as file:
        assert not file.is_done(record(1)["image"])


def test_a_file_is_finished_without_its_sidecar_too(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_file(path) as file:
        file.write(record(1))
        (tmp_path / "out.csv.part.json").unlink()
        file.finish()
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_that_came_up_meanwhile_stays_and_so_does_the_part(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_file(path) as file:
        file.write(record(1))
        path.write_text("theirs")
        with pytest.raises(OutputError, match="the output exists already"):
            file.finish()
    assert path.read_text() == "theirs"
    assert (tmp_path / "out.csv.part").exists()


def test_an_existing_file_is_not_written_over_unasked(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(OutputError, match="the output exists already"):
        open_file(path)
    with pytest.raises(OutputError, match="the output exists already"):
        open_file(path, resume=True)
    assert path.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["out.csv"]


def test_resuming_nothing_begins_at_the_beginning(tmp_path: Path) -> None:
    with open_file(tmp_path / "out.csv", resume=True) as file:
        file.write(record(1))
        file.finish()
    assert (tmp_path / "out.csv").read_bytes().startswith(b"image,label,score,error\n")


def test_other_settings_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_file(path, settings={"top": 5, "model": "a"}) as file:
        file.write(record(1))
    before = Path(file.part).read_bytes()
    with pytest.raises(OutputError, match="other settings: top"):
        open_file(path, resume=True, settings={"top": 3, "model": "a"})
    Path(f"{path}.part.json").unlink()
    with pytest.raises(OutputError, match="cannot tell what the run"):
        open_file(path, resume=True, settings={"top": 5, "model": "a"})
    Path(f"{path}.part.json").write_text("[1")
    with pytest.raises(OutputError, match="cannot tell what the run"):
        open_file(path, resume=True)
    assert Path(file.part).read_bytes() == before


@pytest.mark.parametrize(
    ("suffix", "data"), [("csv", b"a,b\n1,2\n"), ("jsonl", b"1\n2\n"), ("jsonl", b"{}\n"), ("csv", b"\xff\xfe\n\n")]
)
def test_a_part_of_something_else_is_refused(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"out.{suffix}"
    with open_file(path) as file:
        pass
    Path(file.part).write_bytes(data)
    with pytest.raises(OutputError, match="this is not a part that this command wrote"):
        open_file(path, resume=True)
    assert Path(file.part).read_bytes() == data


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_part_with_pictures_that_were_not_asked_for_is_left_as_it_is(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    with open_file(path) as file:
        for number in range(4):
            file.write(record(number))
    data = Path(file.part).read_bytes()
    with pytest.raises(OutputError, match=r"results of 3 pictures that were not asked for .*p1,"):
        open_file(path, resume=True, images=ASKED[:1])
    assert Path(file.part).read_bytes() == data
    assert not path.exists()


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_complete_file_says_what_is_in_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"

    def finished(images: list[str]) -> dict[str, str | None] | None:
        return finished_images(str(path), columns=COLUMNS, rows=rows, images=images)

    assert finished(ASKED[:4]) is None  # nothing there
    write_whole(path, 4)
    assert finished(ASKED[:4]) == {**dict.fromkeys(ASKED[:3]), ASKED[3]: "bad, 3"}
    with pytest.raises(OutputError, match="results of 1 pictures that were not asked for"):
        finished(ASKED[:3])
    with pytest.raises(OutputError, match="without 2 of the pictures asked for"):
        finished(ASKED[:6])
    path.write_text("my notes\n")
    with pytest.raises(OutputError, match="is not what this command writes"):
        finished(ASKED[:4])


@pytest.mark.skipif(sys.platform == "win32", reason="locks are POSIX")
def test_two_runs_cannot_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with open_file(path):
        for options in ({}, {"resume": True}, {"force": True}):
            with pytest.raises(OutputError, match="another run is writing this file"):
                open_file(path, **options)


def test_lines_reach_the_disk_while_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10.0]
    monkeypatch.setattr(records_module, "monotonic", lambda: now[0])
    with open_file(tmp_path / "out.jsonl") as file:
        file.write(record(0))
        assert Path(file.part).stat().st_size == 0
        now[0] += 1.1
        file.write(record(1))
        assert len(Path(file.part).read_bytes().splitlines()) == 2
        file.write({"image": "x" * 40_000, "objects": []})
        assert len(Path(file.part).read_bytes().splitlines()) == 3


def test_a_folder_that_is_not_there_or_not_ours(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write: No such file or directory"):
        open_file(tmp_path / "none" / "out.csv")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_full_disk_keeps_what_was_written(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "out.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large") as caught, open_file(path) as file:  # noqa: PT012
            for number in range(100):
                file.write({"image": f"{number}{'x' * 2000}", "objects": []})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "--resume" in str(caught.value)
    assert not path.exists()
    with open_file(path, resume=True) as file:
        assert 10 < len(file.done) < 25
        for number in range(100):
            if not file.is_done(f"{number}{'x' * 2000}"):
                file.write({"image": f"{number}{'x' * 2000}", "objects": []})
        file.finish()
    images = [json.loads(line)["image"].rstrip("x") for line in path.read_bytes().splitlines()]
    assert images == [str(number) for number in range(100)]


def test_a_failed_write_names_the_file(tmp_path: Path) -> None:
    error = records_module._failed("x.csv", OSError(errno.EACCES, "Permission denied"))
    assert str(error).splitlines()[:2] == ["cannot write: Permission denied", "  where: x.csv"]


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError) as caught:
        open_file(tmp_path / "out.parquet")
    assert "python -m pip install pyarrow" in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_parquet_has_the_columns_typed(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: the extra parquet")
    write_whole(tmp_path / "out.parquet", 5)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("image", "string"), ("label", "string"), ("score", "double"), ("error", "string"),
    ]  # fmt: skip
    assert table.column("label").to_pylist() == [None, 'a "0"\n,b', 'a "0"\n,b', 'a "1"\n,b', None, 'a "0"\n,b']
    assert table.column("error").to_pylist()[4] == "bad, 3"
    assert sorted(os.listdir(tmp_path)) == ["out.parquet"]


names = st.text(st.characters(exclude_categories=()), min_size=1)


@given(st.lists(st.tuples(names, st.lists(names, max_size=3)), max_size=6, unique_by=lambda item: image_key(item[0])))
def test_any_names_and_labels_survive_both_formats(pictures: list[tuple[str, list[str]]]) -> None:
    formats = (CsvFormat(COLUMNS, rows), JsonlFormat())
    for form in formats:
        data = form.header
        for image, labels in pictures:
            data += form.encode({"image": image, "objects": [{"label": label, "score": 1} for label in labels]})
        data.decode()
        done = list(form.read(io.BytesIO(data)))
        assert [each.image for each in done] == [image_key(image) for image, _ in pictures]
        assert all(each.error is None for each in done)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_windows_renames_no_open_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: the extra parquet")
    put_in_place, remove = records_module.put_in_place, records_module.remove_if_there

    def closed_first(function: Any) -> Any:
        def call(path: str, *arguments: Any, **options: Any) -> None:
            assert file._file.closed or path == file._sidecar
            function(path, *arguments, **options)

        return call

    monkeypatch.setattr(records_module, "_RENAMES_OPEN_FILES", False)
    monkeypatch.setattr(records_module, "put_in_place", closed_first(put_in_place))
    monkeypatch.setattr(records_module, "remove_if_there", closed_first(remove))
    with open_file(tmp_path / f"out.{suffix}") as file:
        file.write(record(1))
        file.finish()
    assert os.listdir(tmp_path) == [f"out.{suffix}"]


def test_parquet_takes_rows_of_megabytes(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: the extra parquet")
    with open_file(tmp_path / "out.parquet") as file:
        for label in ("x" * 3_000_000, "y"):
            file.write({"image": f"{label[0]}.jpg", "objects": [{"label": label, "score": 0.5}]})
        file.finish()
    labels = parquet.read_table(tmp_path / "out.parquet").column("label").to_pylist()
    assert list(map(len, labels)) == [3_000_000, 1]
