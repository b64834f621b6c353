"""Every kind of picture comes out with the right pixels, upright, whatever OpenCV would have made of it."""

import cv2
import numpy as np
import pytest

from mninfer.errors import InputError
from mninfer.images import load_image
from mninfer.preprocessing.shrink import halve
from support.encoders import (
    box,
    chunk,
    exif,
    exif_segment,
    extended,
    flat_jpeg,
    gif,
    png,
    riff,
    scene,
    tiff,
    turned_avif,
    webp_chunks,
    with_segments,
)
from support.hostile_pictures import HAS_AVIF, HAS_GIF, SIZE, animated_png, encoded, grays, rgba

SCENE = scene(*SIZE)
BACKGROUNDS = [(255, 255, 255), (0, 0, 0), (10, 200, 90)]


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """EXIF's table in numpy: where the stored first row and first column belong."""
    return {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.swapaxes(0, 1),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(pixels, 1),
    }[orientation]


def over(rgba: np.ndarray, background: tuple[int, int, int]) -> np.ndarray:
    color, alpha = rgba[..., :3].astype(int), rgba[..., 3:].astype(int)
    return (color * alpha + np.array(background) * (255 - alpha) + 127) // 255


def with_orientation(suffix: str, orientation: int) -> bytes:
    data = encoded(suffix)
    if suffix == ".jpg":
        return with_segments(data, exif_segment(orientation))
    if suffix == ".png":
        return png(SCENE, 2, before=chunk(b"eXIf", exif(orientation, "<" if orientation % 2 else ">")))
    if suffix == ".webp":
        return riff(extended(SIZE, 8), *webp_chunks(data).items(), (b"EXIF", b"Exif\0\0" + exif(orientation)))
    return tiff(SCENE.tobytes(), SIZE, photometric=2, samples=3, tags={274: ("H", [orientation])})


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(suffix, orientation) -> None:
    stored = load_image(with_orientation(suffix, 1)).pixels
    loaded = load_image(with_orientation(suffix, orientation))
    assert np.array_equal(loaded.pixels, upright(stored, orientation))
    assert loaded.original_size == (loaded.pixels.shape[1], loaded.pixels.shape[0])
    assert loaded.pixels.flags.c_contiguous


class Eighth:
    """Asks for the strongest reduction."""

    def reduction(self, image_size: tuple[int, int]) -> int:
        return 8


