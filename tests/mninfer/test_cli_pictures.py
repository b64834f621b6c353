import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mninfer.cli.save_pictures import PictureSaver, drawing_saver, plan_names
from mninfer.errors import InputError, OutputError
from mninfer.images.paths import FoundImage, find_images


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def relative(pictures: list[FoundImage], folder: Path) -> list[str]:
    return [os.path.relpath(picture.path, folder).replace(os.sep, "/") for picture in pictures]


def test_a_folder_gives_its_pictures_in_order_hidden_ones_and_other_files_left_out(tmp_path: Path) -> None:
    make(tmp_path, "b.JPG", "a.png", "c.txt", "._a.png", ".hidden/x.png", "z/1.webp", "m/2.avif", "m/1.gif", "jpg")
    found = find_images([str(tmp_path)])
    assert relative(found, tmp_path) == ["a.png", "b.JPG", "m/1.gif", "m/2.avif", "z/1.webp"]
    assert [picture.relative for picture in found][-1] == os.path.join("z", "1.webp")


def test_files_of_any_name_are_taken_as_given(tmp_path: Path) -> None:
    make(tmp_path, "photo", "[1].jpg")
    found = find_images([str(tmp_path / "photo"), str(tmp_path / "[1].jpg")])
    assert relative(found, tmp_path) == ["photo", "[1].jpg"]


def test_globs_are_expanded_where_the_shell_did_not(tmp_path: Path) -> None:
    make(tmp_path, "a1.png", "a2.png", "b.png", "deep/er/a3.png", "folder.d/x.png")
    assert relative(find_images([str(tmp_path / "a*.png")]), tmp_path) == ["a1.png", "a2.png"]
    found = find_images([str(tmp_path / "**" / "a?.png")])
    assert relative(found, tmp_path) == ["a1.png", "a2.png", "deep/er/a3.png"]
    assert relative(find_images([str(tmp_path / "*.d")]), tmp_path) == ["folder.d/x.png"]


def test_a_picture_named_twice_is_done_once(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "b.png")
    arguments = [str(tmp_path / "b.png"), str(tmp_path), os.path.join(str(tmp_path), ".", "b.png")]
    assert relative(find_images(arguments), tmp_path) == ["b.png", "a.png"]


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("photo1.jp", "no such picture or folder", 'photo1.jpg"?'),
        ("zzz", "no such picture or folder", "look in "),
        ("none/x.jpg", "no such picture or folder", "look in "),
        ("empty", "no pictures in this folder", ".webp"),
        ("*.gif", "no pictures match this pattern", "**"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_done(tmp_path: Path, name: str, message: str, hint: str) -> None:
    make(tmp_path, "photo1.jpg", "empty/readme.txt")
    with pytest.raises(InputError, match=message) as caught:
        find_images([str(tmp_path / "photo1.jpg"), str(tmp_path / name)])
    assert hint in str(caught.value)


def test_an_address_is_to_be_downloaded_first() -> None:
    with pytest.raises(InputError, match="no such picture or folder") as caught:
        find_images(["https://somewhere/x.jpg"])
    assert caught.value.hints == ("download it first: addresses are not opened",)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "closed/b.png")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(InputError, match="cannot read this folder: Permission denied"):
        find_images([str(tmp_path)])


