"""Drawing: in the right place, on a copy, readable at any size; the looks were judged by eye."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from mninfer import lettering
from mninfer.detection import Box, Detection, Detections
from mninfer.draw import class_colour, draw, draw_segmentation
from mninfer.results import Classification, Prediction
from mninfer.segmentation import Segmentation

GREY = 90


def picture(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def changed(drawn: np.ndarray) -> np.ndarray:
    return (drawn != GREY).any(axis=2)


CLASSES = Classification((Prediction("tabby cat", 1, 0.9), Prediction("Käse 猫", 2, 0.05)))
OBJECTS = Detections((Detection("cat", 3, 0.97, Box(100, 80, 200, 180)),))
MASK = np.zeros((240, 320), np.int32)
MASK[200:, :] = 2
AREAS = Segmentation(MASK, ("background", "cat", "dog"))


@pytest.mark.parametrize("result", [CLASSES, OBJECTS, AREAS])
def test_the_picture_given_stays_as_it_is(result: object) -> None:
    before = picture()
    before.flags.writeable = False
    drawn = draw(before, result)  # type: ignore[arg-type]
    assert (before == GREY).all()
    assert drawn.shape == before.shape
    assert drawn.dtype == np.uint8
    assert changed(drawn).any()


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (48, 48), (200, 20), (4000, 3000)])
@pytest.mark.parametrize("result", [CLASSES, OBJECTS])
def test_any_size_can_be_drawn_on(size: tuple[int, int], result: object) -> None:
    assert draw(picture(*size), result).shape == (size[1], size[0], 3)  # type: ignore[arg-type]


def test_classes_stand_in_the_upper_left() -> None:
    drawn = changed(draw(picture(), CLASSES))
    assert drawn[:5, :5].all()
    assert not drawn[120:].any()


def test_a_long_label_is_made_smaller_rather_than_cut() -> None:
    long = Classification((Prediction("a label that would not fit at this size at all", 1, 0.9),))
    drawn = changed(draw(picture(400, 400), long))
    assert not drawn[:, 395:].any()


def test_a_frame_and_its_tag() -> None:
    drawn = draw(picture(), OBJECTS)
    assert tuple(drawn[150, 100]) == class_colour(3)  # left edge
    assert tuple(drawn[150, 150]) == (GREY,) * 3  # inside
    assert changed(drawn)[66:78, 102:120].any()  # the tag above the frame


def test_a_tag_without_room_above_stays_inside() -> None:
    at_top = Detections((Detection("cat", 3, 0.97, Box(300, 0, 320, 240)),))
    assert changed(draw(picture(), at_top))[:12, 250:].any()


def test_a_mask_tints_all_but_class_0() -> None:
    drawn = draw(picture(), AREAS)
    tint = np.array(class_colour(2)) / 2 + GREY / 2
    assert np.abs(drawn[230, 300] - tint).max() <= 1
    assert tuple(drawn[150, 300]) == (GREY,) * 3


def test_what_a_crop_left_unseen_is_not_tinted() -> None:
    drawn = draw_segmentation(picture(), Segmentation(np.full((240, 320), -1, np.int32)))
    assert not changed(drawn).any()


def test_a_mask_of_another_size_is_a_misuse() -> None:
    with pytest.raises(ValueError, match=r"\(320, 240\) pixels for a picture of \(10, 10\)"):
        draw(picture(10, 10), AREAS)


def test_only_rgb_is_drawn_on() -> None:
    with pytest.raises(TypeError, match=r"uint8 \[height, width, 3\], not float32"):
        draw(np.zeros((4, 4, 3), np.float32), CLASSES)  # type: ignore[arg-type]


def test_colours_of_neighbouring_classes_differ() -> None:
    colours = np.array([class_colour(index) for index in range(100)], int)
    assert np.abs(np.diff(colours, axis=0)).sum(axis=1).min() > 60
    assert len({tuple(colour) for colour in colours.tolist()}) > 90


def test_letters_without_a_font_are_spelled_in_ascii() -> None:
    assert lettering._plain("Käse – größer ß 猫 Ægir") == "Kase - grosser ss ? AEgir"


@pytest.mark.parametrize("has_fonts", [True, False])
def test_letters_are_as_tall_as_asked(has_fonts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if has_fonts and not lettering.HAS_FONTS:
        pytest.skip("this OpenCV (4.x) carries no fonts")
    monkeypatch.setattr(lettering, "HAS_FONTS", has_fonts)
    letters = lettering.Lettering(40)
    canvas = np.zeros((100, 600, 3), np.uint8)
    letters.put(canvas, "Agp", 10, 20, (255, 255, 255))
    rows, columns = np.nonzero(canvas.any(axis=2))
    assert 18 <= rows.min() < 32
    assert 46 <= rows.max() <= 62
    assert columns.max() <= 10 + letters.width("Agp") + 3


def test_long_text_stays_on_its_line() -> None:
    canvas = np.zeros((200, 100, 3), np.uint8)
    lettering.Lettering(20).put(canvas, "a text much wider than the picture", 5, 5, (255, 255, 255))
    assert not canvas[35:].any()


def peak_bytes(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_tinting_a_large_picture_takes_little_more_than_the_picture() -> None:
    large = picture(2000, 1500)
    areas = Segmentation(np.ones((1500, 2000), np.int32))
    assert peak_bytes(lambda: draw(large, areas)) < 3 * large.nbytes
    assert peak_bytes(areas.shares) < 2 * areas.mask.nbytes


def test_tinting_part_by_part_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    noise = rng.integers(0, 256, (50, 40, 3), np.uint8)
    areas = Segmentation(rng.integers(-1, 4, (50, 40), np.int32))
    at_once = draw_segmentation(noise, areas)
    monkeypatch.setattr("mninfer.draw.TINTED_PIXELS", 120)
    monkeypatch.setattr("mninfer.segmentation.MASK_BLOCK_PIXELS", 120)
    assert (draw_segmentation(noise, areas) == at_once).all()
    found, counts = np.unique(areas.mask, return_counts=True)
    assert areas.shares() == {int(index): count / 2000 for index, count in zip(found, counts, strict=True)}
    assert sorted(areas.shares().values(), reverse=True) == list(areas.shares().values())
