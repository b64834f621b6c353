"""Lists of classes beside pictures: ImageNet's in their many forms, and a user's own."""

from pathlib import Path

import pytest

from mninfer.errors import InputError
from mnmodels.data import open_data
from mnmodels.data.class_list import read_class_list
from support.labelled import encoded, tar_of, write_tree

pytestmark = pytest.mark.smoke

VAL = {f"val/ILSVRC2012_val_0000000{i}.JPEG": encoded(i) for i in (1, 2, 3)}
TRAIN = {"train/n01440764/n01440764_1.JPEG": encoded(4), "train/n01751748/n01751748_1.JPEG": encoded(5)}
WNIDS = ["n01751748", "n01440764", "n01751748"]
FORMS = {
    "LOC_val_solution.csv": "ImageId,PredictionString\n"
    + "".join(f"ILSVRC2012_val_0000000{i},{wnid} 85 1 499 272 {wnid} 1 2 3 4\n" for i, wnid in enumerate(WNIDS, 1)),
    "val_annotations.txt": "".join(
        f"ILSVRC2012_val_0000000{i}.JPEG\t{wnid}\t0\t32\t44\t62\n" for i, wnid in enumerate(WNIDS, 1)
    ),
    "imagenet_2012_validation_synset_labels.txt": "\n".join(WNIDS) + "\n",
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("place", ["", "val/"])
@pytest.mark.parametrize("is_archive", [False, True])
def test_published_lists_are_found_and_read(tmp_path: Path, name: str, place: str, is_archive: bool) -> None:
    files = {**TRAIN, **VAL, place + name: FORMS[name].encode()}
    where = tmp_path / "imagenet"
    if is_archive:
        where.write_bytes(tar_of(files))
    else:
        write_tree(where, files)
    pictures = open_data(where, split="test")
    assert pictures.labels == ("n01440764", "n01751748")
    assert [pictures.labels[number] for number in pictures.classes] == WNIDS
    assert open_data(where, split="train").labels == pictures.labels


def test_numbers_keep_their_order_as_texts(tmp_path: Path) -> None:
    files = {**VAL, "val.txt": b"ILSVRC2012_val_00000001.JPEG 65\nILSVRC2012_val_00000002.JPEG 970\n"}
    files["val.txt"] += b"ILSVRC2012_val_00000003.JPEG 7\n"
    assert open_data(write_tree(tmp_path, files), split="test").labels == ("0007", "0065", "0970")


def test_a_list_of_ones_own_names_pictures_or_folders(tmp_path: Path) -> None:
    files = {"n1/1.png": encoded(1), "n1/2.png": encoded(2), "n2/1.png": encoded(3)}
    stated = tmp_path / "classes.txt"
    stated.write_text("n1 tench, Tinca tinca\nn2;goldfish\nn1/2.png goldfish\n", encoding="utf-8")
    pictures = open_data(write_tree(tmp_path / "data", files), classes_from=stated)
    assert [pictures.labels[number] for number in pictures.classes] == ["tench, Tinca tinca", "goldfish", "goldfish"]


TROUBLE = {
    "": "the list of classes is empty",
    "1\n2\n3\n": "numbers alone: they count classes in an order that the file does not tell",
    "a.png cat\na.png dog\n": '"a.png" has two classes, "cat" and "dog"',
    "a.png cat\nalone\n": 'line 2 is no name and class: "alone"',
}


@pytest.mark.parametrize("text", TROUBLE)
def test_what_is_no_list_is_named(text: str) -> None:
    with pytest.raises(InputError, match=TROUBLE[text]):
        read_class_list(text.encode(), "list.txt")


def test_bytes_are_not_taken_for_text() -> None:
    with pytest.raises(InputError, match="not UTF-8"):
        read_class_list(b"\xff\xfe\x00", "list.txt")


def test_a_list_with_too_few_lines_is_named(tmp_path: Path) -> None:
    files = {**VAL, "imagenet_2012_validation_synset_labels.txt": b"n01751748\n"}
    with pytest.raises(InputError, match="1 classes for 3 pictures without a class's folder"):
        open_data(write_tree(tmp_path, files), split="test")


def test_a_picture_that_the_list_lacks_is_named(tmp_path: Path) -> None:
    files = {**VAL, "val.txt": b"ILSVRC2012_val_00000001.JPEG 1\n"}
    with pytest.raises(InputError, match=r'nothing for "val/ILSVRC2012_val_00000002.JPEG"'):
        open_data(write_tree(tmp_path, files), split="test")


def test_validation_pictures_without_a_list_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'nothing tells the class of "val/ILSVRC2012_val_00000001.JPEG"'):
        open_data(write_tree(tmp_path, {**TRAIN, **VAL}), split="test")


OWN_LISTS = {
    "names and numbers": "val/cat/3.png 0\nval/dog/4.png 1\n",
    "base names and numbers": "3.png 0\n4.png 1\n",
    "names alone": "cat/3\ndog/4\n",
}


@pytest.mark.parametrize("text", OWN_LISTS)
def test_a_projects_own_list_takes_no_class_from_the_folders(tmp_path: Path, text: str) -> None:
    files = {"train/cat/1.png": encoded(1), "train/dog/2.png": encoded(2)}
    files |= {"val/cat/3.png": encoded(3), "val/dog/4.png": encoded(4), "val.txt": OWN_LISTS[text].encode()}
    write_tree(tmp_path, files)
    for split in ("train", "test"):
        pictures = open_data(tmp_path, split=split)
        assert pictures.labels == ("cat", "dog")
        assert pictures.classes.tolist() == [0, 1]


def test_a_projects_own_list_takes_no_class_from_folders_without_parts(tmp_path: Path) -> None:
    files = {"cat/1.png": encoded(1), "dog/2.png": encoded(2), "dog/3.png": encoded(3), "val.txt": b"dog/3.png 1\n"}
    assert open_data(write_tree(tmp_path, files)).labels == ("cat", "dog")


def test_a_list_goes_before_the_one_folder_of_all_pictures(tmp_path: Path) -> None:
    files = {f"images/{name.removeprefix('val/')}": data for name, data in VAL.items()}
    files["val.txt"] = b"".join(b"ILSVRC2012_val_0000000%d.JPEG %d\n" % (i, i) for i in (1, 2, 3))
    assert open_data(write_tree(tmp_path, files)).labels == ("0001", "0002", "0003")


def test_numbers_beside_folders_of_wnids_are_no_classes_in_common(tmp_path: Path) -> None:
    """They were two thousand classes."""
    files = {**TRAIN, **VAL, "val.txt": b"".join(b"ILSVRC2012_val_0000000%d.JPEG 65\n" % i for i in (1, 2, 3))}
    with pytest.raises(InputError, match='train and val have no class in common: train has "n01440764" and so on, val'):
        open_data(write_tree(tmp_path, files))


def test_a_class_of_thousands_of_digits_is_a_name(tmp_path: Path) -> None:
    digits = "9" * 5000
    assert read_class_list(f"a.png {digits}\n".encode(), "list.txt").find("a.png") == digits
