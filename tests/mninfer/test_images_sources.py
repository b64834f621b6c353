"""Paths, bytes, file objects, arrays, PIL images; what is none of them; folders and patterns."""

import io
import os
import socket
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import InputError
from mninfer.images import LoadedImage, image_paths, load_image, source_name
from support.encoders import scene
from support.hostile_pictures import SIZE, encoded

SCENE = scene(*SIZE)
PNG = encoded(".png")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def is_scene(loaded: LoadedImage) -> bool:
    return np.array_equal(loaded.pixels, SCENE)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    return path


def test_every_source(picture: Path) -> None:
    with picture.open("rb") as file:
        for source in (picture, str(picture), PNG, bytearray(PNG), memoryview(PNG), file, io.BytesIO(PNG), SCENE):
            assert is_scene(load_image(source))


def test_arrays_in_either_order() -> None:
    assert load_image(SCENE).pixels is SCENE
    assert is_scene(load_image(SCENE[..., ::-1], order="bgr"))
    alpha = np.full((*SCENE.shape[:2], 1), 255, np.uint8)
    assert is_scene(load_image(np.dstack([SCENE, alpha])))
    assert is_scene(load_image(np.dstack([SCENE[..., ::-1], alpha]), order="bgr"))
    gray = SCENE[..., 0]
    for array in (gray, gray[..., None]):
        assert np.array_equal(load_image(array).pixels, np.dstack([gray] * 3))


def test_arrays_laid_out_in_any_way() -> None:
    for array in (np.asfortranarray(SCENE), np.flip(np.flip(SCENE, 0), 0), SCENE[::-1][::-1]):
        assert is_scene(load_image(array))
    wide = np.dstack([SCENE, SCENE])
    assert np.array_equal(load_image(wide[..., ::2]).pixels, wide[..., ::2])
    assert np.array_equal(load_image(SCENE[3:20, 5:40]).pixels, SCENE[3:20, 5:40])


@pytest.mark.parametrize(
    ("array", "message", "hint"),
    [
        (SCENE.astype(np.float32), "float32, not uint8", "255"),
        (SCENE.astype(np.uint16), "uint16, not uint8", "257"),
        (SCENE.astype(np.int64), "int64, not uint8", "astype"),
        (SCENE > 9, "bool, not uint8", "astype"),
        (SCENE[None], "shape [1, 40, 64, 3]", "array[0]"),
        (np.ascontiguousarray(SCENE.transpose(2, 0, 1)), "shape [3, 40, 64]", "transpose(1, 2, 0)"),
        (SCENE[..., :2], "shape [40, 64, 2]", "array as"),
        (SCENE[:0], "shape [0, 64, 3]", "array as"),
        (np.frombuffer(PNG, np.uint8), "shape [", "tobytes()"),
        (np.zeros((), np.uint8), "shape []", "array as"),
    ],
)
def test_arrays_that_are_no_pictures(array, message, hint) -> None:
    with pytest.raises(InputError) as caught:
        load_image(array)
    assert message in caught.value.what
    assert hint in caught.value.hints[0]
    assert "array [" in str(caught.value)


def test_an_unknown_order_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="rgb"):
        load_image(SCENE, order="rbg")


@pytest.mark.parametrize("source", [None, 3, 2.5, ["a.jpg"], {"a": 1}])
def test_what_is_no_source(source) -> None:
    with pytest.raises(InputError, match="cannot be made from"):
        load_image(source)


