"""The zip behind the flatbuffer: everybody reads ours and it has one form; hostile ones end in a ModelFileError."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.errors import ModelFileError
from mninfer.model_file.archive import ArchiveEntry, read_archive, write_archive

pytestmark = pytest.mark.smoke

FLATBUFFER = bytes(range(200)) * 3
ENTRIES = (ArchiveEntry("labels.txt", b"cat\ndog\n"), ArchiveEntry("mnkit.json", b"{}\n"))
WHOLE = FLATBUFFER + write_archive(ENTRIES, len(FLATBUFFER))


def with_foreign_names(entries: Sequence[ArchiveEntry], **names: bytes) -> bytes:
    """An archive whose entries of these placeholders have other names, of as many bytes."""
    data = write_archive(entries, len(FLATBUFFER))
    for placeholder, name in names.items():
        assert len(placeholder) == len(name)
        data = data.replace(placeholder.encode(), name)
    return data


def zipped(method: int, **entries: bytes) -> bytes:
    """As Python's zipfile writes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_the_standard_library_reads_ours() -> None:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        assert [info.filename for info in infos] == ["labels.txt", "mnkit.json"]
        assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("labels.txt") == b"cat\ndog\n"


def test_what_is_written_is_read() -> None:
    archive = read_archive(WHOLE)
    assert archive is not None
    assert (archive.start, archive.entries) == (len(FLATBUFFER), ENTRIES)
    assert archive.find("mnkit.json") == b"{}\n"
    assert archive.find("labels") is None


def test_names_that_are_not_utf8_are_kept_as_they_are() -> None:
    """Two that were one name once refused the file, and long ones grew too long to be written."""
    entries = [ArchiveEntry("A" * 250, b"1"), ArchiveEntry("B" * 250, b"2"), ArchiveEntry("caf\u00e9", b"3")]
    foreign = with_foreign_names(entries, **{"A" * 250: b"\xe8" * 250, "B" * 250: b"\xe9" * 250})
    archive = read_archive(FLATBUFFER + foreign)
    assert archive is not None
    assert [entry.data for entry in archive.entries] == [b"1", b"2", b"3"]
    assert write_archive(archive.entries, len(FLATBUFFER)) == foreign
    with zipfile.ZipFile(io.BytesIO(foreign)) as opened:  # which takes what is not marked as UTF-8 for code page 437
        assert opened.namelist()[0].encode("cp437") == b"\xe8" * 250


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40),
                    st.binary(max_size=60), max_size=5),
    st.integers(0, 50),
)  # fmt: skip
def test_any_entries_go_round(contents: dict[str, bytes], start: int) -> None:
    entries = tuple(ArchiveEntry(name, data) for name, data in contents.items())
    archive = read_archive(bytes(start) + write_archive(entries, start))
    assert archive is not None
    assert (archive.start, archive.entries) == (start, entries)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("prefix", [b"", FLATBUFFER])
def test_other_peoples_archives_are_read(method: int, prefix: bytes) -> None:
    archive = read_archive(prefix + zipped(method, **{"labelmap.txt": b"person\n" * 90}))
    assert archive is not None
    assert archive.start == len(prefix)
    assert archive.find("labelmap.txt") == b"person\n" * 90


@pytest.mark.parametrize("data", [b"", b"PK", FLATBUFFER, FLATBUFFER + b"PK\x05\x06", WHOLE + b"\0", WHOLE[:-1]])
def test_no_archive(data: bytes) -> None:
    assert read_archive(data) is None


def test_a_changed_byte_is_refused_or_shows_in_what_is_written_again() -> None:
    for offset in range(len(FLATBUFFER), len(WHOLE)):
        for flip in (0x01, 0x80):
            damaged = bytearray(WHOLE)
            damaged[offset] ^= flip
            try:
                archive = read_archive(bytes(damaged))
            except ModelFileError:
                continue
            if archive is not None:
                assert write_archive(archive.entries, archive.start) != bytes(damaged)[archive.start :], offset


def test_a_bomb_is_stopped_at_the_size_it_claims() -> None:
    bomb = bytearray(zipped(zipfile.ZIP_DEFLATED, bomb=bytes(50 << 20)))
    central = bomb.rindex(b"PK\x01\x02")
    struct.pack_into("<I", bomb, central + 24, 10)
    with pytest.raises(ModelFileError, match='entry "bomb": more than the 10 bytes'):
        read_archive(bytes(bomb))


def damaged(offset_in_directory: int, form: str, value: int) -> bytes:
    data = bytearray(WHOLE)
    struct.pack_into(form, data, data.index(b"PK\x01\x02") + offset_in_directory, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (damaged(8, "<H", 1), "encrypted"),
        (damaged(10, "<H", 14), "packed by method 14"),
        (damaged(16, "<I", 1), "checksum"),
        (damaged(20, "<I", 2**31), "bytes; at most"),
        (damaged(24, "<I", 2**31), "of 2147483648 bytes"),
        (damaged(28, "<H", 0), "a name of 0 bytes"),
        (damaged(28, "<H", 60000), "no directory entry"),
        (damaged(42, "<I", 2**32 - 1), "at byte"),
        (WHOLE[:-10] + b"\xff" * 4 + WHOLE[-6:], "multi-part or zip64"),
        (WHOLE[:-14] + b"\xff\xff\xff\xff" + WHOLE[-10:], "multi-part or zip64"),
        (FLATBUFFER + write_archive(ENTRIES[:1] * 2, len(FLATBUFFER)), "two entries of one name"),
        (write_archive([ArchiveEntry(str(i), b"") for i in range(65)], 0), "65 entries"),
    ],
)
def test_hostile_archives_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_archive(data)


def test_a_stream_cut_off_is_refused() -> None:
    stream = zlib.compressobj(wbits=-15)
    packed = stream.compress(bytes(1000)) + stream.flush(zlib.Z_SYNC_FLUSH)
    data = bytearray(write_archive([ArchiveEntry("x", packed)], 0))
    for place in (8, data.index(b"PK\x01\x02") + 10):
        struct.pack_into("<H", data, place, 8)
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 1000)
    with pytest.raises(ModelFileError, match="cut off"):
        read_archive(bytes(data))


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_name_that_could_not_be_read_is_not_written(name: str) -> None:
    with pytest.raises(ValueError, match="beyond what read_archive accepts"):
        write_archive([ArchiveEntry(name, b"")], 0)
