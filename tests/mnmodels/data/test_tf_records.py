"""TFRecords written by hand, byte by byte: what ImageNet's look like, what TensorFlow Datasets', what damage does."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from mninfer.errors import InputError
from mnmodels.data import RecordPictures, open_data
from mnmodels.data.tf_example import read_example
from support.labelled import encoded, flat, masked_crc, record, tf_example

pytestmark = pytest.mark.smoke


def imagenet_example(value: int, label: int, synset: bytes = b"") -> bytes:
    features = {"image/encoded": encoded(value), "image/class/label": label, "image/height": 8, "image/xmin": 0.5}
    return tf_example(features | ({"image/class/synset": synset} if synset else {}))


def write_shards(folder: Path, **shards: bytes) -> Path:
    for name, data in shards.items():
        (folder / f"{name}-00000-of-00001").write_bytes(data)
    return folder


def test_imagenet_shards_are_read_by_their_synsets(tmp_path: Path) -> None:
    training = record(imagenet_example(1, 2, b"n01443537")) + record(imagenet_example(2, 1, b"n01440764"))
    write_shards(tmp_path, train=training, validation=record(imagenet_example(3, 1, b"n01440764")))
    pictures = open_data(tmp_path, split="train")
    assert isinstance(pictures, RecordPictures)
    assert pictures.labels == ("n01440764", "n01443537")
    assert pictures.classes.tolist() == [1, 0]
    np.testing.assert_array_equal(pictures.load([1, 0], (8, 8)), np.stack([flat(2), flat(1)]))
    np.testing.assert_array_equal(pictures.take([1]).load([0], (8, 8))[0], flat(2))
    assert len(open_data(tmp_path, split="test")) == 1


@pytest.mark.parametrize(
    ("example", "label"),
    [
        (imagenet_example(1, 1), "0000"),  # 0 is the background
        (imagenet_example(1, 1000), "0999"),
        (tf_example({"image": encoded(1), "label": 0, "file_name": b"x"}), "0000"),
    ],
)
def test_numbers_count_from_0(tmp_path: Path, example: bytes, label: str) -> None:
    path = tmp_path / "data.tfrecord"
    path.write_bytes(record(example))
    assert open_data(path).labels == (label,)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"image/encoded": encoded(1)}, "a record without class: none of image/class/synset"),
        ({"image/encoded": encoded(1), "image/class/label": 0}, "a record without class"),
        ({"picture": encoded(1), "label": 1}, "a record without encoded picture"),
        ({}, "a record without encoded picture"),
    ],
)
def test_records_of_something_else_are_named(tmp_path: Path, features: dict[str, bytes | int], message: str) -> None:
    path = tmp_path / "data.tfrecord"
    path.write_bytes(record(tf_example(features)))
    with pytest.raises(InputError, match=message) as caught:
        open_data(path)
    assert f"{path}, record at byte 0" in str(caught.value)


def test_a_flipped_byte_is_found_when_the_picture_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "data.tfrecord"
    first, second = (record(imagenet_example(value, value)) for value in (1, 2))
    path.write_bytes(first + second[:100] + bytes([second[100] ^ 1]) + second[101:])
    pictures = open_data(path)
    np.testing.assert_array_equal(pictures.load([0], (8, 8))[0], flat(1))
    with pytest.raises(InputError, match="the record's checksum is wrong") as caught:
        pictures.load([1], (8, 8))
    assert f"record at byte {len(first)}" in str(caught.value)
    sound = open_data(path, on_corrupt="skip")
    assert len(sound) == 1
    assert [skipped.name for skipped in sound.skipped] == ["data.tfrecord/000001"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "the file ends within a record"),
        (lambda data: data + data[:5], "the file ends within a record's header"),
        (lambda data: b"\1" + data[1:], "not a TFRecord file"),
        (lambda data: data + b"\1" + data[1:], "a record's header has a wrong checksum"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, damage: object, message: str) -> None:
    path = tmp_path / "data.tfrecord"
    path.write_bytes(damage(record(imagenet_example(1, 1))))  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        open_data(tmp_path)


def test_a_record_that_says_it_is_huge_is_refused(tmp_path: Path) -> None:
    length = (1 << 40).to_bytes(8, "little")
    (tmp_path / "data.tfrecord").write_bytes(length + masked_crc(length) + bytes(100))
    with pytest.raises(InputError, match="a record of 1,099,511,627,776 bytes"):
        open_data(tmp_path)


def test_features_come_back_as_they_went_in() -> None:
    features = {"a": b"bytes", "b": 7, "ü": b"", "c": -3, "d": 1.5}
    found = read_example(memoryview(tf_example(features)))
    assert {key: value if isinstance(value, int) else bytes(value) for key, value in found.items()} == {
        "a": b"bytes",
        "b": 7,
        "ü": b"",
        "c": -3,
    }


def test_damaged_examples_end_in_an_error_of_ours() -> None:
    whole = imagenet_example(1, 1, b"n01440764")
    rng = random.Random(2)
    told = []
    for _ in range(2000):
        data = bytearray(whole)
        data[rng.randrange(40)] = rng.randrange(256)
        try:
            read_example(memoryview(bytes(data[: rng.randrange(len(data)) + 1])))
        except InputError as error:
            told.append(str(error))
    assert len(told) > 1000
    assert all("not a tf.train.Example" in text for text in told)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pictures")
    with pytest.raises(InputError, match="not a folder or a file") as caught:
        open_data(str(tmp_path / "pictures"))
    assert caught.value.hints == (), "itself is no better name"
