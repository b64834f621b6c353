"""Folders and archives of labelled pictures: what is taken for a class, a part, a picture, and what is refused."""

import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import InputError
from mnmodels.data import ArrayPictures, FolderPictures, open_data
from support.labelled import encoded, flat, tar_of, write_tree, zip_of

pytestmark = pytest.mark.smoke

PARTS = {
    "train/cat/1.png": encoded(1),
    "train/cat/2.png": encoded(2),
    "train/dog/1.png": encoded(3),
    "test/dog/9.png": encoded(4),
}
CLASSES = {"b/2.png": encoded(2), "a/1.png": encoded(1), "b/10.png": encoded(10)}


def test_a_folder_of_classes_is_read_in_sorted_order(tmp_path: Path) -> None:
    pictures = open_data(write_tree(tmp_path, CLASSES))
    assert isinstance(pictures, ArrayPictures)
    assert pictures.labels == ("a", "b")
    assert list(pictures.names) == ["a/1.png", "b/10.png", "b/2.png"]
    assert pictures.classes.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(pictures.images, np.stack([flat(1), flat(10), flat(2)]))


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_set_without_parts_gives_all_of_it(tmp_path: Path, split: str) -> None:
    assert len(open_data(write_tree(tmp_path, CLASSES), split=split)) == 3


def test_parts_share_their_labels(tmp_path: Path) -> None:
    """The test part has no cat: its dog is number 1 all the same."""
    write_tree(tmp_path, PARTS)
    training, testing = (open_data(tmp_path, split=split) for split in ("train", "test"))
    assert training.labels == testing.labels == ("cat", "dog")
    assert list(training.names) == ["train/cat/1.png", "train/cat/2.png", "train/dog/1.png"]
    assert testing.classes.tolist() == [1]


@pytest.mark.parametrize("wrapper", ["", "flowers/", "./", "data/flowers/"])
@pytest.mark.parametrize(
    "packing",
    [
        lambda files: tar_of(files),
        lambda files: tar_of(files, "w:gz"),
        lambda files: tar_of(files, "w:xz"),
        lambda files: tar_of(files, "w:bz2", tarfile.GNU_FORMAT),
        lambda files: tar_of(files, "w", tarfile.USTAR_FORMAT),
        lambda files: zip_of(files),
        lambda files: zip_of(files, zipfile.ZIP_STORED),
    ],
    ids=["tar", "gz", "xz", "bz2", "ustar", "zip", "stored"],
)
def test_an_archive_is_read_as_the_folder_would_be(tmp_path: Path, packing: object, wrapper: str) -> None:
    path = tmp_path / "whatever.bin"  # the name tells nothing
    path.write_bytes(packing({wrapper + name: data for name, data in PARTS.items()}))  # type: ignore[operator]
    pictures = open_data(path, split="train")
    assert (len(pictures), pictures.labels) == (3, ("cat", "dog"))
    np.testing.assert_array_equal(pictures.load([1], (8, 8))[0], flat(2))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_and_foreign_names_come_through(tmp_path: Path, form: int) -> None:
    long = "ü" * 90 + "/" + "x" * 120 + ".png"
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({long: encoded(1), "猫/1.png": encoded(2)}, form=form))
    assert open_data(path).labels == ("ü" * 90, "猫")


def test_an_archive_with_one_part_has_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({name: data for name, data in PARTS.items() if name.startswith("train")}))
    with pytest.raises(InputError, match="there is no test part: only train"):
        open_data(path, split="test")


def test_validation_stands_in_where_the_test_part_has_no_classes(tmp_path: Path) -> None:
    """ImageNet's and Tiny ImageNet's test pictures are published without classes."""
    files = {"train/a/1.png": encoded(1), "val/a/2.png": encoded(2), "test/images/3.png": encoded(3)}
    assert list(open_data(write_tree(tmp_path, files), split="test").names) == ["val/a/2.png"]


def test_classes_may_be_called_as_parts_are(tmp_path: Path) -> None:
    files = {"train/1.png": encoded(1), "car/1.png": encoded(2)}
    assert open_data(write_tree(tmp_path, files)).labels == ("car", "train")


def test_a_single_class_is_one(tmp_path: Path) -> None:
    assert open_data(write_tree(tmp_path, {"cat/1.png": encoded(1)})).labels == ("cat",)


def test_folders_below_a_class_belong_to_it(tmp_path: Path) -> None:
    files = {"train/n01/images/1.png": encoded(1), "train/n02/images/1.png": encoded(2)}
    assert open_data(write_tree(tmp_path, files)).labels == ("n01", "n02")


def test_indexed_names_tell_their_class(tmp_path: Path) -> None:
    files = {"0000_n01440764_tench.png": encoded(1), "0007_n01514668_cock.png": encoded(2)}
    assert open_data(write_tree(tmp_path, files)).labels == ("0000_n01440764_tench", "0007_n01514668_cock")