def test_a_missing_file_with_a_near_name(picture: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_image(picture.with_name("pictures.png"))
    assert caught.value.what == "no such file"
    assert "picture.png" in caught.value.hints[0]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_image(tmp_path / "none" / "a.png")
    assert "does not exist either" in caught.value.hints[0]


def test_an_address() -> None:
    with pytest.raises(InputError) as caught:
        load_image("https://example.org/cat.jpg")
    assert "download it first" in caught.value.hints[0]


def test_a_path_with_a_zero_byte() -> None:
    with pytest.raises(InputError, match="not a path"):
        load_image("a\0b.png")


@on_posix
def test_what_is_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        name = os.path.relpath(tmp_path / "socket")  # socket paths are short
        server.bind(name if len(name) < 100 else str(tmp_path / "socket"))
        for source, message in (
            (tmp_path, "a folder"),
            (tmp_path / "pipe", "a pipe"),
            (tmp_path / "socket", "a socket|cannot open"),
            (Path("/dev/zero"), "a device"),
        ):
            with pytest.raises(InputError, match=message):
                load_image(source)


@on_posix
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe caf\xe9.png"
    Path(os.fsdecode(name)).write_bytes(PNG)
    assert is_scene(load_image(os.fsdecode(name)))
    Path(os.fsdecode(name)).write_bytes(b"")
    with pytest.raises(InputError, match="an empty file") as caught:
        load_image(os.fsdecode(name))
    str(caught.value).encode("utf-8")  # it can be printed
    assert image_paths([tmp_path]) == [os.fsdecode(name)]


@on_posix
def test_a_sparse_giant_is_refused_unread(tmp_path: Path) -> None:
    giant = tmp_path / "giant.jpg"
    with giant.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="pictures of up to"):
        load_image(giant)


@on_posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(picture: Path) -> None:
    picture.chmod(0)
    with pytest.raises(InputError, match="cannot read the file: Permission denied"):
        load_image(picture)


def test_bad_file_objects(picture: Path) -> None:
    with pytest.raises(InputError, match="gives text"):
        load_image(io.StringIO("text"))
    with picture.open("rb") as closed:
        pass
    with pytest.raises(InputError, match="cannot read the file object"):
        load_image(closed)