@pytest.mark.parametrize("size", [(160, 96), (167, 96), (160, 103), (167, 103)])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_picture_lies_where_the_full_one_does(size, orientation) -> None:
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    ramp = np.stack([columns, rows * 2, columns // 2 + rows], 2).astype(np.uint8)
    data = with_segments(
        cv2.imencode(".jpg", ramp, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes(), exif_segment(orientation)
    )
    full, reduced = load_image(data), load_image(data, cover=Eighth())
    halved = halve(full.pixels, reduced.reduction.bit_length() - 1)
    assert reduced.original_size == full.original_size
    assert halved.shape == reduced.pixels.shape
    assert np.abs(halved.astype(int) - reduced.pixels).mean() < 1.5


@pytest.mark.skipif(not HAS_AVIF, reason="this OpenCV has no AVIF")
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirror", [None, 0, 1])
def test_avif_orientation(turns, mirror) -> None:
    data = encoded(".avif")
    stored = load_image(data).pixels
    properties = [box(b"irot", bytes([turns]))] + ([box(b"imir", bytes([mirror]))] if mirror is not None else [])
    expected = np.rot90(stored, turns)
    if mirror is not None:
        expected = expected[::-1] if mirror == 0 else expected[:, ::-1]
    assert np.array_equal(load_image(turned_avif(data, *properties)).pixels, expected)


def clean_aperture(*halves: int) -> bytes:
    """Width, height, and the way of the centre to the right and down, in halves of a pixel."""
    return box(b"clap", b"".join(value.to_bytes(4, "big", signed=True) + (2).to_bytes(4, "big") for value in halves))


@pytest.mark.skipif(not HAS_AVIF, reason="this OpenCV has no AVIF")
@pytest.mark.parametrize("turns", [0, 1])
def test_avif_is_cropped_to_its_clean_aperture_and_then_turned(turns) -> None:
    data = encoded(".avif")
    stored = load_image(data).pixels
    height, width = stored.shape[:2]
    x, y, wide, high = 3, 5, 20, 15
    aperture = clean_aperture(2 * wide, 2 * high, 2 * x + wide - width, 2 * y + high - height)
    loaded = load_image(turned_avif(data, aperture, box(b"irot", bytes([turns]))))
    assert np.array_equal(loaded.pixels, np.rot90(stored[y : y + high, x : x + wide], turns))
    assert loaded.original_size == loaded.pixels.shape[1::-1]


@pytest.mark.skipif(not HAS_AVIF, reason="this OpenCV has no AVIF")
@pytest.mark.parametrize(
    "aperture",
    [clean_aperture(9999, 40, 0, 0), clean_aperture(41, 40, 0, 0), clean_aperture(0, 0, 0, 0), clean_aperture(40, 40)],
)
def test_an_avif_whose_clean_aperture_is_none_is_damaged(aperture) -> None:
    with pytest.raises(InputError, match="clean aperture"):
        load_image(turned_avif(encoded(".avif"), aperture))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp"])
def test_lossless_formats_give_the_same_pixels(suffix) -> None:
    options = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    assert np.array_equal(load_image(encoded(suffix, *options)).pixels, SCENE)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_png_gray(depth) -> None:
    expected = grays(depth) * (255 // ((1 << depth) - 1))
    assert np.array_equal(load_image(png(grays(depth), 0, depth=depth)).pixels, np.dstack([expected] * 3))


def test_16_bits_round_to_the_nearest_of_257_steps() -> None:
    values = np.array([[0, 128, 129, 257, 385, 386, 65406, 65407, 65535]], np.uint16)
    expected = [0, 0, 1, 1, 1, 2, 254, 255, 255]
    assert load_image(png(values, 0)).pixels[0, :, 0].tolist() == expected
    assert load_image(tiff(values.tobytes(), (9, 1), bits=16)).pixels[0, :, 0].tolist() == expected


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_alpha_over_a_background(background) -> None:
    expected = over(rgba(), background)
    assert np.array_equal(load_image(png(rgba(), 6), background=background).pixels, expected)
    unassociated = tiff(rgba().tobytes(), SIZE, photometric=2, samples=4, tags={338: ("H", [2])})
    assert np.array_equal(load_image(unassociated, background=background).pixels, expected)
    as_array = load_image(rgba(), background=background).pixels
    assert np.array_equal(as_array, expected)


def test_alpha_of_16_bits() -> None:
    deep = rgba(np.uint16)
    assert np.array_equal(load_image(png(deep, 6)).pixels, over((deep.astype(np.uint32) + 128) // 257, BACKGROUNDS[0]))


def test_associated_alpha_is_not_multiplied_twice() -> None:
    data = tiff(bytes([100, 50, 0, 128]), (1, 1), photometric=2, samples=4, tags={338: ("H", [1])})
    under = (255 * 127 + 127) // 255
    assert load_image(data).pixels.tolist() == [[[100 + under, 50 + under, under]]]


def test_extra_samples_without_meaning_are_dropped() -> None:
    data = tiff(bytes([100, 50, 0, 128]), (1, 1), photometric=2, samples=4, tags={338: ("H", [0])})
    assert load_image(data).pixels.tolist() == [[[100, 50, 0]]]


def test_one_transparent_gray_level() -> None:
    data = png(np.array([[0, 1, 2, 3]], np.uint8), 0, depth=2, before=chunk(b"tRNS", b"\0\2"))
    assert load_image(data, background=(9, 8, 7)).pixels.tolist() == [[[0] * 3, [85] * 3, [9, 8, 7], [255] * 3]]


def test_one_transparent_gray_level_of_16_bits() -> None:
    data = png(np.array([[256, 257]], np.uint16), 0, before=chunk(b"tRNS", b"\1\0"))
    assert load_image(data, background=(9, 8, 7)).pixels.tolist() == [[[9, 8, 7], [1, 1, 1]]]


def test_animated_png_gives_its_still() -> None:
    assert np.array_equal(load_image(animated_png()).pixels, SCENE)


def test_animated_webp_gives_its_first_frame() -> None:
    from support.encoders import webp_frame

    still = encoded(".webp")
    frames = [webp_frame(still, SIZE), webp_frame(encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 20), SIZE)]
    data = riff(extended(SIZE, 2), (b"ANIM", bytes(6)), *frames)
    assert np.array_equal(load_image(data).pixels, load_image(still).pixels)


@pytest.mark.skipif(not HAS_GIF, reason="this OpenCV has no GIF")
def test_gif() -> None:
    red, green, blue, white = [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]
    whole = (0, 0, 4, 2)
    data = gif((4, 2), [(whole, [0, 1, 2, 3, 3, 2, 1, 0]), (whole, [0] * 8)])
    assert load_image(data).pixels.tolist() == [[red, green, blue, white], [white, blue, green, red]]
    clear = gif((4, 2), [(whole, [0, 1, 2, 3] * 2)], transparent=1)
    assert load_image(clear, background=(1, 2, 3)).pixels.tolist() == [[red, [1, 2, 3], blue, white]] * 2


def test_flat_jpeg_levels() -> None:
    levels = np.array([[[0], [100]], [[200], [255]]], np.uint8)
    assert load_image(flat_jpeg(levels)).pixels[::8, ::8, 1].tolist() == [[0, 100], [200, 255]]


@pytest.mark.parametrize("adobe", [None, 0, 2])
@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_cmyk_jpeg_is_what_opencv_makes_of_it(adobe, reduction) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 7, 4)).astype(np.uint8)
    data = flat_jpeg(levels, adobe=adobe)
    flag = {1: cv2.IMREAD_COLOR}.get(reduction) or getattr(cv2, f"IMREAD_REDUCED_COLOR_{reduction}")
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), flag)[..., ::-1]
    assert np.array_equal(load_image(data, cover=Fixed(reduction)).pixels, expected)


def whole_blocks(pixels: np.ndarray, size: tuple[int, int], reduction: int) -> np.ndarray:
    """Without the last column and row where they stand for less than a block: they are not used."""
    return pixels[: size[1] // reduction, : size[0] // reduction]


class Fixed:
    """A cover that asks for one reduction, whatever the picture."""

    def __init__(self, reduction: int) -> None:
        self.value = reduction

    def reduction(self, image_size: tuple[int, int]) -> int:
        self.asked = image_size
        return self.value


@pytest.mark.parametrize("size", [(601, 403), (64, 64), (17, 9), (8, 8)])
@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)], ids=["baseline", "progressive"])
def test_every_decoder_gives_the_same_pixels(size, reduction, options) -> None:
    """simplejpeg where it is, OpenCV where it is not: both are libjpeg-turbo with the same settings."""
    data = cv2.imencode(".jpg", scene(*size), [*options])[1].tobytes()
    flag = {1: cv2.IMREAD_COLOR}.get(reduction) or getattr(cv2, f"IMREAD_REDUCED_COLOR_{reduction}")
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)[..., ::-1]
    loaded = load_image(data, cover=Fixed(reduction))
    assert np.array_equal(loaded.pixels, whole_blocks(expected, size, reduction))
    assert loaded.original_size == size
    assert loaded.reduction == reduction


