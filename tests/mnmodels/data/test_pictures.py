"""Pictures by the runtime's geometry, and parts of a set by a seed."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mninfer.preprocessing import PreprocessSpec, parse_preprocess, preprocess_image
from mninfer.tensors import TensorSpec
from mnmodels.data import ArrayPictures, FolderPictures, balanced_subset, open_data, split_pictures
from support.labelled import write_tree
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

INCEPTION = parse_preprocess("inception")


def pictures_of(classes: list[int], labels: tuple[str, ...] = ("a", "b", "c")) -> ArrayPictures:
    images = np.arange(len(classes), dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    names = [str(number) for number in range(len(classes))]
    return ArrayPictures(images=images, classes=np.array(classes, np.int64), labels=labels, names=names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> FolderPictures:
    images, _ = shape_pictures(6, seed=5, size=(130, 101))
    files = {
        f"{'ab'[i % 2]}/{i}.png": cv2.imencode(".png", image[..., ::-1])[1].tobytes() for i, image in enumerate(images)
    }
    pictures = open_data(write_tree(tmp_path_factory.mktemp("shapes"), files))
    assert isinstance(pictures, FolderPictures)
    return pictures


@pytest.mark.parametrize("resize", ["stretch", "crop:0.875", "crop:1", "letterbox"])
@pytest.mark.parametrize("preset", ["inception", "torch", "caffe", "mean=10/100/200,std=1"])
def test_loading_and_normalizing_is_the_runtimes_preprocessing(
    folder: FolderPictures, resize: str, preset: str
) -> None:
    """uint8 pixels of ``load``, put through mean and std, are what the runtime makes of the picture itself."""
    spec = parse_preprocess(preset, resize=resize)
    tensor = TensorSpec(name="x", shape=(1, 40, 56, 3), shape_signature=(1, 40, 56, 3), dtype="float32")
    loaded = folder.load(range(len(folder)), (40, 56), fit=spec)
    for row in range(len(folder)):
        whole = folder.load([row], (101, 130))[0]
        expected = preprocess_image(whole, spec, tensor)[0]
        pixels = loaded[row][..., ::-1] if spec.order == "bgr" else loaded[row]
        np.testing.assert_array_equal(
            ((pixels - np.array(spec.mean)) / np.array(spec.std)).astype(np.float32), expected
        )


def test_pictures_come_in_the_order_asked_for(folder: FolderPictures) -> None:
    one_by_one = np.concatenate([folder.load([index], (30, 30), workers=1) for index in (4, 0, 0, 3)])
    np.testing.assert_array_equal(folder.load(np.array([4, 0, 0, 3]), (30, 30), workers=3), one_by_one)


def test_a_crop_of_small_pictures_crops() -> None:
    image = np.zeros((1, 8, 8, 3), np.uint8)
    image[:, 2:6, 2:6] = 255
    pictures = ArrayPictures(images=image, classes=np.zeros(1, np.int64), labels=("a",), names=("x",))
    cropped = PreprocessSpec(mean=INCEPTION.mean, std=INCEPTION.std, resize="crop", crop_fraction=0.5)  # type: ignore[arg-type]
    assert (pictures.load([0], (8, 8), fit=cropped) == 255).all()
    np.testing.assert_array_equal(pictures.load([0], (8, 8)), image)


@pytest.mark.parametrize(
    "images", [np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4), np.uint8), np.zeros((1, 4, 4, 3), np.uint8)]
)
def test_arrays_that_are_no_pictures_are_refused(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="images"):
        ArrayPictures(images=images, classes=np.zeros(2, np.int64), labels=("a",), names=("x", "y"))


def test_no_workers_are_refused(folder: FolderPictures) -> None:
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        folder.load([0], (8, 8), workers=0)


def test_digests_tell_pictures_apart(folder: FolderPictures) -> None:
    assert len({folder.digest(index) for index in range(len(folder))}) == len(folder)
    arrays = pictures_of([0, 0])
    assert arrays.digest(0) != arrays.digest(1)
    assert arrays.take([1]).digest(0) == arrays.digest(1)


classes_lists = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@settings(deadline=None)
@given(classes=classes_lists, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 1000))
def test_a_split_keeps_every_picture_once_and_every_class_on_both_sides(
    classes: list[int], fraction: float, seed: int
) -> None:
    rest, held = split_pictures(pictures_of(classes), fraction, seed)
    assert sorted([*rest.names, *held.names], key=int) == [str(i) for i in range(len(classes))]
    for number in set(classes):
        total, own = classes.count(number), held.classes.tolist().count(number)
        assert (1 <= own < total and abs(own - total * fraction) <= 1) if total > 1 else own == 0


def test_a_split_follows_from_its_seed_alone() -> None:
    pictures = pictures_of([0, 1] * 20)
    parts = [list(split_pictures(pictures, 0.25, seed)[1].names) for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]


@settings(deadline=None)
@given(classes=classes_lists, count=st.integers(1, 70), seed=st.integers(0, 100))
def test_a_subset_is_balanced_and_grows(classes: list[int], count: int, seed: int) -> None:
    pictures = pictures_of(classes)
    subset = balanced_subset(pictures, count, seed)
    assert len(subset) == min(count, len(classes))
    assert list(map(int, subset.names)) == sorted(map(int, subset.names))
    own = {number: subset.classes.tolist().count(number) for number in set(classes)}
    limited = [n for number, n in own.items() if n < classes.count(number)]
    assert not limited or max(own.values()) - min(limited) <= 1
    assert set(subset.names) <= set(balanced_subset(pictures, count + 1, seed).names)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="fraction must be between 0 and 1"):
        split_pictures(pictures_of([0, 1]), fraction, 0)


@pytest.mark.shared
def test_cifar_10_as_it_lies_in_the_shared_folder(shared: Path) -> None:
    pictures = open_data(shared / "data" / "cifar10-test.tar.xz", split="test")
    assert isinstance(pictures, ArrayPictures)
    assert pictures.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(pictures.classes).tolist() == [1000] * 10
    assert pictures.labels[:3] == ("airplane", "automobile", "bird")
