"""Preprocessing: the texts that name it, the regions, the tables, and the bits of whole tensors."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mninfer.errors import PreprocessError
from mninfer.preprocessing import (
    PRESETS,
    Cover,
    Interpolation,
    Preprocessor,
    PreprocessSource,
    PreprocessSpec,
    Region,
    Resize,
    covering_size,
    input_geometry,
    input_region,
    parse_interpolation,
    parse_preprocess,
    parse_resize,
    pixels_as_they_are,
    preprocess_image,
)
from mninfer.preprocessing.shrink import halve, halve_side, shrink
from mninfer.preprocessing.table import input_table
from mninfer.preprocessing.tensor import to_gray
from mninfer.tensors import Quantization, TensorSpec
from support.boards import HAS_SUBNORMALS

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "preprocessing.json"
INCEPTION, TORCH, CAFFE, RAW = (PRESETS[name] for name in ("inception", "torch", "caffe", "raw"))
PIXELS = np.arange(256)
PLACES = st.floats(-10, 300, allow_subnormal=HAS_SUBNORMALS)


def tensor(dtype: str = "float32", shape=(1, 8, 8, 3), scale: float | None = None, zero_point: int = 0) -> TensorSpec:
    quantization = None if scale is None else Quantization((scale,), (zero_point,))
    return TensorSpec(name="input", shape=shape, shape_signature=shape, dtype=dtype, quantization=quantization)


def spec(text: str = "inception", resize: str = "stretch", interpolation: str = "area") -> PreprocessSpec:
    return parse_preprocess(text, resize=resize, interpolation=interpolation)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3)).astype(np.uint8)


class TestTexts:
    @pytest.mark.parametrize("name", PRESETS)
    def test_presets(self, name) -> None:
        assert parse_preprocess(name) == PRESETS[name]
        assert parse_preprocess(f" {name.upper()} ") == PRESETS[name]

    def test_numbers(self) -> None:
        assert parse_preprocess("mean=127.5,std=127.5") == INCEPTION
        assert parse_preprocess("mean=123.675/116.28/103.53,std=58.395/57.12/57.375,order=rgb") == TORCH
        assert parse_preprocess("mean=103.939/116.779/123.68, std=1, order=BGR") == CAFFE
        assert parse_preprocess("std=1") == RAW

    def test_resize_and_interpolation(self) -> None:
        assert parse_resize("stretch") == (Resize.STRETCH, 1.0)
        assert parse_resize("letterbox") == (Resize.LETTERBOX, 1.0)
        assert parse_resize("crop") == (Resize.CROP, 0.875)
        assert parse_resize("Crop:0.9") == (Resize.CROP, 0.9)
        assert parse_interpolation("bilinear") is Interpolation.BILINEAR
        made = parse_preprocess("torch", resize="crop:0.5", interpolation="bilinear")
        assert (made.resize, made.crop_fraction, made.interpolation) == (Resize.CROP, 0.5, Interpolation.BILINEAR)
        assert made.source is PreprocessSource.STATED

    @pytest.mark.parametrize(
        ("text", "message", "hint"),
        [
            ("incepton", 'unknown preprocessing "incepton"', 'did you mean "inception"?'),
            ("", 'unknown preprocessing ""', "one of inception, torch, caffe, raw"),
            ("meen=1", 'unknown key "meen"', 'did you mean "mean"?'),
            ("mean=1,std", '"std" has no "="', "write mean="),
            ("torch,order=bgr", '"torch" has no "="', "write mean="),
            ("mean=a", 'mean "a" is not a number', "for instance"),
            ("mean=1/2", 'mean "1/2" has 2 values', "one or three"),
            ("mean=1,mean=2", '"mean" is given twice', ""),
            ("order=gbr", 'unknown order "gbr"', "order=rgb"),
            ("std=0", "std 0 is not above 0", ""),
            ("std=1/0/1", "std 1/0/1 is not above 0", ""),
            ("std=-1", "std -1 is not above 0", ""),
            ("mean=127.5", "std is missing", "write mean="),
            ("mean=nan,std=1", "nan, which is not a finite number", ""),
            ("std=inf", "inf, which is not a finite number", ""),
        ],
    )
    def test_wrong_preprocessing(self, text, message, hint) -> None:
        with pytest.raises(PreprocessError) as caught:
            parse_preprocess(text)
        assert message in caught.value.what
        assert hint in str(caught.value)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("crap", 'unknown resize "crap"'),
            ("stretch:0.5", 'only "crop" takes a fraction'),
            ("crop:", "is not a number"),
            ("crop:0", "not above 0 and at most 1"),
            ("crop:1.1", "not above 0 and at most 1"),
            ("crop:nan", "not above 0 and at most 1"),
        ],
    )
    def test_wrong_resize(self, text, message) -> None:
        with pytest.raises(PreprocessError, match=message):
            parse_resize(text)

    def test_wrong_interpolation(self) -> None:
        with pytest.raises(PreprocessError, match="bicubic") as caught:
            parse_interpolation("bicubic")
        assert "one of area, bilinear" in str(caught.value)

    def test_it_reads_like_the_options(self) -> None:
        assert str(spec("torch", "crop")).startswith("mean=123.675/116.28/103.53,std=58.395/57.12/57.375,order=rgb")
        assert str(spec("raw")) == "mean=0,std=1,order=rgb; resize stretch, area"


class TestSpec:
    @pytest.mark.parametrize("resize", ["stretch", "crop:0.9", "letterbox"])
    @pytest.mark.parametrize("name", PRESETS)
    def test_json_round_trip(self, name, resize) -> None:
        made = spec(name, resize)
        assert PreprocessSpec.from_json(json.loads(json.dumps(made.to_json()))) == made

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"mean": [1, 2]}, "not three numbers"),
            ({"mean": "1"}, "not three numbers"),
            ({"mean": [1, 2, "3"]}, "not a finite number"),
            ({"mean": [1, 2, True]}, "not a finite number"),
            ({"std": [1, 1, math.inf]}, "not a finite number"),
            ({"std": [1, 1, 10**400]}, "not a finite number"),
            ({"order": "hsv"}, "hsv"),
            ({"resize": "squeeze"}, "resize is 'squeeze'"),
            ({"crop_fraction": 2}, "crop fraction 2"),
            ({"crop_fraction": 0.5}, "belongs to resize"),
            ({"crop_fraction": None}, "crop fraction None"),
            ({"resize": "crop", "crop_fraction": 0.123456}, "more than four decimals"),
            ({"interpolation": 3}, "interpolation is 3"),
            ({"source": "heard"}, "source is 'heard'"),
            ({"colour": 1}, '"colour" is unknown'),
            ({"std": None, "-": "std"}, '"-" is unknown'),
        ],
    )
    def test_json_is_read_strictly(self, change, message) -> None:
        with pytest.raises(PreprocessError, match=message):
            PreprocessSpec.from_json({**INCEPTION.to_json(), **change})

    def test_json_with_something_missing(self) -> None:
        value = INCEPTION.to_json()
        del value["order"]
        with pytest.raises(PreprocessError, match='"order" is missing'):
            PreprocessSpec.from_json(value)
        with pytest.raises(PreprocessError, match="list, not an object"):
            PreprocessSpec.from_json([])

    def test_fill(self) -> None:
        assert INCEPTION.fill == (128, 128, 128)
        assert CAFFE.fill == (124, 117, 104)  # the mean is BGR, the fill RGB
        assert RAW.fill == (0, 0, 0)
        assert PreprocessSpec(mean=(-9, 300, 0), std=(1, 1, 1)).fill == (0, 255, 0)


sides = st.integers(1, 20_000)
targets = st.integers(1, 1024)
sizes, target_sizes = st.tuples(sides, sides), st.tuples(targets, targets)
fractions = st.integers(1, 10_000).map(lambda value: value / 10_000)


def crop(fraction: float) -> PreprocessSpec:
    return PreprocessSpec(mean=(0, 0, 0), std=(1, 1, 1), resize=Resize.CROP, crop_fraction=fraction)


class TestGeometry:
    @pytest.mark.parametrize(
        ("size", "target", "fraction", "region"),
        [
            ((500, 375), (224, 224), 0.875, Region(86, 23, 328, 328)),
            ((375, 500), (224, 224), 0.875, Region(23, 86, 328, 328)),
            ((4000, 3000), (224, 224), 0.875, Region(688, 184, 2624, 2624)),  # (500, 375) times 8
            ((640, 480), (160, 96), 1.0, Region(0, 48, 640, 384)),
            ((7, 7), (224, 224), 0.5, Region(1, 1, 4, 4)),  # 3.5 rounds up
            ((1, 1), (224, 224), 0.1, Region(0, 0, 1, 1)),
            ((1000, 1), (224, 224), 1.0, Region(499, 0, 1, 1)),
        ],
    )
    def test_crop(self, size, target, fraction, region) -> None:
        assert input_region(size, crop(fraction), target) == region

    def test_stretch_and_letterbox_use_all(self) -> None:
        for resize in ("stretch", "letterbox"):
            assert input_region((500, 375), spec(resize=resize), (224, 224)) == Region(0, 0, 500, 375)

    @pytest.mark.parametrize(
        ("size", "placed"),
        [
            ((500, 375), Region(0, 28, 224, 168)),
            ((375, 500), Region(28, 0, 168, 224)),
            ((224, 224), Region(0, 0, 224, 224)),
            ((10000, 1), Region(0, 111, 224, 1)),
            ((3, 2), Region(0, 37, 224, 149)),
        ],
    )
    def test_letterbox(self, size, placed) -> None:
        assert input_geometry(size, spec(resize="letterbox"), (224, 224)).placed == placed

    @given(sizes, target_sizes, fractions)
    def test_crops_lie_inside_and_are_centred(self, size, target, fraction) -> None:
        geometry = input_geometry(size, crop(fraction), target)
        region, block = geometry.region, 1 << geometry.num_halvings
        assert min(region.size) >= 1
        for start, end, side in ((region.left, region.right, size[0]), (region.top, region.bottom, size[1])):
            assert 0 <= start < end <= side
            assert 0 <= (side - end) - start < 2 * block

    @given(sizes, target_sizes, fractions)
    def test_regions_lie_on_the_grid_of_the_halving(self, size, target, fraction) -> None:
        geometry = input_geometry(size, crop(fraction), target)
        region, block = geometry.region, 1 << geometry.num_halvings
        assert [edge % block for edge in (region.left, region.top, region.width, region.height)] == [0] * 4

    @given(sizes, target_sizes, st.sampled_from(["stretch", "crop", "letterbox"]))
    def test_halving_stops_in_time(self, size, target, resize) -> None:
        geometry = input_geometry(size, spec(resize=resize), target)
        if geometry.num_halvings:
            for side, need in zip(geometry.region.size, geometry.placed.size, strict=True):
                assert (side >> geometry.num_halvings) * 10 >= 14 * need
        assert input_geometry(size, spec(resize=resize, interpolation="bilinear"), target).num_halvings == 0

    @given(sizes, target_sizes, fractions, fractions)
    def test_crops_grow_with_the_fraction(self, size, target, one, other) -> None:
        small, large = sorted((one, other))
        inner, outer = (input_geometry(size, crop(fraction), target) for fraction in (small, large))
        tolerance = 2 << max(inner.num_halvings, outer.num_halvings)
        assert inner.region.width <= outer.region.width + tolerance
        assert inner.region.height <= outer.region.height + tolerance

    @given(st.tuples(st.integers(50, 20_000), st.integers(50, 20_000)), target_sizes)
    def test_crops_have_the_targets_aspect(self, size, target) -> None:
        geometry = input_geometry(size, crop(1.0), target)
        width, height = (side >> geometry.num_halvings for side in geometry.region.size)
        full_width, full_height = (side >> geometry.num_halvings for side in size)
        assert width == full_width or height == full_height
        assert abs(width - height * target[0] / target[1]) <= max(1, target[0] / target[1])

    @given(sizes, target_sizes, fractions)
    def test_turning_the_picture_turns_the_region(self, size, target, fraction) -> None:
        upright = input_region(size, crop(fraction), target)
        lying = input_region(size[::-1], crop(fraction), target[::-1])
        assert lying == Region(upright.top, upright.left, upright.height, upright.width)

    @given(sizes, target_sizes)
    def test_letterboxes_lie_inside_and_touch_two_edges(self, size, target) -> None:
        placed = input_geometry(size, spec(resize="letterbox"), target).placed
        assert placed.width == target[0] or placed.height == target[1]
        assert min(placed.left, placed.top) >= 0
        assert placed.right <= target[0]
        assert placed.bottom <= target[1]

    @given(
        sides,
        sides,
        st.sampled_from(["stretch", "letterbox", "crop"]),
        st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=5),
    )
    def test_points_go_there_and_back(self, width, height, resize, points) -> None:
        geometry = input_geometry((width, height), spec(resize=resize), (224, 160))
        back = geometry.to_input(geometry.to_image(points))
        assert np.allclose(back, points, atol=1e-6 * max(width, height))

    @pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
    def test_boxes_of_the_whole_input(self, resize) -> None:
        geometry = input_geometry((500, 375), spec(resize=resize), (224, 224))
        box = geometry.boxes_to_image([[0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]])
        region = geometry.region
        assert box[0].tolist() == [region.left, region.top, region.right, region.bottom]
        assert box[1] == pytest.approx([250, 187.5, 250, 187.5], abs=0.5)

    def test_boxes_of_nothing(self) -> None:
        assert input_geometry((5, 4), RAW, (2, 2)).boxes_to_image(np.zeros((0, 4))).shape == (0, 4)


class TestCover:
    @pytest.mark.parametrize(
        ("size", "resize", "target", "reduction"),
        [
            ((4000, 3000), "crop", 224, 8),  # 375 * 0.875 = 328 = 1.46 * 224
            ((4000, 3000), "crop", 240, 4),
            ((4000, 3000), "stretch", 267, 8),
            ((4000, 3000), "stretch", 268, 4),
            ((40000, 30000), "stretch", 224, 8),  # no JPEG decoder goes further
            ((1280, 720), "stretch", 224, 2),
            ((500, 375), "crop", 224, 1),
            ((4000, 100), "letterbox", 224, 8),  # it fills 224 x 6
            ((628, 628), "stretch", 224, 2),
            ((627, 627), "stretch", 224, 1),
            ((1, 1), "stretch", 224, 1),
        ],
    )
    def test_no_further_than_halving_goes(self, size, resize, target, reduction) -> None:
        cover = covering_size(spec(resize=resize), tensor(shape=(1, target, target, 3)))
        assert cover.reduction(size) == reduction

    def test_bilinear_sampling_needs_every_pixel(self) -> None:
        assert Cover(spec(interpolation="bilinear"), (224, 224)).reduction((4000, 3000)) == 1

    @given(sizes, target_sizes, st.sampled_from(["stretch", "letterbox", "crop", "crop:0.5"]))
    def test_what_is_left_is_treated_as_the_whole_would_be(self, size, target, resize) -> None:
        made = spec(resize=resize)
        whole, reduction = input_geometry(size, made, target), Cover(made, target).reduction(size)
        rest = input_geometry((size[0] // reduction, size[1] // reduction), made, target)
        assert reduction << rest.num_halvings == 1 << whole.num_halvings
        assert rest.placed == whole.placed
        assert [edge * reduction for edge in (rest.region.left, rest.region.top, *rest.region.size)] == [
            whole.region.left,
            whole.region.top,
            *whole.region.size,
        ]


class TestTable:
    @pytest.mark.parametrize("name", PRESETS)
    def test_floats_are_rounded_once(self, name) -> None:
        table = input_table(PRESETS[name], tensor())
        assert table.dtype == np.float32
        for channel in range(3):
            exact = (PIXELS - PRESETS[name].mean[channel]) / PRESETS[name].std[channel]
            assert np.array_equal(table[:, channel], exact.astype(np.float32))

    def test_float16(self) -> None:
        assert input_table(INCEPTION, tensor("float16"))[255, 0] == 1.0

    def test_quantized(self) -> None:
        table = input_table(TORCH, tensor("int8", scale=0.02, zero_point=-14))
        exact = np.floor((PIXELS - 123.675) / 58.395 / 0.02 + 0.5) - 14
        assert np.array_equal(table[:, 0], np.clip(exact, -128, 127))

    @pytest.mark.parametrize("zero_point", [127, 128])
    @pytest.mark.parametrize("scale", [1 / 127.5, 1 / 128, float(np.float32(1 / 127.5))])
    def test_uint8_takes_the_pixel_itself(self, scale, zero_point) -> None:
        table = input_table(INCEPTION, tensor("uint8", scale=scale, zero_point=zero_point))
        assert np.array_equal(table[:, 0], PIXELS)

    @pytest.mark.parametrize("zero_point", [0, -1])
    def test_int8_takes_the_pixel_less_128(self, zero_point) -> None:
        table = input_table(INCEPTION, tensor("int8", scale=float(np.float32(2 / 255)), zero_point=zero_point))
        assert np.array_equal(table[:, 0], PIXELS - 128)

    @pytest.mark.parametrize(("dtype", "shift"), [("uint8", 0), ("int8", -128)])
    def test_raw_is_the_pixel_whatever_the_scale(self, dtype, shift) -> None:
        for quantized in (tensor(dtype), tensor(dtype, scale=0.0078125, zero_point=0)):
            assert np.array_equal(input_table(RAW, quantized)[:, 0], PIXELS + shift)

    def test_int16(self) -> None:
        table = input_table(INCEPTION, tensor("int16", scale=1 / 32768))
        assert table[[0, 255], 0].tolist() == [-32768, 32767]

    def test_the_preprocessing_of_another_model(self) -> None:
        with pytest.raises(PreprocessError, match="of the pixel values lie outside") as caught:
            input_table(parse_preprocess("mean=0,std=1,order=bgr"), tensor("int16", scale=1 / 32768))
        assert "--preprocess raw" in str(caught.value)

    def test_some_clipping_is_left_alone(self) -> None:
        table = input_table(TORCH, tensor("int8", scale=0.0157, zero_point=0))
        assert table.min() == -128

    def test_quantized_without_scale(self) -> None:
        with pytest.raises(PreprocessError, match="int8 with no quantization scales"):
            input_table(INCEPTION, tensor("int8"))

    @pytest.mark.parametrize("dtype", ["int32", "int64", "bool", "string", "complex64"])
    def test_other_types(self, dtype) -> None:
        with pytest.raises(PreprocessError, match=f"the input is {dtype}"):
            input_table(INCEPTION, tensor(dtype))

    def test_float16_overflow(self) -> None:
        with pytest.raises(PreprocessError, match="leaves the range of float16"):
            input_table(parse_preprocess("std=0.001"), tensor("float16"))

    @pytest.mark.parametrize(("dtype", "zero_point"), [("uint8", 128), ("int8", 0), ("int8", -1), ("uint8", 127)])
    def test_pixels_as_they_are(self, dtype, zero_point) -> None:
        quantized = tensor(dtype, scale=0.0078125, zero_point=zero_point)
        table = input_table(pixels_as_they_are(quantized), quantized)
        assert np.array_equal(table[:, 0].astype(int), PIXELS - (128 if dtype == "int8" else 0))
        assert pixels_as_they_are(tensor()).is_raw


class TestTensor:
    def test_the_picture_itself_where_nothing_changes(self) -> None:
        picture = noise(8, 8)
        array = preprocess_image(picture, RAW, tensor("uint8"))
        assert np.array_equal(array[0], picture)
        assert np.shares_memory(array, picture)

    @pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8", "int16"])
    @pytest.mark.parametrize("name", ["inception", "torch", "caffe"])
    def test_every_pixel_through_the_table(self, name, dtype) -> None:
        picture, quantized = noise(8, 8), dtype not in ("float32", "float16")
        made = tensor(dtype, scale=2.0 if name == "caffe" else 0.02, zero_point=100 if dtype == "uint8" else 0)
        made = made if quantized else tensor(dtype)
        array = preprocess_image(picture, PRESETS[name], made)
        assert array.shape == (1, 8, 8, 3)
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        table, pixels = input_table(PRESETS[name], made), picture if name != "caffe" else picture[..., ::-1]
        for channel in range(3):
            assert np.array_equal(array[0, ..., channel], table[pixels[..., channel], channel])

    def test_views_are_taken_as_they_are(self) -> None:
        wide = noise(16, 20)
        for view in (wide[4:12, 6:14], wide[4:12, 13:5:-1], np.asfortranarray(wide[4:12, 6:14])):
            for made in (tensor(), tensor("uint8"), tensor("int8")):
                expected = preprocess_image(np.ascontiguousarray(view), RAW, made)
                assert np.array_equal(preprocess_image(view, RAW, made), expected)

    def test_planar_inputs(self) -> None:
        picture = noise(8, 6)
        array = preprocess_image(picture, INCEPTION, tensor(shape=(1, 3, 8, 6)))
        assert np.array_equal(
            array[0].transpose(1, 2, 0), preprocess_image(picture, INCEPTION, tensor(shape=(1, 8, 6, 3)))[0]
        )

    def test_gray_inputs(self) -> None:
        picture = noise(8, 8)
        gray = (picture.astype(int) @ [77, 150, 29] + 128) >> 8
        assert np.array_equal(preprocess_image(picture, RAW, tensor("uint8", shape=(1, 8, 8, 1)))[0, ..., 0], gray)
        white = np.full((2, 2, 3), 255, np.uint8)
        assert to_gray(white).max() == 255
        with pytest.raises(PreprocessError, match="one channel, the preprocessing three"):
            Preprocessor(TORCH, tensor(shape=(1, 8, 8, 1)))

    def test_letterbox_bars_are_about_zero_to_the_model(self) -> None:
        array = preprocess_image(noise(4, 8), spec("torch", "letterbox"), tensor())
        assert np.abs(array[0, [0, 1, 6, 7]]).max() < 0.5 / 57
        assert np.abs(array[0, 2:6]).max() > 1

    @pytest.mark.parametrize(
        ("size", "expected"),
        [((16, 16), [[1, 1], [1, 1]]), ((8, 8), [[1, 1], [1, 1]]), ((4, 16), [[1, 1], [1, 1]])],
    )
    def test_flat_pictures_stay_flat(self, size, expected) -> None:
        for interpolation in ("area", "bilinear"):
            picture = np.ones((*size, 3), np.uint8)
            made = preprocess_image(picture, spec("raw", "stretch", interpolation), tensor("uint8", shape=(1, 2, 2, 3)))
            assert made[0, ..., 0].tolist() == expected

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_halving_rounds_the_mean_of_a_block_once_half_to_even(self, times) -> None:
        picture, block = noise(45, 29) // 64 * 64, 1 << times
        height, width = 45 // block, 29 // block
        whole = picture[: height * block, : width * block].astype(int)
        sums = whole.reshape(height, block, width, block, 3).sum((1, 3))
        assert np.array_equal(halve(picture, times), np.rint(sums / block**2))
        as_documented = (sums + block**2 // 2 - 1 + ((sums >> 2 * times) & 1)) >> 2 * times
        assert np.array_equal(halve(picture, times), as_documented)

    def test_four_halvings_are_three_and_one(self) -> None:
        picture = noise(64, 80)
        assert np.array_equal(halve(picture, 4), halve(halve(picture, 3), 1))
        assert not np.array_equal(halve(picture, 2), halve(halve(picture, 1), 1))

    def test_an_odd_last_row_is_left_out(self) -> None:
        flat = input_geometry((11, 13), RAW, (3, 4))
        assert (flat.num_halvings, flat.region) == (1, Region(0, 0, 10, 12))

    def test_halving_makes_nothing_brighter(self) -> None:
        """A decoder that averages blocks of 8 x 8 doesn't, either."""
        picture = noise(1200, 1600)
        for times in (1, 2, 3):
            assert abs(halve(picture, times).mean() - picture.mean()) < 0.02

    def test_halving_some_rows_at_a_time_is_halving(self) -> None:
        picture = noise(1031, 1000)
        assert np.array_equal(halve(picture, 1)[300:], halve(picture[600:], 1))
        assert np.array_equal(halve(picture.swapaxes(0, 1), 2), halve(picture, 2).swapaxes(0, 1))

    @pytest.mark.parametrize("resize", ["stretch", "letterbox", "crop"])
    def test_halving_before_or_inside_is_the_same(self, resize) -> None:
        picture, made = noise(96, 128), Preprocessor(spec("torch", resize), tensor())
        num_halvings = made.geometry((128, 96)).num_halvings
        assert num_halvings >= 2
        assert np.array_equal(made(picture), made(halve(picture, num_halvings)))

    def test_shrinking_averages(self) -> None:
        picture = np.zeros((4, 4, 3), np.uint8)
        picture[::2, ::2] = 200
        made = preprocess_image(picture, RAW, tensor("uint8", shape=(1, 2, 2, 3)))
        assert made[0, ..., 0].tolist() == [[50, 50], [50, 50]]

    def test_one_side_smaller_one_larger(self) -> None:
        """The side that shrinks is averaged before the other one grows: no pixel is passed over."""
        picture = np.zeros((2, 8, 3), np.uint8)
        picture[:, ::4] = 200
        made = preprocess_image(picture, RAW, tensor("uint8", shape=(1, 4, 2, 3)))
        assert made[0, ..., 0].tolist() == [[50, 50]] * 4

    @pytest.mark.parametrize("shape", [(), (1, 8, 8), (2, 8, 8, 3), (1, 8, 8, 4), (1, 0, 8, 3), (1, 1, 1, 8, 3)])
    def test_inputs_that_take_no_picture(self, shape) -> None:
        with pytest.raises(PreprocessError, match="a picture becomes"):
            Preprocessor(RAW, tensor(shape=shape))

    @pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)])
    def test_what_is_no_picture_is_a_programming_error(self, image) -> None:
        with pytest.raises(TypeError, match="uint8 \\[height, width, 3\\]"):
            preprocess_image(image, RAW, tensor())

    @settings(deadline=None, max_examples=60)
    @given(
        st.tuples(st.integers(1, 60), st.integers(1, 60)),
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        st.sampled_from(["stretch", "letterbox", "crop"]),
        st.sampled_from(["area", "bilinear"]),
    )
    def test_any_size_fits(self, size, target, resize, interpolation) -> None:
        made = Preprocessor(spec("inception", resize, interpolation), tensor(shape=(1, *target, 3)))
        array = made(noise(*size))
        assert array.shape == (1, *target, 3)
        assert np.abs(array).max() <= 1


