"""Rounding, scales, biases and the common scale: pure numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnconvert.quantize.bias import expected_shift, least_scales, quantized_bias
from mnconvert.quantize.filters import FILTERS
from mnconvert.quantize.noise import least_noise_scale, output_noise
from mnconvert.quantize.rounding import round_weights
from mnconvert.quantize.scales import INT8_MAX, asymmetric, symmetric, symmetric_scales
from mnconvert.quantize.state import SIGMAS, State

pytestmark = pytest.mark.smoke

RNG = np.random.default_rng(2)
REAL = st.floats(-1e4, 1e4, allow_nan=False)


@given(REAL, REAL)
def test_zero_is_a_step_and_the_range_is_covered(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    scale, zero_point = asymmetric(low, high)
    assert -128 <= zero_point <= 127
    assert scale > 0
    assert (-128 - zero_point) * scale <= low + scale * 0.51 + 1e-6
    assert (127 - zero_point) * scale >= high - scale * 0.51 - 1e-6


@given(REAL, REAL)
def test_int16_is_symmetric(a: float, b: float) -> None:
    scale, zero_point = symmetric(a, b)
    assert zero_point == 0
    assert scale * 32767 >= max(abs(a), abs(b)) * (1 - 1e-6)


def test_weights_keep_to_127_and_errors_of_a_filter_cancel() -> None:
    weights = RNG.normal(0, 1, (40, 9, 16))
    scales = symmetric_scales(weights, is_per_tensor=False)
    steps, num_flipped = round_weights(weights, scales)
    error = (steps - weights / scales[:, None, None]).sum((1, 2))
    nearest, none = round_weights(weights, scales, is_balanced=False)
    before = (nearest - weights / scales[:, None, None]).sum((1, 2))
    assert np.abs(steps).max() <= INT8_MAX
    assert np.abs(error).max() <= 0.51
    assert np.abs(before).max() > 1  # the nearest steps don't cancel
    assert (num_flipped, none) == (int((steps != nearest).sum()), 0)
    assert np.abs(steps - weights / scales[:, None, None]).max() <= 1.0  # never past the next step


def test_weights_on_the_grid_stay() -> None:
    steps = RNG.integers(-127, 128, (5, 3, 7))
    steps[:, 0, 0] = 127
    found, num_flipped = round_weights(steps * 0.25, np.full(5, 0.25))
    assert (found == steps).all()
    assert num_flipped == 0


def test_what_rounding_adds_is_what_the_inputs_say() -> None:
    """Against the product itself, for two groups."""
    change, expected = RNG.normal(0, 1, (6, 9, 2)), RNG.normal(0, 1, 4)
    shift = expected_shift(change, expected, 2)
    wanted = [sum(change[o, :, i].sum() * expected[2 * (o // 3) + i] for i in range(2)) for o in range(6)]
    np.testing.assert_allclose(shift, wanted)


def test_a_dead_channels_bias_fits_int32() -> None:
    bias = np.array([3.0, -1e3, 0.0])
    scales = np.maximum(np.array([1e-3, 1e-15, 1e-3]), least_scales(bias, 0.02))
    steps = quantized_bias(bias, 0.02 * scales, np.int32)
    np.testing.assert_allclose(steps * 0.02 * scales, bias, rtol=1e-6, atol=1e-5)


def test_the_common_scale_gives_small_channels_their_steps() -> None:
    """One channel of huge weights and a thousandth of the others' noise: the scale that fits it would cost all."""
    weights = RNG.normal(0, 1, (32, 1, 16))
    weights[0] *= 50
    largest = float(np.abs(weights).max()) / INT8_MAX
    input_std, output_std = np.ones((32, 1, 16)), np.sqrt((weights**2).sum((1, 2)))
    found = least_noise_scale(weights, largest, input_std, output_std)
    assert found < largest / 2
    noise = [output_noise(round_weights(weights, np.full(32, s))[0] * s - weights, input_std) for s in (largest, found)]
    assert np.median(noise[1]) < np.median(noise[0]) / 4


def test_even_channels_keep_the_scale_that_fits() -> None:
    weights = RNG.uniform(-1, 1, (32, 9, 16))
    largest = float(np.abs(weights).max()) / INT8_MAX
    input_std, output_std = np.ones((32, 1, 16)), np.sqrt((weights**2).sum((1, 2)))
    assert least_noise_scale(weights, largest, input_std, output_std) >= 0.95 * largest


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_one_shape_and_back(name: str) -> None:
    shape = (1, 3, 3, 8) if name.startswith("DEPTH") else (8, 5) if name == "FULLY_CONNECTED" else (8, 3, 3, 5)
    weights = RNG.integers(-127, 128, shape).astype(np.int8)
    flat = FILTERS[name].flat(weights)
    assert flat.shape[0] == weights.shape[FILTERS[name].axis] == 8
    assert (FILTERS[name].shaped(flat, shape) == weights).all()


def test_a_clipped_gaussians_moments() -> None:
    """Against the closed form of a ReLU's: E = m F(m/s) + s f(m/s)."""
    state = State.gaussian(np.array([0.0]), np.array([1.0])).through(lambda x: np.maximum(x, 0))
    assert abs(state.mean[0] - 0.39894) < 1e-3
    assert abs(state.std[0] - 0.58381) < 1e-3
    assert state.within(SIGMAS) == (0.0, SIGMAS)
    assert state.within(4.0)[1] == pytest.approx(4.0, abs=0.08)
