"""Agreement: what is equal, near, too far, and not to be compared at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnbench.agreement import FLOAT_MODEL, OWN_ANSWERS, agreement, is_held_against_its_own_form, limit_of
from mnbench.cell import Cell, Variant, Work

pytestmark = pytest.mark.smoke

FORMS = (
    Variant.FLOAT32, Variant.UNFUSED, Variant.FP16, Variant.BF16, Variant.DYNAMIC, Variant.INT8, Variant.INT16X8,
)  # fmt: skip


def cell(variant: Variant = Variant.FLOAT32, engine: str = "litert", work: Work = Work.FORWARD) -> Cell:
    return Cell(work=work, model="net", engine=engine, variant=variant)


def scores(pictures: int = 1, seed: int = 0) -> np.ndarray:
    """A classifier's probabilities."""
    logits = np.random.default_rng(seed).normal(size=(pictures, 1000)) * 3
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return (exponents / exponents.sum(1, keepdims=True)).astype(np.float32)


def with_noise(values: np.ndarray, sqnr_db: float) -> np.ndarray:
    """Noise of so much less energy than what the classes differ by."""
    noise = np.random.default_rng(1).normal(size=values.shape)
    signal = np.linalg.norm(values - values.mean(1, keepdims=True), axis=1, keepdims=True)
    noise *= signal * 10 ** (-sqnr_db / 20) / np.linalg.norm(noise, axis=1, keepdims=True)
    return (values + noise).astype(np.float64)


def test_equal_outputs_agree_to_the_last_bit() -> None:
    found = agreement([scores()], [scores()], cell())
    assert found.is_held
    assert found.sqnr_db is None
    assert found.text == "equal to the last bit"
    assert found.reference == "the float model"


@pytest.mark.parametrize("variant", FORMS)
def test_each_variant_holds_just_above_its_limit_and_not_just_below(variant: Variant) -> None:
    limit = limit_of(cell(variant)).sqnr_db
    above = agreement([with_noise(scores(), limit + 0.5)], [scores()], cell(variant))
    below = agreement([with_noise(scores(), limit - 0.5)], [scores()], cell(variant))
    assert above.is_held
    assert above.sqnr_db == pytest.approx(limit + 0.5, abs=0.06)
    assert not below.is_held
    assert f"{limit:g} dB is the least" in below.text


def test_a_photo_decoded_smaller_has_other_pixels_and_another_photo_stays_below() -> None:
    """Of a network in float32: 43 dB apart by the decoder's own scaling, 9 at the most from another picture."""
    for variant in FORMS:
        limit, from_photo = (limit_of(cell(variant, work=work)).sqnr_db for work in (Work.FORWARD, Work.PHOTO_TO_LABEL))
        assert from_photo == min(limit, 20.0)
    assert agreement([with_noise(scores(), 43.0)], [scores()], cell(work=Work.PHOTO_TO_LABEL)).is_held
    assert not agreement([with_noise(scores(), 9.0)], [scores()], cell(work=Work.PHOTO_TO_LABEL)).is_held


def test_float32_in_bfloat16_is_noticed() -> None:
    """What OpenVINO does unless told otherwise: the upper half of each number."""
    rounded = (scores().view(np.uint32) & 0xFFFF0000).view(np.float32)
    assert not agreement([rounded], [scores()], cell()).is_held
    assert agreement([rounded], [scores()], cell(Variant.BF16)).is_held


@pytest.mark.parametrize("variant", [Variant.DYNAMIC, Variant.INT8, Variant.INT16X8])
def test_a_file_that_answers_the_same_to_every_picture_does_not_hold(variant: Variant) -> None:
    """Scores that have nothing but their mean in common with the reference's: what a broken file gives."""
    flat = np.full_like(scores(), 1 / 1000)
    assert not agreement([flat], [scores()], cell(variant)).is_held
    assert not agreement([scores(seed=5)], [scores()], cell(variant)).is_held