def exact_mean(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Area means in Python's integers, the slow way: every source pixel cut into size[0] x size[1] parts."""
    (height, width), (columns, rows) = image.shape[:2], size
    parts = np.repeat(np.repeat(image.astype(np.int64), rows, 0), columns, 1)
    totals = parts.reshape(rows, height, columns, width, -1).sum((1, 3))
    return (2 * totals + width * height) // (2 * width * height)


def overlaps(side: int, goal: int) -> np.ndarray:
    """``[goal, side]``: how many goal-ths of each source pixel lie in each output pixel."""
    start, end = np.arange(goal)[:, None] * side, np.arange(1, goal + 1)[:, None] * side
    left, right = np.arange(side) * goal, np.arange(1, side + 1) * goal
    return np.clip(np.minimum(end, right) - np.maximum(start, left), 0, None)


class TestShrink:
    @settings(deadline=None, max_examples=150)
    @given(st.tuples(st.integers(1, 24), st.integers(1, 24)), st.data(), st.sampled_from([2, 4, 256]))
    def test_exact_means(self, shape, data, levels) -> None:
        size = (data.draw(st.integers(1, shape[1])), data.draw(st.integers(1, shape[0])))
        picture = np.random.default_rng(shape[0]).integers(0, levels, (*shape, 3)).astype(np.uint8)
        assert np.array_equal(shrink(picture, size), exact_mean(picture, size))

    def test_halves_round_up(self) -> None:
        checks = (np.indices((12, 12)).sum(0) % 2).astype(np.uint8)[..., None].repeat(3, -1)
        assert np.array_equal(shrink(checks, (6, 6)), np.ones((6, 6, 3)))
        assert np.array_equal(shrink(checks, (9, 12)), exact_mean(checks, (9, 12)))

    @pytest.mark.parametrize("size", [(300, 224), (448, 300), (328, 328), (301, 299), (320, 240)])
    def test_exact_means_at_real_sizes(self, size) -> None:
        """Against fractions, in rows and columns one after the other, where repeating pixels would be too much."""
        picture = noise(size[1], size[0]) // 64 * 64
        rows, columns = (overlaps(side, goal) for side, goal in ((size[1], 224), (size[0], 200)))
        totals = np.einsum("yh,xw,hwc->yxc", rows, columns, picture.astype(np.int64), optimize=True)
        expected = (2 * totals + size[0] * size[1]) // (2 * size[0] * size[1])
        assert np.array_equal(shrink(picture, (200, 224)), expected)

    @pytest.mark.parametrize("strip_bytes", [1, 5_000, 30_000])
    def test_strips_of_any_size_make_the_same(self, strip_bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        picture = noise(61, 37)
        whole = shrink(picture, (23, 44)), halve(picture, 2)
        monkeypatch.setattr("mninfer.preprocessing.shrink.STRIP_BYTES", strip_bytes)
        monkeypatch.setattr("mninfer.preprocessing.shrink.BLOCK_BYTES", strip_bytes)
        assert np.array_equal(shrink(picture, (23, 44)), whole[0])
        assert np.array_equal(halve(picture, 2), whole[1])

    def test_memory_that_is_used_again_is_nobodys_result(self) -> None:
        """By one thread after the other, and by several at once."""
        work = [(noise(*shape), size) for shape in [(30, 40), (60, 33), (20, 150)] for size in [(11, 7), (13, 19)]]
        expected = [exact_mean(picture, size) for picture, size in work]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda each: (shrink(*each), halve(each[0], 1)), work * 50))
        assert all(np.array_equal(one[0], right) for one, right in zip(made, expected * 50, strict=True))
        assert all(np.array_equal(one[1], halve(each[0], 1)) for one, each in zip(made, work * 50, strict=True))

    def test_it_is_inter_area_but_for_halves(self) -> None:
        picture = noise(480, 640)
        theirs = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
        difference = np.abs(shrink(picture, (224, 224)).astype(int) - theirs)
        assert difference.max() <= 1
        assert np.count_nonzero(difference) < difference.size / 200

    @pytest.mark.parametrize("axis", [0, 1])
    def test_one_side_halved(self, axis) -> None:
        picture = noise(7, 9)
        pairs = np.moveaxis(picture, axis, 0).astype(int)
        pairs = pairs[: len(pairs) // 2 * 2]
        assert np.array_equal(np.moveaxis(halve_side(picture, axis), axis, 0), (pairs[::2] + pairs[1::2] + 1) >> 1)

    @pytest.mark.parametrize("shape", [(3, 5000), (5000, 3)])
    def test_long_thin_pictures_take_little_memory(self, shape) -> None:
        made = preprocess_image(noise(*shape), RAW, tensor("uint8"))
        assert abs(int(made.mean()) - 127) < 12


class TestVectors:
    """Hashes written once (tools/write_preprocessing_vectors.py): the same on every OpenCV and every processor."""

    CONTENT = json.loads(VECTORS.read_text(encoding="utf-8"))

    @pytest.mark.parametrize("entry", CONTENT["vectors"], ids=lambda entry: f"{entry['picture']}-{entry['sha256'][:6]}")
    def test_same_bits(self, entry) -> None:
        width, height = entry["picture"]
        y, x, c = np.mgrid[:height, :width, :3]
        picture = ((x * (5 + 2 * c) + y * (3 + c) + ((x * y) >> (3 + c)) + ((x ^ y) & 31)) & 255).astype(np.uint8)
        facts, made = entry["tensor"], PreprocessSpec.from_json(entry["preprocess"])
        shape = tuple(facts["shape"])
        geometry = input_geometry((width, height), made, (shape[2], shape[1]))
        assert [geometry.region.left, geometry.region.top, *geometry.region.size] == entry["region"]
        assert geometry.num_halvings == entry["num_halvings"]
        assert [geometry.placed.left, geometry.placed.top, *geometry.placed.size] == entry["placed"]
        array = preprocess_image(picture, made, tensor(facts["dtype"], shape, facts["scale"], facts["zero_point"] or 0))
        little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
        assert hashlib.sha256(little.tobytes()).hexdigest() == entry["sha256"]