class Drops(io.RawIOBase):
    """A pipe that nobody buffers: each read gives what has come by then."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part, self.rest = self.rest[: min(size, 100)], self.rest[min(size, 100) :]
        return part


@pytest.mark.smoke
def test_a_file_object_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_scene(load_image(Drops(PNG)))
    monkeypatch.setattr("mninfer.images.source.MAX_FILE_BYTES", len(PNG))
    assert is_scene(load_image(Drops(PNG)))
    with pytest.raises(InputError, match=f"the file has {len(PNG) + 1:,} bytes"):
        load_image(Drops(PNG + b"more"))


def test_names_of_sources(picture: Path) -> None:
    assert source_name(picture) == str(picture)
    assert source_name(PNG) == f"{len(PNG):,} bytes"
    assert source_name(SCENE) == "array [40, 64, 3]"
    with picture.open("rb") as file:
        assert source_name(file) == str(picture)
    assert source_name(io.BytesIO()) == "BytesIO"


def test_threads_may_load_at_the_same_time() -> None:
    results: list[bool] = []
    data = encoded(".jpg")
    expected = load_image(data).pixels

    def load() -> None:
        results.extend(np.array_equal(load_image(data).pixels, expected) for _ in range(20))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 80


class TestPil:
    @pytest.fixture
    def image_module(self):
        return pytest.importorskip("PIL.Image")

    def test_modes(self, image_module) -> None:
        image = image_module.fromarray(SCENE)
        assert is_scene(load_image(image))
        alpha = np.full((*SCENE.shape[:2], 1), 255, np.uint8)
        assert is_scene(load_image(image_module.fromarray(np.dstack([SCENE, alpha]))))
        gray = image.convert("L")
        assert np.array_equal(load_image(gray).pixels[..., 1], np.asarray(gray))
        assert load_image(image.convert("1")).pixels.shape == SCENE.shape
        assert load_image(image.convert("P")).pixels.shape == SCENE.shape
        assert load_image(image.convert("CMYK")).pixels.shape == SCENE.shape

    def test_16_bits(self, image_module) -> None:
        image = image_module.open(io.BytesIO(encoded_16_bits()))
        assert load_image(image).pixels[0, :, 0].tolist() == [0, 1, 255]

    def test_orientation(self, image_module) -> None:
        exif = image_module.Exif()
        exif[274] = 6
        file = io.BytesIO()
        image_module.fromarray(SCENE).save(file, "PNG", exif=exif)
        loaded = load_image(image_module.open(file))
        assert np.array_equal(loaded.pixels, np.rot90(SCENE, -1))
        assert np.array_equal(loaded.pixels, load_image(file.getvalue()).pixels)

    def test_no_known_range(self, image_module) -> None:
        with pytest.raises(InputError, match='mode "F"'):
            load_image(image_module.new("F", (4, 4)))

    def test_a_truncated_file(self, image_module) -> None:
        with pytest.raises(InputError, match="PIL cannot read"):
            load_image(image_module.open(io.BytesIO(encoded(".jpg")[:-300])))

    def test_an_empty_one(self, image_module) -> None:
        with pytest.raises(InputError, match="the PIL image is empty: 0 x 4 pixels"):
            load_image(image_module.new("RGB", (0, 4)))

    def test_max_pixels(self, image_module) -> None:
        with pytest.raises(InputError, match="more than"):
            load_image(image_module.fromarray(SCENE), max_pixels=100)


def encoded_16_bits() -> bytes:
    from support.encoders import png

    return png(np.array([[0, 257, 65535]], np.uint16), 0)


def test_pil_is_not_imported() -> None:
    import subprocess

    code = "import sys, mninfer.images; sys.exit('PIL' in sys.modules or 'cv2' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert run.returncode == 0


class TestPaths:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in ("b.JPG", "a.png", "sub/c.jpeg", "sub/deep/d.tif", ".hidden.jpg", ".git/e.jpg", "notes.txt"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        return tmp_path

    def names(self, folder: Path, *items: str) -> list[str]:
        return [os.path.relpath(path, folder) for path in image_paths([folder / item for item in items])]

    def test_a_folder_is_searched_in_order(self, folder: Path) -> None:
        assert self.names(folder, ".") == ["a.png", "b.JPG", "sub/c.jpeg", "sub/deep/d.tif"]

    def test_patterns(self, folder: Path) -> None:
        assert self.names(folder, "*.png", "*.JPG") == ["a.png", "b.JPG"]
        assert self.names(folder, "*") == ["a.png", "b.JPG", "sub/c.jpeg", "sub/deep/d.tif"]  # as a shell's * would
        assert self.names(folder, "**/*.jpeg") == ["sub/c.jpeg"]

    def test_files_stand_for_themselves_and_come_once(self, folder: Path) -> None:
        assert self.names(folder, "notes.txt", "a.png", "a.png", "*.png") == ["notes.txt", "a.png"]
        assert self.names(folder, "sub/../a.png", ".") == ["a.png", "b.JPG", "sub/c.jpeg", "sub/deep/d.tif"]

    def test_what_is_not_there_is_told_at_once(self, folder: Path) -> None:
        with pytest.raises(InputError, match="no such picture or folder") as caught:
            self.names(folder, "a.pgn")
        assert 'a.png"?' in caught.value.hints[0]

    def test_a_file_named_like_a_pattern(self, folder: Path) -> None:
        (folder / "x[1].png").write_bytes(b"")
        assert self.names(folder, "x[1].png") == ["x[1].png"]

    def test_nothing_found(self, folder: Path) -> None:
        (folder / "empty").mkdir()
        with pytest.raises(InputError, match="no pictures in this folder"):
            image_paths([folder / "empty"])
        with pytest.raises(InputError, match="no pictures match") as caught:
            image_paths([str(folder / "*.txt")])
        assert "1 x .txt" in str(caught.value)

    @on_posix
    def test_links_in_a_circle(self, folder: Path) -> None:
        (folder / "sub" / "loop").symlink_to(folder)
        assert len(image_paths([folder])) == 4
