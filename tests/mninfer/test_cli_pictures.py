import os
import sys
from pathlib import Path

import pytest

from mninfer.cli.save_pictures import plan_names
from mninfer.errors import InputError
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


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    make(tmp_path, "a.png", "closed/b.png")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(InputError, match="cannot read this folder: Permission denied"):
        find_images([str(tmp_path)])


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
