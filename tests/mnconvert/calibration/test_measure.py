"""Measured ranges and moments against numpy's on the same activations."""

import numpy as np
import pytest

from mnconvert.calibration import measure_ranges
from mnconvert.calibration.measure import EXTREME_STDS, LONE_MARGIN
from mninfer.errors import CalibrationError
from mninfer.model_file import check_model
from support.builder import GraphBuilder
from support.network import activations, normalize
from support.networks import shapes_float, shapes_int8, shapes_network
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

PICTURES = normalize(shape_pictures(24, seed=3)[0])


def by_name(data: bytes, tensors) -> dict:
    graph = check_model(data)
    return {graph.tensors[index].name: found for index, found in measure_ranges(data, tensors).items()}


def identity(batch: int = 1) -> bytes:
    """x -> (x + 1, x * 1): three channels on 2 x 2 pixels."""
    b = GraphBuilder()
    x = b.activation("input", (batch, 2, 2, 3))
    y, z = b.activation("plus", (batch, 2, 2, 3)), b.activation("output", (batch, 2, 2, 3))
    one = b.constant("one", np.ones(3, np.float32))
    b.operator("ADD", [x, one], [y], "AddOptions", {})
    b.operator("MUL", [y, one], [z], "MulOptions", {})
    return b.build([x], [z])


def test_moments_and_ends_are_those_of_all_values():
    found = by_name(shapes_float(softmax=False), (picture[None] for picture in PICTURES))
    for number, wanted in enumerate(activations(shapes_network(), PICTURES)):
        values = wanted.reshape(-1, wanted.shape[-1]).astype(np.float64)
        layer = found[f"layer_{number}"]
        np.testing.assert_allclose(layer.mean, values.mean(0), atol=1e-3)
        np.testing.assert_allclose(layer.std, values.std(0), atol=1e-3)
        np.testing.assert_allclose(layer.lows, values.min(0), atol=1e-3)
        np.testing.assert_allclose(layer.highs, values.max(0), atol=1e-3)
        assert layer.count == 24


def test_moments_of_a_channel_far_from_zero():
    """Squares of 1000 would swallow a deviation of 0.01."""
    rng = np.random.default_rng(0)
    tensors = [(1000 + 0.01 * rng.normal(size=(1, 2, 2, 3))).astype(np.float32) for _ in range(500)]
    wanted = np.concatenate(tensors).reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(by_name(identity(), tensors)["input"].std, wanted.std(0), rtol=1e-3)


def test_ranges_are_for_the_pictures_to_come():
    """Few pictures: their own extremes are passed by one of the next 1000 more often than not, the range hardly."""
    rng = np.random.default_rng(1)

    def logits(count: int) -> list:
        return [rng.normal(0, 3, (1, 2, 2, 3)).astype(np.float32) for _ in range(count)]

    num_passed = num_seen_passed = 0
    for _ in range(20):
        found = by_name(identity(), logits(20))["output"]
        future = np.concatenate([x.ravel()[None] + 1 for x in logits(1000)])
        num_passed += int((future.max(1) > found.high).sum())
        num_seen_passed += int((future.max(1) > found.highs.max()).sum())
    assert num_seen_passed > 500
    assert num_passed < 200  # of 20,000


def test_a_range_is_the_mean_of_extremes_and_three_deviations():
    tensors = [np.full((1, 2, 2, 3), value, np.float32) for value in (1.0, 2.0, 3.0)]
    found = by_name(identity(), tensors)["plus"]
    assert found.high == pytest.approx(3 + EXTREME_STDS * np.sqrt(1 + 1 / 3))
    assert found.low == 0.0  # below by the same rule, were there ever a negative value
    assert by_name(identity(), [-tensor for tensor in tensors])["input"].high == 0.0


def test_a_lone_picture_gets_a_margin():
    tensor = np.zeros((1, 2, 2, 3), np.float32)
    tensor[0, 0] = -1, 0, 3
    found = by_name(identity(), [tensor])["input"]
    assert (found.low, found.high) == (-1 - 4 * LONE_MARGIN, 3 + 4 * LONE_MARGIN)


def test_rare_outliers_of_feature_maps_are_cut_at_six_deviations():
    rng = np.random.default_rng(0)
    tensors = [rng.normal(0, 1, (1, 2, 2, 3)).astype(np.float32) for _ in range(400)]
    tensors[100][0, 0, 0, 0] = 400
    found = by_name(identity(), tensors)["input"]
    assert found.highs.max() == 400
    assert found.high < 70


def test_a_larger_batch_measures_the_same():
    tensors = [np.random.default_rng(seed).normal(0, 1, (1, 2, 2, 3)).astype(np.float32) for seed in range(7)]
    single, batched = by_name(identity(), tensors), by_name(identity(4), tensors)
    for name in ("input", "plus", "output"):
        assert batched[name].count == 7
        np.testing.assert_allclose(batched[name].mean, single[name].mean, rtol=1e-6)
        assert (batched[name].low, batched[name].high) == (single[name].low, single[name].high)


def test_a_quantized_file_is_measured_in_real_numbers():
    """So the difference of the means is the empirical bias."""
    real = by_name(shapes_float(), (picture[None] for picture in PICTURES))
    quantized = by_name(shapes_int8(), (picture[None] for picture in PICTURES))
    for name in ("layer_0", "layer_1", "pooled"):
        assert np.abs(quantized[name].mean - real[name].mean).max() < 0.1


def test_equal_runs_give_equal_numbers():
    one, other = (by_name(shapes_float(), (picture[None] for picture in PICTURES[:4])) for _ in range(2))
    for name, found in one.items():
        assert (found.low, found.high) == (other[name].low, other[name].high)
        assert np.array_equal(found.mean, other[name].mean)


def test_no_pictures_is_an_error():
    with pytest.raises(CalibrationError, match="no pictures to measure ranges on"):
        measure_ranges(identity(), [])


def test_a_network_that_overflows_is_named():
    tensors = [np.full((1, 2, 2, 3), value, np.float32) for value in (1, np.inf)]
    with pytest.raises(CalibrationError, match='"input" becomes inf on picture 2'):
        measure_ranges(identity(), tensors)
