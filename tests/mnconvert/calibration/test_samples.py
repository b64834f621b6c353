"""Which samples are taken, and what is told of those that are not."""

import os
import tracemalloc
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from mnconvert.calibration import SampleKind, load_samples
from mnconvert.calibration.draw import draw_order
from mnconvert.calibration.sorting_out import Flaw
from mninfer.errors import CalibrationError, InputError

pytestmark = pytest.mark.smoke


def patches(seed: int, size: int = 8) -> np.ndarray:
    """Of 2 x 2 pixels, so that neighbours have something in common, as in any picture."""
    return np.random.default_rng(seed).integers(0, 256, (size // 2, size // 2, 3), np.uint8).repeat(2, 0).repeat(2, 1)


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """40 pictures in "many", 3 in "few/below"."""
    for number in range(40):
        write(tmp_path / "pictures" / "many" / f"{number:02}.png", patches(number))
    for number in range(3):
        write(tmp_path / "pictures" / "few" / "below" / f"{number}.png", patches(100 + number))
    return tmp_path / "pictures"


def test_a_folder_of_any_depth(folder):
    found = load_samples(str(folder))
    assert len(found) == 43
    assert found.warnings == ()
    assert found.kind is SampleKind.PICTURES
    for name, index in (("many/07.png", found.names.index("many/07.png")), ("few/below/2.png", 2)):
        assert found.names[index] == name
        assert np.array_equal(found.load(index), patches(7 if "many" in name else 102))


def test_the_choice_is_spread_over_folders_and_follows_the_seed(folder):
    chosen = {seed: load_samples(str(folder), samples=6, seed=seed) for seed in (0, 1)}
    for each in chosen.values():
        assert Counter(name.split("/")[0] for name in each.names) == {"many": 3, "few": 3}
        assert list(each.names) == sorted(each.names)
    assert chosen[0].names == load_samples(str(folder), samples=6, seed=0).names != chosen[1].names
    assert chosen[0].facts()["sha256"] != chosen[1].facts()["sha256"]


def test_larger_choices_hold_smaller_ones():
    places = [f"{folder}/{number}" for folder in "abc" for number in range(10)]
    order = draw_order(places, 3)
    assert sorted(order) == list(range(30))
    for count in (3, 6, 9):
        assert set(Counter(places[index][0] for index in order[:count]).values()) == {count // 3}


def test_a_pattern_names_its_pictures(folder):
    found = load_samples(str(folder / "many" / "0*.png"))
    assert found.names == tuple(f"{number:02}.png" for number in range(10))
    assert found.facts()["source"] == "pattern"
    assert found.warnings == (
        "10 pictures are few to measure ranges on: some 100 different pictures of what the model will see",
    )


def test_facts_hold_no_path(folder):
    facts = load_samples(str(folder), samples=25, seed=4).facts()
    assert {name: facts[name] for name in ("kind", "source", "count", "found", "skipped", "seed")} == {
        "kind": "pictures", "source": "folder", "count": 25, "found": 43, "skipped": 0, "seed": 4,
    }  # fmt: skip
    assert str(folder) not in str(facts)


def test_duplicates_blanks_and_broken_ones_are_replaced_and_told(folder):
    write(folder / "many" / "90.png", patches(5))
    write(folder / "many" / "91.bmp", patches(6))  # the same pixels in another format
    write(folder / "many" / "92.png", np.full((8, 8, 3), 200, np.uint8))
    (folder / "many" / "93.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    found = load_samples(str(folder))
    assert len(found) == 43
    assert Counter(each.flaw for each in found.skipped) == {Flaw.DUPLICATE: 2, Flaw.BLANK: 1, Flaw.UNREADABLE: 1}
    told = "\n".join(found.warnings)
    assert '1 picture can\'t be read ("many/93.png": ' in told
    assert '1 picture has one colour all over ("many/92.png": one colour all over): left out' in told
    assert "2 pictures have the same pixels as another one (" in told
    # The draw goes on until there are as many as were asked for.
    assert len(load_samples(str(folder), samples=43)) == 43


def test_a_lens_cap_is_blank_and_a_dark_scene_is_not(tmp_path):
    for number in range(20):
        scene = patches(number, 32) // 8  # 0..31 of 255
        write(tmp_path / f"{number:02}.png", scene)
    write(tmp_path / "cap.png", (patches(99, 32) % 4).astype(np.uint8))
    found = load_samples(str(tmp_path))
    assert [each.name for each in found.skipped] == ["cap.png"]


@pytest.mark.parametrize("num_noise", [0, 3])
def test_noise_is_told(tmp_path, num_noise):
    """On it a file agrees with its float model whatever it does on photos."""
    for number in range(20):
        write(tmp_path / f"{number:02}.png", patches(number, 32))
    for number in range(num_noise):
        write(tmp_path / f"9{number}.png", np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8))
    told = [each for each in load_samples(str(tmp_path)).warnings if "noise" in each]
    assert len(told) == bool(num_noise)
    assert all(each.startswith("3 of 23 are noise, by their neighbouring pixels") for each in told)


def test_one_picture_200_times_is_an_error(tmp_path):
    for number in range(5):
        write(tmp_path / f"{number}.png", patches(1))
    with pytest.raises(CalibrationError) as caught:
        load_samples(str(tmp_path))
    assert caught.value.what.startswith('it is one picture 5 times: "')
    assert caught.value.where == str(tmp_path)


def test_nothing_usable_is_an_error_that_says_why(tmp_path):
    write(tmp_path / "white.png", np.full((8, 8, 3), 255, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.raises(CalibrationError, match="nothing to measure on among 2 found") as caught:
        load_samples(str(tmp_path))
    assert "white.png" in caught.value.what
    assert "broken.png" in caught.value.what


def test_fewer_than_asked_for_is_told(folder):
    assert load_samples(str(folder), samples=50).warnings == ("50 pictures were asked for, there are 43 to measure on",)


@pytest.mark.parametrize("name", ["nowhere", "*.gif", "empty"])
def test_what_is_not_there(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        load_samples(str(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(CalibrationError, match="a pipe, not a picture file"):
        load_samples(str(tmp_path / "pipe.npz"))


def test_a_number_below_1_is_misuse(folder):
    with pytest.raises(ValueError, match="samples must be 1 or more"):
        load_samples(str(folder), samples=0)


# --- arrays ---


def save(path: Path, **arrays: np.ndarray) -> str:
    np.savez_compressed(path, **arrays)
    return str(path)


def test_pictures_in_an_npz(tmp_path):
    pixels = np.stack([patches(number) for number in range(30)])
    found = load_samples(save(tmp_path / "a.npz", pictures=pixels, labels=np.arange(30)), samples=20, seed=1)
    assert (found.kind, len(found), found.facts()["source"]) == (SampleKind.PICTURES, 20, "array")
    place = int(found.names[3].removeprefix("array "))
    assert np.array_equal(found.load(3), pixels[place])


def test_tensors_in_an_npy(tmp_path):
    tensors = np.stack([patches(number) for number in range(30)]).astype(np.float32) / 127.5 - 1
    tensors[7] = tensors[3]
    tensors[9] = 0.25
    np.save(tmp_path / "a.npy", tensors)
    found = load_samples(str(tmp_path / "a.npy"))
    assert (found.kind, len(found)) == (SampleKind.TENSORS, 28)
    assert Counter(each.flaw for each in found.skipped) == {Flaw.DUPLICATE: 1, Flaw.BLANK: 1}
    assert found.load(0).dtype == np.float32


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((5, 8, 8, 3))}, '"x": float64 [5, 8, 8, 3]: pictures are uint8, normalized tensors float32'),
        ({"x": np.zeros((5, 3, 8, 8), np.float32)}, "channels come last"),
        ({"x": np.zeros((5, 8, 8, 1), np.uint8)}, "pictures are [n, height, width, 3] RGB"),
        ({"x": np.zeros((0, 8, 8, 3), np.uint8)}, "pictures are [n, height, width, 3] RGB"),
        ({"x": np.zeros((8, 8, 3), np.uint8)}, 'no array of four dimensions in this file: "x": uint8 [8, 8, 3]'),
        ({}, "no arrays in this file"),
        (
            {"a": np.zeros((5, 8, 8, 3), np.uint8), "b": np.zeros((4, 8, 8, 3), np.uint8)},
            'which array is meant: "a": uint8 [5, 8, 8, 3], "b": uint8 [4, 8, 8, 3]?',
        ),
        ({"x": np.array([{}, None])}, "the file of arrays cannot be read: Object arrays cannot be loaded"),
    ],
)
def test_other_arrays_are_refused(tmp_path, arrays, message):
    path = save(tmp_path / "a.npz", **arrays)
    with pytest.raises(CalibrationError) as caught:
        load_samples(path)
    assert message in caught.value.what
    assert caught.value.where == path
    assert caught.value.hints


@pytest.mark.parametrize("keep", [6, 50, 200, -30])
@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_a_truncated_file_of_arrays_is_an_error(tmp_path, name, keep):
    pixels = np.stack([patches(number) for number in range(3)])
    path = tmp_path / name
    np.savez(path, x=pixels) if name == "a.npz" else np.save(path, pixels)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CalibrationError, match="cannot be read"):
        load_samples(str(path))


def test_a_header_that_asks_for_the_moon_is_an_error(tmp_path):
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 1000, 1000, 3)}
        )
    with pytest.raises(CalibrationError, match="cannot be read"):
        load_samples(str(path))


def test_looking_through_a_large_picture_takes_little_memory(tmp_path):
    """As numbers of 8 bytes, 200 megapixels would be 4.8 GB, twice over."""
    path = write(tmp_path / "large.png", np.tile(patches(1), (250, 500, 1)))
    num_bytes = 2000 * 4000 * 3
    load_samples(str(path))
    tracemalloc.start()
    try:
        load_samples(str(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * num_bytes
