"""CIFAR as its authors publish it, in all four forms, written here by hand; and hostile pickles in its place."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from mninfer.errors import InputError
from mnmodels.data import ArrayPictures, open_data, published_sets
from support.labelled import tar_of, write_tree

pytestmark = pytest.mark.smoke

COUNT = 3  # pictures in a batch
LABELS = ["airplane", "bird", "cat"]


def rows(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (COUNT, 3072), np.uint8)


def python_batch(seed: int, key: str, classes: list[int]) -> bytes:
    """As Python 2 pickled it: texts are bytes to Python 3."""
    fields = {b"data": rows(seed), key.encode(): classes, b"batch_label": b"a batch"}
    return pickle.dumps(fields, protocol=2)


def cifar_10_python(prefix: str = "cifar-10-batches-py/") -> dict[str, bytes]:
    files = {f"data_batch_{i}": python_batch(i, "labels", [0, 1, 2]) for i in range(1, 6)}
    files["test_batch"] = python_batch(9, "labels", [2, 1, 0])
    files["batches.meta"] = pickle.dumps({b"label_names": [name.encode() for name in LABELS]}, protocol=2)
    return {prefix + name: data for name, data in files.items()}


def cifar_100_python() -> dict[str, bytes]:
    return {
        "cifar-100-python/train": python_batch(1, "fine_labels", [0, 1, 2]),
        "cifar-100-python/test": python_batch(9, "fine_labels", [2, 1, 0]),
        "cifar-100-python/meta": pickle.dumps({"fine_label_names": LABELS, "coarse_label_names": ["x"]}),
    }


def binary_batch(seed: int, before: list[bytes]) -> bytes:
    return b"".join(head + row.tobytes() for head, row in zip(before, rows(seed), strict=True))


def cifar_10_binary() -> dict[str, bytes]:
    files = {f"data_batch_{i}.bin": binary_batch(i, [b"\0", b"\1", b"\2"]) for i in range(1, 6)}
    files["test_batch.bin"] = binary_batch(9, [b"\2", b"\1", b"\0"])
    files["batches.meta.txt"] = "\n".join([*LABELS, ""]).encode()
    return {f"cifar-10-batches-bin/{name}": data for name, data in files.items()}


def cifar_100_binary() -> dict[str, bytes]:
    """The coarse class comes first: 7, which must not be taken."""
    return {
        "cifar-100-binary/train.bin": binary_batch(1, [b"\7\0", b"\7\1", b"\7\2"]),
        "cifar-100-binary/test.bin": binary_batch(9, [b"\7\2", b"\7\1", b"\7\0"]),
        "cifar-100-binary/fine_label_names.txt": "\n".join(LABELS).encode(),
    }


FORMS = {
    "10 python": (cifar_10_python, 15),
    "100 python": (cifar_100_python, 3),
    "10 binary": (cifar_10_binary, 15),
    "100 binary": (cifar_100_binary, 3),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["archive", "folder", "folder inside"])
def test_every_form_is_read_from_archives_and_folders(tmp_path: Path, form: str, kind: str) -> None:
    make, num_training = FORMS[form]
    files = make()
    if kind == "archive":
        where = tmp_path / "cifar.tar.gz"
        where.write_bytes(tar_of(files, "w:gz"))
    else:
        write_tree(tmp_path, files)
        where = tmp_path if kind == "folder" else tmp_path / next(iter(files)).split("/")[0]
    training, testing = open_data(where, split="train"), open_data(where, split="test")
    assert isinstance(training, ArrayPictures)
    assert isinstance(testing, ArrayPictures)
    assert training.labels == testing.labels == ("airplane", "bird", "cat")
    assert len(training) == num_training
    assert training.classes[:3].tolist() == [0, 1, 2]
    assert testing.classes.tolist() == [2, 1, 0]
    # red, green and blue planes of 32 rows: the pixel of row 2, column 5 of the second picture
    np.testing.assert_array_equal(testing.images[1, 2, 5], rows(9)[1].reshape(3, 32, 32)[:, 2, 5])


def test_labels_are_sorted_and_classes_follow(tmp_path: Path) -> None:
    files = cifar_100_python()
    files["cifar-100-python/meta"] = pickle.dumps({"fine_label_names": ["zebra", "ant", "cat"]})
    pictures = open_data(write_tree(tmp_path, files), split="test")
    assert pictures.labels == ("ant", "cat", "zebra")
    assert [pictures.labels[number] for number in pictures.classes] == ["cat", "ant", "zebra"]


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


def test_no_code_of_a_pickle_runs(tmp_path: Path) -> None:
    marker = tmp_path / "was here"
    files = cifar_10_python()
    files["cifar-10-batches-py/test_batch"] = pickle.dumps({"data": Evil(marker)})
    where = write_tree(tmp_path / "data", files)
    with pytest.raises(InputError, match="mkdir"):
        open_data(where, split="test")
    assert not marker.exists()


BROKEN = {
    "a missing batch": ({"data_batch_3": None}, '"data_batch_3" is missing'),
    "no dictionary": ({"data_batch_1": pickle.dumps([1])}, "a pickled list, not a dictionary"),
    "no data": ({"data_batch_1": pickle.dumps({"labels": [1]})}, 'no ndarray "data"'),
    "no labels": ({"data_batch_1": pickle.dumps({"data": rows(1)})}, 'no list "labels"'),
    "too few labels": ({"data_batch_1": python_batch(1, "labels", [0, 1])}, "for 2 classes"),
    "a class beyond": ({"data_batch_1": python_batch(1, "labels", [0, 1, 3])}, "a class 3 of 3"),
    "a text as a class": (
        {"data_batch_1": pickle.dumps({"data": rows(1), "labels": ["x", "y", "z"]})},
        "a class that is no number",
    ),
    "cut off": ({"data_batch_1": python_batch(1, "labels", [0, 1, 2])[:400]}, "not a usable pickle"),
    "twice": ({"batches.meta": pickle.dumps({"label_names": ["cat", "cat"]})}, "one class name twice"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_batch_is_named(tmp_path: Path, kind: str) -> None:
    changes, message = BROKEN[kind]
    files = {name: data for name, data in (cifar_10_python("") | changes).items() if data is not None}
    with pytest.raises(InputError, match=message) as caught:
        open_data(write_tree(tmp_path, files))
    assert str(tmp_path) in str(caught.value)


def test_a_cut_off_binary_batch_is_named(tmp_path: Path) -> None:
    files = cifar_100_binary()
    files["cifar-100-binary/train.bin"] = files["cifar-100-binary/train.bin"][:-1]
    with pytest.raises(InputError, match=r'"cifar-100-binary/train.bin" has 9,221 bytes, no multiple of 3,074'):
        open_data(write_tree(tmp_path, files))


def test_a_name_of_a_published_set_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tar_of(cifar_10_python(), "w:gz")
    here = tmp_path / "served.tar.gz"
    here.write_bytes(archive)
    published = published_sets.PublishedSet(
        address=here.as_uri(),
        file_name="cifar-10-batches-py-target_archive",
        sha256=hashlib.sha256(archive).hexdigest(),
        size_bytes=len(archive),
    )
    monkeypatch.setitem(published_sets.PUBLISHED_SETS, "cifar10", published)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.chdir(tmp_path)
    assert len(open_data("cifar10", split="test")) == 3
    here.unlink()
    assert len(open_data("cifar10", split="train")) == 15, "the second time it is in the cache"


def test_another_archive_than_the_published_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"<html>sign in first</html>")
    published = published_sets.PublishedSet(address=page.as_uri(), file_name="x", sha256="0" * 64, size_bytes=100)
    monkeypatch.setitem(published_sets.PUBLISHED_SETS, "cifar100", published)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with pytest.raises(InputError, match="what came for cifar100 is not the published archive: 26 bytes"):
        open_data("cifar100")
    assert not (tmp_path / "keras").exists()


def test_a_cache_that_is_no_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "served"
    archive.write_bytes(b"an archive")
    digest = hashlib.sha256(b"an archive").hexdigest()
    published = published_sets.PublishedSet(address=archive.as_uri(), file_name="x", sha256=digest, size_bytes=100)
    monkeypatch.setitem(published_sets.PUBLISHED_SETS, "cifar10", published)
    monkeypatch.setenv("KERAS_HOME", str(archive))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no folder for the archive") as caught:
        open_data("cifar10")
    assert "KERAS_HOME names another folder" in caught.value.hints[0]


def test_without_a_network_it_is_said_what_to_give_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(published_sets, "urlopen", offline)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as caught:
        open_data("cifar10")
    text = str(caught.value)
    assert "cannot download cifar10: no route to host" in text
    assert "give a local copy instead" in text
    assert "cifar-10-batches-py-target_archive" in text