def close_folder(monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    """As a folder of somebody else's is, also to root, who reads every folder."""
    scandir = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_an_unreadable_folder_below_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.png", "closed/b.png", "d.png")
    close_folder(monkeypatch, "closed")
    errors: list[InputError] = []
    found = find_images([str(tmp_path)], on_unreadable=errors.append)
    assert relative(found, tmp_path) == ["a.png", "d.png"]
    assert [(error.what, error.where) for error in errors] == [
        ("cannot read this folder: Permission denied", str(tmp_path / "closed"))
    ]
    with pytest.raises(InputError, match="cannot read this folder"):
        find_images([str(tmp_path)])
    with pytest.raises(InputError, match="cannot read this folder"):  # all that was asked for
        find_images([str(tmp_path / "closed")], on_unreadable=errors.append)


def test_an_unreadable_folder_is_told_at_the_end(
    cli, models: Path, picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "closed/b.png")
    for number, picture in enumerate(sorted(picture_folder.glob("*.png"))[:2]):
        (tmp_path / f"{number}.png").write_bytes(picture.read_bytes())
    close_folder(monkeypatch, "closed")
    outcome = cli("classify", models / "shapes.tflite", tmp_path)
    assert outcome.code == 1
    assert len(outcome.out.splitlines()) == 2
    assert outcome.err == f"Error: cannot read this folder: Permission denied\n  where: {tmp_path / 'closed'}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_links_to_folders_give_no_picture_twice(tmp_path: Path) -> None:
    make(tmp_path, "d/a.png", "d/sub/b.png")
    (tmp_path / "d" / "sub" / "loop").symlink_to("..")
    (tmp_path / "d" / "sub" / "again").symlink_to("..")
    for pattern in ("d/**/*.png", "**/*.png", "d/**", "**/sub/**/../*/*.png", "d/sub/*", "**/loop/*.png", "d/*/*.png"):
        found = relative(find_images([str(tmp_path / pattern)]), tmp_path)
        assert len({os.path.realpath(tmp_path / name) for name in found}) == len(found), pattern
    assert relative(find_images([str(tmp_path / "d" / "**" / "*.png")]), tmp_path) == ["d/a.png", "d/sub/b.png"]
    assert relative(find_images([str(tmp_path / "d" / "**")]), tmp_path) == ["d/a.png", "d/sub/b.png"]


def test_stars_are_what_the_glob_module_makes_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from glob import glob

    make(tmp_path, "a.png", "[x]/a.png", "[x]/y/a.png", "[x]/y/b.png", ".h/a.png", "a**b/c.png")
    monkeypatch.chdir(tmp_path)
    for pattern in ("**/*.png", "**/a.png", "**/y/**/b.png", "*/**/a.png", "./**/a.png", "a**/*.png", "**/**/a.png"):
        expected = {os.path.abspath(path) for path in glob(pattern, recursive=True)}
        assert {os.path.abspath(image.path) for image in find_images([pattern])} == expected, pattern
    assert [image.path for image in find_images(["**/a.png"])] == sorted(glob("**/a.png", recursive=True))


def test_names_of_saved_pictures_never_collide() -> None:
    pictures = [
        FoundImage("one/x.jpg", "x.jpg"),
        FoundImage("two/x.jpg", "x.jpg"),
        FoundImage("three/X.JPG", "X.JPG"),
        FoundImage("x-2.jpg", "x-2.jpg"),
        FoundImage("a.gif", "a.gif"),
        FoundImage("a.gif.png", "a.gif.png"),
        FoundImage("noend", "noend"),
    ]
    names = plan_names(pictures)
    assert names["one/x.jpg"] == "x.jpg"
    assert names["two/x.jpg"] == "x-2.jpg"
    assert names["three/X.JPG"] == "X-3.JPG"
    assert names["x-2.jpg"] == "x-2-2.jpg"
    assert names["a.gif"] == "a.gif.png"
    assert names["noend"] == "noend.png"
    assert len({name.casefold() for name in names.values()}) == len(pictures)
    masks = plan_names(pictures, ".png")
    assert masks["one/x.jpg"] == "x.png"
    assert len({name.casefold() for name in masks.values()}) == len(pictures)


@pytest.mark.smoke
def test_no_picture_is_written_over_by_what_another_one_becomes(tmp_path: Path) -> None:
    make(tmp_path, "a/x.jpg", "b/x.jpg")
    pictures = find_images([str(tmp_path / "b" / "x.jpg"), str(tmp_path / "a" / "x.jpg")])
    saver = PictureSaver(str(tmp_path / "a"), lambda *_: None)
    with pytest.raises(OutputError, match="this would write over one of the pictures"):
        saver.plan(pictures, force=True)


@pytest.mark.smoke
def test_a_picture_that_was_changed_is_not_drawn_on(tmp_path: Path) -> None:
    import cv2

    from mninfer.segmentation import Segmentation

    path = tmp_path / "latest.png"
    cv2.imwrite(str(path), np.zeros((30, 40, 3), np.uint8))
    pictures = find_images([str(path)])
    saver = drawing_saver(str(tmp_path / "drawn"), 10_000)
    saver.plan(pictures, force=False)
    with pytest.raises(InputError, match="the picture was changed while it was looked at"):
        saver.save(pictures[0], Segmentation(np.zeros((10, 10), np.int32)))
    saver.save(pictures[0], Segmentation(np.zeros((30, 40), np.int32)))
    assert os.listdir(tmp_path / "drawn") == ["latest.png"]


@pytest.mark.smoke
def test_pictures_of_one_name_are_numbered_in_no_time() -> None:
    pictures = [FoundImage(f"{number}/x.jpg", "x.jpg") for number in range(20_000)]
    begin = time.process_time()
    names = plan_names(pictures)
    assert time.process_time() - begin < 5  # counting up from 2 for each takes minutes
    assert list(names.values())[:3] == ["x.jpg", "x-2.jpg", "x-3.jpg"]
    assert names["19999/x.jpg"] == "x-20000.jpg"
