"""Agreement, cosine and signal to noise, against counts by hand and their laws."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnconvert.verification import OutputFidelity, OutputMeter
from mnconvert.verification.fidelity import MOST_DB, decibel

pytestmark = pytest.mark.smoke


def measured(reference, got, **options) -> OutputFidelity:
    meter = OutputMeter(**options)
    meter.add(np.array(reference, np.float32), np.array(got, np.float32))
    return meter.result()


def test_equal_outputs_are_as_near_as_can_be():
    found = measured([[0.1, 0.9], [3, 0]], [[0.1, 0.9], [3, 0]])
    assert (found.agreement, found.cosine, found.sqnr_db, found.largest_difference) == (1, 1, MOST_DB, 0)


def test_by_hand():
    found = measured([[3, 4], [1, 0]], [[3, 4], [0, 1]], index=2, name="scores")
    assert (found.index, found.name, found.agreement, found.num_classes_seen) == (2, "scores", 0.5, 2)
    assert found.cosine == 0.5
    assert found.sqnr_db == pytest.approx((MOST_DB + 10 * np.log10(1 / 2)) / 2)
    assert found.largest_difference == 1


def test_equal_best_classes_share_one_vote():
    """Probabilities in steps of 1/256 tie; an output that is always 0 must not agree with anything."""
    assert measured([[9, 1, 1, 1]], [[5, 5, 0, 0]]).agreement == 0.5
    assert measured([[9, 1, 1, 1]], [[0, 0, 0, 0]]).agreement == 0.25


def test_classes_that_the_output_s_step_cannot_tell_apart_are_one():
    reference, got = [[0.502, 0.5, 0.1]], [[0.5, 0.5, 0.1]]
    assert measured(reference, got).agreement == 0.5
    assert measured(reference, got, step=1 / 256).agreement == 1
    assert measured([[0.51, 0.5, 0.1]], [[0.5, 0.51, 0.1]], step=1 / 256).agreement == 0


def test_a_float_model_that_has_not_decided_agrees_with_each_of_its_best():
    """Untrained: all scores equal, to the last bits."""
    third = 1 / 3
    assert measured([[third, third * (1 + 1e-7), third]], [[third, third, third]]).agreement == 1


def test_masks_agree_by_pixel():
    reference, got = np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 3))
    reference[..., 1] = got[..., 1] = 1
    got[0, 0, 0] = (2, 0, 0)
    assert measured(reference, got).agreement == 0.75


def test_features_have_no_classes():
    found = measured([[1, 2]], [[1, 2]], has_classes=False)
    assert (found.agreement, found.num_classes_seen, found.to_json()["agreement"]) == (None, None, None)


def test_values_that_are_not_finite_are_counted_and_carried_no_further():
    found = measured([[1, 2, 3]], [[np.nan, 2, np.inf]])
    assert found.num_not_finite == 2
    assert np.isfinite([found.cosine, found.sqnr_db, found.largest_difference]).all()


def test_a_signal_of_zero_has_no_decibels_to_lose():
    assert measured([[0, 0]], [[1, 0]]).sqnr_db == -MOST_DB
    assert measured([[0, 0]], [[0, 0]]).cosine == 1
    assert decibel(0, 0) == MOST_DB


def test_nothing_measured_is_an_error():
    with pytest.raises(ValueError, match="no picture was added"):
        OutputMeter().result()
    with pytest.raises(ValueError, match=r"\[1, 2\] and \[1, 3\]"):
        measured([[1, 2]], [[1, 2, 3]])


numbers = st.lists(st.tuples(*[st.floats(-5, 5, width=32)] * 6), min_size=2, max_size=6)


@given(numbers, st.integers(1, 5))
@example(rows=[(0, 0, 0, 0, 0, 0)] * 3 + [(0, 0, 1, 0, 0, 0)], cut=2)
@settings(max_examples=50, deadline=None)
def test_batches_do_not_matter(rows, cut):
    both = np.array(rows, np.float32)
    reference, got = both[:, :3], both[:, 3:]
    whole, parts = OutputMeter(), OutputMeter()
    whole.add(reference, got)
    for part in (slice(None, cut), slice(cut, None)):
        parts.add(reference[part], got[part])
    first, second = whole.result(), parts.result()
    assert first.num_classes_seen == second.num_classes_seen
    assert first.agreement == pytest.approx(second.agreement)  # ties count by shares, whose sum rounds by its order
    assert first.sqnr_db == pytest.approx(second.sqnr_db)
    assert first.cosine == pytest.approx(second.cosine)


@given(st.floats(0.01, 1), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_half_the_error_is_six_decibels(error, seed):
    rng = np.random.default_rng(seed)
    reference, noise = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    far, near = OutputMeter(), OutputMeter()
    far.add(reference, reference + error * noise)
    near.add(reference, reference + error / 2 * noise)
    assert near.result().sqnr_db - far.result().sqnr_db == pytest.approx(6.0206, abs=1e-3)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_a_float_model_that_gives_no_numbers_proves_nothing(odd):
    """Against infinity every file was right: no comparison with NaN decibels holds."""
    found = measured([[odd, 1.0], [1.0, 2.0]], [[5.0, 1.0], [1.0, 2.0]], has_classes=False)
    assert found.num_not_finite == 1
    assert np.isfinite([found.sqnr_db, found.cosine, found.largest_difference]).all()
