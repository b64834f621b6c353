"""Numbers to results: ranking, softmax, boxes and masks in the original's pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.detection import detections
from mninfer.errors import EngineError
from mninfer.postprocessing import best_classes, dequantize
from mninfer.preprocessing import PRESETS, PreprocessSpec, Resize, input_geometry
from mninfer.preprocessing.geometry import Geometry
from mninfer.segmentation import segment_mask
from mninfer.tensors import Quantization

STRETCH = PRESETS["raw"]
CROP = PreprocessSpec(mean=(0, 0, 0), std=(1, 1, 1), resize=Resize.CROP, crop_fraction=0.5)
LETTERBOX = PreprocessSpec(mean=(0, 0, 0), std=(1, 1, 1), resize=Resize.LETTERBOX)


def rank(output: np.ndarray, quantization: Quantization | None = None, **settings: object) -> list[tuple[int, float]]:
    options = {"top": 5, "needs_softmax": False, "labels": None} | settings
    return [(p.index, p.score) for p in best_classes(output, quantization, **options)]  # type: ignore[arg-type]


class TestBestClasses:
    def test_quantized_scores_become_real(self) -> None:
        quantization = Quantization((1 / 256,), (0,))
        assert rank(np.array([[0, 128, 64]], np.uint8), quantization, top=2) == [(1, 0.5), (2, 0.25)]

    def test_int8_with_a_zero_point(self) -> None:
        quantization = Quantization((1 / 256,), (-128,))
        assert rank(np.array([[-128, 127, 0]], np.int8), quantization, top=2) == [(1, 255 / 256), (2, 0.5)]

    def test_equal_scores_go_by_index(self) -> None:
        assert [index for index, _ in rank(np.array([[3, 7, 7, 3, 7, 3]], np.uint8))] == [1, 2, 4, 0, 3]

    def test_logits_get_a_softmax(self) -> None:
        (first, score), (second, other) = rank(np.array([[1000.0, 1000.0]], np.float32), needs_softmax=True)
        assert (first, second) == (0, 1)
        assert score == other == 0.5

    def test_more_asked_for_than_there_are(self) -> None:
        assert len(rank(np.zeros((1, 3), np.float32), top=10)) == 3

    def test_none_asked_for(self) -> None:
        assert rank(np.zeros((1, 3), np.float32), top=0) == []

    def test_nan_is_an_error(self) -> None:
        with pytest.raises(EngineError, match="NaN"):
            rank(np.array([[np.nan, 1.0]], np.float32))

    def test_labels_name_what_they_reach(self) -> None:
        found = best_classes(np.array([[1.0, 2.0]], np.float32), None, top=2, needs_softmax=False, labels=("only one",))
        assert [p.label for p in found] == ["1", "only one"]

    @given(st.lists(st.integers(0, 255), min_size=1, max_size=50), st.integers(1, 60))
    def test_it_is_the_stable_sort(self, values: list[int], top: int) -> None:
        expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:top]
        found = rank(np.array([values], np.uint8), Quantization((1.0,), (0,)), top=top)
        assert [index for index, _ in found] == expected
        assert [score for _, score in found] == [values[i] for i in expected]


def test_floats_are_dequantized_already() -> None:
    values = np.array([1.5], np.float32)
    assert dequantize(values, Quantization((2.0,), (1,))) is values


def find(boxes: list[list[float]], geometry: Geometry, scores: list[float], **settings: object) -> list[list[float]]:
    options = {"threshold": 0.5, "labels": None, "label_offset": 0} | settings
    found = detections(
        np.array([boxes], np.float32),
        np.zeros((1, len(boxes)), np.float32),
        np.array([scores], np.float32),
        geometry=geometry,
        **options,  # type: ignore[arg-type]
    )
    return [detection.box.to_json() for detection in found]


class TestDetections:
    """Boxes come as ymin, xmin, ymax, xmax relative to the input."""

    def test_stretched_boxes(self) -> None:
        geometry = input_geometry((200, 100), STRETCH, (64, 64))
        assert find([[0.25, 0.5, 0.5, 1.0]], geometry, [0.9]) == [[100, 25, 200, 50]]

    def test_boxes_are_clipped_to_the_picture(self) -> None:
        geometry = input_geometry((200, 100), STRETCH, (64, 64))
        assert find([[-0.5, -0.5, 2.0, 2.0]], geometry, [0.9]) == [[0, 0, 200, 100]]

    def test_cropped_boxes(self) -> None:
        geometry = input_geometry((200, 100), CROP, (64, 64))  # the middle 50 x 50
        assert find([[0, 0, 1, 1]], geometry, [0.9]) == [[75, 25, 125, 75]]

    def test_letterboxed_boxes(self) -> None:
        geometry = input_geometry((200, 100), LETTERBOX, (64, 64))  # bars of 16 above and below
        assert find([[0.25, 0, 0.75, 1]], geometry, [0.9]) == [[0, 0, 200, 100]]
        assert find([[0, 0, 0.2, 1]], geometry, [0.9]) == []  # all of it in the bar

    def test_threshold_order_and_nan(self) -> None:
        geometry = input_geometry((10, 10), STRETCH, (64, 64))
        boxes = [[0, 0, 1, 0.1 * i] for i in range(1, 6)]
        found = find(boxes, geometry, [0.5, 0.49, 0.9, float("nan"), 0.7])
        assert [round(box[2]) for box in found] == [3, 5, 1]

    def test_a_box_of_nan_is_left_out(self) -> None:
        geometry = input_geometry((10, 10), STRETCH, (64, 64))
        assert find([[0, 0, float("nan"), 1]], geometry, [0.9]) == []


class TestSegmentMask:
    def test_indices_are_enlarged_in_blocks(self) -> None:
        mask = segment_mask(np.array([[0, 3], [7, 1]]), input_geometry((8, 4), STRETCH, (2, 2)), foreground_above=0.0)
        assert mask.dtype == np.int32
        assert mask.tolist() == [[0] * 4 + [3] * 4] * 2 + [[7] * 4 + [1] * 4] * 2

    def test_scores_are_enlarged_before_the_best_is_taken(self) -> None:
        scores = np.zeros((1, 2, 2), np.float32)
        scores[0, 0, 0], scores[0, 1, 1] = 3, 1  # the edge lies where 3 (1 - t) = t, at 3/4 of the way between centres
        mask = segment_mask(scores, input_geometry((400, 4), STRETCH, (2, 1)), foreground_above=0.0)
        assert abs(int((mask[0] == 0).sum()) - 250) <= 4

    def test_one_channel_is_the_foreground(self) -> None:
        scores = np.array([[[0.2], [0.9]]], np.float32)
        mask = segment_mask(scores, input_geometry((4, 2), STRETCH, (2, 1)), foreground_above=0.5)
        assert mask.tolist() == [[0, 0, 1, 1]] * 2

    def test_outside_a_crop_nothing_is_known(self) -> None:
        mask = segment_mask(np.full((2, 2), 5), input_geometry((200, 100), CROP, (64, 64)), foreground_above=0.0)
        assert (mask[25:75, 75:125] == 5).all()
        assert (mask == -1).sum() == 200 * 100 - 50 * 50

    @pytest.mark.parametrize("spec", [STRETCH, LETTERBOX])
    def test_odd_rows_that_halving_leaves_out_are_filled(self, spec: PreprocessSpec) -> None:
        geometry = input_geometry((1023, 771), spec, (64, 64))
        assert geometry.region.size != geometry.image_size
        mask = segment_mask(np.full((64, 64), 5), geometry, foreground_above=0.0)
        assert (mask == 5).all()

    def test_letterbox_bars_are_cut_away(self) -> None:
        output = np.array([[9, 9], [1, 2], [3, 4], [9, 9]])
        mask = segment_mask(output, input_geometry((40, 20), LETTERBOX, (4, 4)), foreground_above=0.0)
        assert set(np.unique(mask)) == {1, 2, 3, 4}
        assert mask[0, 0] == 1
        assert mask[-1, -1] == 4

    def test_rows_done_in_blocks_join_without_a_seam(self, monkeypatch: pytest.MonkeyPatch) -> None:
        scores = np.random.default_rng(0).normal(size=(9, 7, 4)).astype(np.float32)
        geometry = input_geometry((131, 97), STRETCH, (28, 36))
        whole = segment_mask(scores, geometry, foreground_above=0.0)
        monkeypatch.setattr("mninfer.segmentation.MASK_BLOCK_PIXELS", 1000)
        blocks = segment_mask(scores, geometry, foreground_above=0.0)
        # warpAffine rounds coordinates to 1/32 of a model pixel, so a few pixels on edges may fall either way
        assert (whole != blocks).mean() < 0.005
