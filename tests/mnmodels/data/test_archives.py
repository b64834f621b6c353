"""Hostile and damaged archives: named, bounded, and nothing written anywhere."""

import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mninfer.errors import InputError, MnError
from mnmodels.data import open_data
from mnmodels.data.tar_members import read_tar
from mnmodels.data.unpacking import Unpacked
from mnmodels.data.zip_members import read_zip
from support.labelled import encoded, tar_of, zip_of

pytestmark = pytest.mark.smoke

FILES = {"a/1.png": encoded(1), "b/1.png": encoded(2)}


def members(data: bytes, *, max_bytes: int = 1 << 20) -> list[tuple[str, bytes]]:
    stream = Unpacked(io.BytesIO(data), where="x.tar", max_bytes=max_bytes)
    return list(read_tar(stream, where="x.tar", is_wanted=lambda _: True))


def special(kind: bytes, **fields: object) -> bytes:
    """An archive of one member that is no plain file, and then a picture."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        row = tarfile.TarInfo("a/link.png")
        row.type = kind
        for name, value in fields.items():
            setattr(row, name, value)
        archive.addfile(row)
        picture = tarfile.TarInfo("a/1.png")
        picture.size = len(FILES["a/1.png"])
        archive.addfile(picture, io.BytesIO(FILES["a/1.png"]))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "a\\..\\evil.png"])
@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str, pack: object) -> None:
    path = tmp_path / "inner" / "a.bin"
    path.parent.mkdir()
    path.write_bytes(pack({**FILES, name: encoded(3)}))  # type: ignore[operator]
    with pytest.raises(InputError, match="which leads out of its folder"):
        open_data(path)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["a.bin", "inner"]


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_devices_are_passed_over(kind: bytes) -> None:
    assert [name for name, _ in members(special(kind))] == ["a/1.png"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_picture_that_is_a_link_is_told_and_never_missing_without_a_word(kind: bytes) -> None:
    data = special(kind, linkname="/etc/passwd")
    with pytest.raises(InputError, match=r'"a/link.png" is a link in the archive, which is not followed'):
        members(data)
    stream = Unpacked(io.BytesIO(data), where="x.tar")
    wanted = list(read_tar(stream, where="x.tar", is_wanted=lambda name: "link" not in name))
    assert [name for name, _ in wanted] == ["a/1.png"]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_checksum_at_the_end_is_compared(pack: Callable[[bytes], bytes]) -> None:
    """A picture with a wrong pixel is no picture that was packed."""
    noise = random.Random(0).randbytes(60_000)
    data = bytearray(pack(tar_of({"a/1.png": noise})))
    assert members(bytes(data)) == [("a/1.png", noise)]
    data[data.index(noise[:32]) + 5 if noise[:32] in data else len(data) // 2] ^= 1
    with pytest.raises(InputError, match="the archive is damaged or cut off"):
        members(bytes(data))


def test_a_size_of_thousands_of_digits_is_told() -> None:
    size = b"size=" + b"9" * 5000 + b"\n"
    record = str(len(size) + 5).encode() + b" " + size
    row = tarfile.TarInfo("PaxHeaders/x")
    row.type, row.size = tarfile.XHDTYPE, len(record)
    data = row.tobuf() + record.ljust(-(-len(record) // 512) * 512, b"\0") + tarfile.TarInfo("a/1.png").tobuf()
    with pytest.raises(InputError, match=r'"a/1.png" has a size of 5,000 digits'):
        members(data)


def test_an_archive_that_ends_after_a_whole_member_is_cut_off_too() -> None:
    with pytest.raises(InputError, match="the archive is cut off: it has no end"):
        members(tar_of(FILES)[:1024])


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_a_name_twice_is_refused(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "a.bin"
    if pack is tar_of:
        path.write_bytes(tar_of(FILES)[:2048] + tar_of({"a/1.png": encoded(9)}))
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a/1.png", encoded(1))
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("a/1.png", encoded(2))
        path.write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match=r'holds "a/1.png" twice'):
        open_data(path)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_bomb_is_stopped_at_the_bound(pack: object) -> None:
    bomb = pack(tar_of({"a/1.png": bytes(4 << 20)}))  # type: ignore[operator]
    assert len(bomb) < 20_000
    with pytest.raises(InputError, match="holds more than 1,048,576 bytes"):
        members(bomb)


def test_a_zip_bomb_is_stopped_before_it_is_unpacked() -> None:
    bomb = zip_of({"a/1.png": bytes(4 << 20)})
    with pytest.raises(InputError, match="holds more than 1,048,576 bytes"):
        list(read_zip(io.BytesIO(bomb), where="x.zip", is_wanted=lambda _: True, max_bytes=1 << 20))


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_says() -> None:
    data = bytearray(zip_of({"a/1.png": bytes(100_000)}))
    for mark, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        place = data.index(mark) + at
        data[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InputError, match="the zip archive can't be read"):
        list(read_zip(io.BytesIO(bytes(data)), where="x.zip", is_wanted=lambda _: True))


@pytest.mark.slow
def test_xz_that_wants_much_memory_is_refused() -> None:
    greedy = lzma.compress(tar_of(FILES), filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}])
    with pytest.raises(InputError, match="damaged or cut off: Memory usage limit"):
        members(greedy)


def test_a_huge_member_is_refused_before_it_is_read() -> None:
    row = tarfile.TarInfo("a/1.png")
    row.size = 1 << 40
    with pytest.raises(InputError, match=r'"a/1.png" has 1,099,511,627,776 bytes'):
        members(row.tobuf(tarfile.GNU_FORMAT))


def test_a_huge_extended_header_is_refused_before_it_is_read() -> None:
    row = tarfile.TarInfo("PaxHeaders/x")
    row.type, row.size = tarfile.XHDTYPE, 1 << 30
    with pytest.raises(InputError, match="has 1,073,741,824 bytes; at most 65,536 are read"):
        members(row.tobuf())


def test_several_xz_streams_are_one_archive() -> None:
    data = tar_of(FILES)
    assert members(lzma.compress(data[:700]) + bytes(8) + lzma.compress(data[700:])) == list(FILES.items())


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
def test_a_cut_off_archive_is_told(pack: object, part: float) -> None:
    data = pack(tar_of({"a/1.png": random.Random(0).randbytes(60_000)}))  # type: ignore[operator]
    with pytest.raises(InputError, match=r"ends within|cut off"):
        members(data[: int(len(data) * part)])


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    data = bytearray(zip_of(FILES))
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(mark) + at] |= 1
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="is encrypted"):
        open_data(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04 nothing more", b"hello " * 200, bytes(2048)])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"not a tar archive|no pictures in this archive|the zip archive can't be read"
    ):
        open_data(path)


@pytest.mark.parametrize(
    "pack", [tar_of, lambda files: tar_of(files, "w:xz"), lambda files: tar_of(files, "w:gz"), zip_of]
)
def test_damage_anywhere_ends_in_an_error_of_ours_or_in_pictures(tmp_path: Path, pack: object) -> None:
    whole = pack(FILES)  # type: ignore[operator]
    rng = random.Random(1)
    path = tmp_path / "a.bin"
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(bytes(data[: rng.randrange(len(data)) + 1] if rng.random() < 0.3 else data))
        told = str(path)
        try:
            open_data(path)
        except MnError as error:
            told = str(error)
        assert str(path) in told