def test_hidden_files_and_other_files_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of({**CLASSES, "__MACOSX/a/._1.png": b"x", "a/.thumb.png": b"x", "a/notes.txt": b"x"}))
    assert len(open_data(path)) == 3


@pytest.mark.parametrize("size", [(8, 9), (120, 100)])
def test_pictures_of_several_or_large_sizes_stay_encoded(tmp_path: Path, size: tuple[int, int]) -> None:
    pictures = open_data(write_tree(tmp_path, {"a/1.png": encoded(1, size), "b/1.png": encoded(2)}))
    assert isinstance(pictures, FolderPictures)
    assert pictures.load([0, 1], (16, 12)).shape == (2, 16, 12, 3)
    assert pictures.take([1]).classes.tolist() == [1]


TROUBLE = {
    "nothing": ({}, "no pictures in this folder"),
    "loose": ({"1.png": encoded(1), "a/1.png": encoded(2)}, 'nothing tells the class of "1.png"'),
    "corrupt": ({"a/1.png": encoded(1)[:60], "b/1.png": encoded(2)}, "damaged PNG"),
    "no picture": ({"a/1.png": b"<!doctype html>", "b/1.png": encoded(2)}, "HTML page"),
    "empty file": ({"a/1.png": b"", "b/1.png": encoded(2)}, "an empty file"),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_trouble_in_a_folder_is_named(tmp_path: Path, kind: str) -> None:
    files, message = TROUBLE[kind]
    with pytest.raises(InputError, match=message) as caught:
        open_data(write_tree(tmp_path, files))
    assert str(tmp_path) in str(caught.value)


def test_an_empty_class_is_refused(tmp_path: Path) -> None:
    write_tree(tmp_path, PARTS)
    (tmp_path / "train" / "horse").mkdir()
    (tmp_path / "train" / ".cache").mkdir()
    with pytest.raises(InputError, match='the folder "train/horse" holds no picture'):
        open_data(tmp_path)


def test_a_corrupt_picture_is_skipped_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar_of({**CLASSES, "a/0.png": encoded(5)[:50], "c/0.png": b"text"}))
    pictures = open_data(path, on_corrupt="skip")
    assert [skipped.name for skipped in pictures.skipped] == ["a/0.png", "c/0.png"]
    assert "damaged PNG" in pictures.skipped[0].to_json()["reason"]
    assert pictures.labels == ("a", "b", "c"), "a class stays, even if none of its pictures can be used"
    assert list(pictures.names) == ["a/1.png", "b/10.png", "b/2.png"]
    with pytest.raises(InputError, match="damaged PNG") as caught:
        open_data(path)
    assert f"{path}: a/0.png" in str(caught.value)


def test_nothing_but_corrupt_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 2 pictures can be decoded; the first: "):
        open_data(write_tree(tmp_path, {"a/1.png": b"x", "b/1.png": b"y"}), on_corrupt="skip")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, CLASSES)
    (tmp_path / "a" / "1.png").chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        open_data(tmp_path)


def test_a_large_corrupt_picture_is_named_when_it_is_wanted(tmp_path: Path) -> None:
    files = {"a/1.png": encoded(1, (200, 200)), "b/1.png": encoded(2, (200, 200))[:-30]}
    pictures = open_data(write_tree(tmp_path, files))
    with pytest.raises(InputError, match="damaged PNG") as caught:
        pictures.load([0, 1], (16, 16))
    assert caught.value.where == str(tmp_path / "b" / "1.png")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "tset"}, 'no split "tset"\n  try:   test'),
        ({"on_corrupt": "ignore"}, 'no on_corrupt "ignore"'),
        ({"where": "no-such"}, "no such folder or archive"),
    ],
)
def test_wrong_requests_are_named(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_data(**{"where": write_tree(tmp_path, CLASSES), **changes})
    assert message in str(caught.value)


def test_a_near_name_is_offered(tmp_path: Path) -> None:
    write_tree(tmp_path / "flowers", CLASSES)
    with pytest.raises(InputError, match=r'did you mean ".*flowers"'):
        open_data(tmp_path / "flower")


def test_a_folder_beside_the_parts_is_no_class(tmp_path: Path) -> None:
    """As charts of a run, or a logo, lie there."""
    assert open_data(write_tree(tmp_path, {**PARTS, "assets/logo.png": encoded(5)})).labels == ("cat", "dog")


def test_parts_without_a_class_in_common_are_told(tmp_path: Path) -> None:
    files = {"train/cat/1.png": encoded(1), "train/dog/1.png": encoded(2), "test/unknown/1.png": encoded(3)}
    with pytest.raises(InputError, match="test and train have no class in common") as caught:
        open_data(write_tree(tmp_path, files))
    assert "take a part away whose pictures have no classes" in caught.value.hints