def test_the_cover_is_asked_about_the_upright_size() -> None:
    cover = Fixed(2)
    loaded = load_image(with_segments(encoded(".jpg"), exif_segment(6)), cover=cover)
    assert cover.asked == loaded.original_size == (SIZE[1], SIZE[0])
    assert loaded.pixels.shape == (SIZE[0] // 2, SIZE[1] // 2, 3)


def test_only_jpeg_is_reduced() -> None:
    assert load_image(encoded(".png"), cover=Fixed(8)).reduction == 1


def test_without_simplejpeg_opencv_decodes(monkeypatch) -> None:
    import sys

    expected = load_image(encoded(".jpg")).pixels
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    assert np.array_equal(load_image(encoded(".jpg")).pixels, expected)
    with pytest.raises(InputError, match="restart marker out of turn"):
        load_image(encoded(".jpg")[:-40] + b"\xff\xd3" + encoded(".jpg")[-40:])


def test_max_pixels() -> None:
    assert load_image(encoded(".png"), max_pixels=SIZE[0] * SIZE[1]).original_size == SIZE
    with pytest.raises(InputError, match="64 x 40 pixels are more than the 2,559 allowed"):
        load_image(encoded(".png"), max_pixels=2559)


def test_large_pictures_take_what_was_foreseen() -> None:
    """100 megapixels of JPEG at 1/8: the pixels of the reduced picture only."""
    levels = np.full((1250, 1250, 1), 90, np.uint8)
    loaded = load_image(flat_jpeg(levels), cover=Fixed(8))
    assert loaded.original_size == (10000, 10000)
    assert loaded.pixels.shape == (1250, 1250, 3)
    assert int(loaded.pixels.min()) == int(loaded.pixels.max()) == 90