def test_a_shift_of_all_classes_is_a_difference_and_no_signal() -> None:
    """Reference scores that hardly differ: a mean that all classes share must not count as signal."""
    reference = np.float32([[0.500, 0.501, 0.499]])
    assert not agreement([reference + np.float32([[0.01, -0.01, 0.0]])], [reference], cell()).is_held


def test_the_worst_picture_of_a_batch_decides() -> None:
    got = scores(3).astype(np.float64)
    got[1] = scores(1, seed=9)[0]
    found = agreement([got], [scores(3)], cell())
    assert not found.is_held
    assert "same best class of 2 of 3 pictures" in found.text


def test_a_different_best_class_is_named() -> None:
    reference = np.float32([[0.1, 0.5, 0.4]])
    found = agreement([np.float32([[0.1, 0.46, 0.47]])], [reference], cell(Variant.INT8))
    assert found.is_held
    assert found.text.endswith("best class 2 instead of 1")


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        ([], "there is nothing to compare"),
        ([scores(), scores()], "2 outputs, the reference has 1"),
        ([scores(2)], "output 0 has the shape [2, 1000], the reference's [1, 1000]"),
        ([np.where(scores() > 0.01, np.nan, scores())], "values of output 0 are not finite"),
    ],
)
def test_what_can_not_be_compared_is_no_agreement(outputs: list[np.ndarray], text: str) -> None:
    found = agreement(outputs, [scores()], cell())
    assert not found.is_held
    assert found.sqnr_db is None
    assert text in found.text


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_held_against_no_numbers_is_no_agreement(value: float) -> None:
    found = agreement([scores()], [np.where(scores() > 0.01, value, scores())], cell())
    assert not found.is_held
    assert "values of the reference's output 0 are not finite" in found.text


class TestReference:
    def test_a_peers_integers_are_held_against_ours(self) -> None:
        assert is_held_against_its_own_form(cell(Variant.INT8, "openvino"))
        found = agreement([scores()], [scores()], cell(Variant.INT8, "openvino"))
        assert found.reference == "our int8 flatbuffer"
        dynamic = [limit_of(cell(Variant.DYNAMIC, engine)).sqnr_db for engine in ("openvino", "litert")]
        assert dynamic[0] > dynamic[1]

    def test_a_peers_floats_are_held_against_the_float_model(self) -> None:
        assert not is_held_against_its_own_form(cell(Variant.FLOAT32, "openvino"))

    def test_it_may_be_called_otherwise(self) -> None:
        """Of dynamic against a float model so much less is asked than against its own answers."""
        noisy = with_noise(scores(), 7.0)
        assert agreement([noisy], [scores()], cell(Variant.DYNAMIC)).is_held
        found = agreement([noisy], [scores()], cell(Variant.DYNAMIC), OWN_ANSWERS)
        assert found.reference == OWN_ANSWERS
        assert not found.is_held
        assert agreement([noisy], [scores()], cell(Variant.DYNAMIC, "openvino"), FLOAT_MODEL).is_held

    def test_a_step_of_training_is_held_against_the_first_engines(self) -> None:
        step = cell(Variant.FLOAT32, "keras-jax", Work.FORWARD_BACKWARD)
        loss, norms = np.float32(6.9), np.float32([1.0, 0.25, 3.0])
        found = agreement([loss * np.float32(1.001), norms * np.float32(1.01)], [loss, norms], step)
        assert found.is_held
        assert found.reference == "the run's first engine"
        assert "class" not in found.text
        assert not agreement([loss, norms * np.float32([1, 3, 1])], [loss, norms], step).is_held


@given(st.floats(-30, 120), st.floats(0, 30), st.sampled_from(FORMS))
def test_more_noise_never_makes_it_hold(sqnr_db: float, more_db: float, variant: Variant) -> None:
    near = agreement([with_noise(scores(), sqnr_db)], [scores()], cell(variant))
    far = agreement([with_noise(scores(), sqnr_db - more_db)], [scores()], cell(variant))
    assert near.is_held or not far.is_held
