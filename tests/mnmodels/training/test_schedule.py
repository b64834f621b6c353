import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnmodels.training.recipe import ScheduleSpec
from mnmodels.training.schedule import learning_rates

pytestmark = pytest.mark.smoke


def test_cosine_falls_from_the_peak_to_the_final_share() -> None:
    rates = learning_rates(ScheduleSpec(name="cosine", final=0.1), 0.4, epochs=10, steps_per_epoch=100)
    assert rates[0] == np.float32(0.4)
    assert rates[500] == pytest.approx(0.4 * 0.55, rel=1e-3)
    assert rates[-1] == pytest.approx(0.04, rel=1e-3)
    assert (np.diff(rates) <= 0).all()


def test_warm_up_rises_in_a_straight_line() -> None:
    rates = learning_rates(ScheduleSpec(name="cosine", warmup_epochs=2), 1.0, epochs=10, steps_per_epoch=5)
    assert rates[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert rates[10] == 1.0


def test_steps_drop_at_their_epochs() -> None:
    rates = learning_rates(ScheduleSpec(name="step", milestones=(4, 2), factor=0.1), 1.0, epochs=6, steps_per_epoch=2)
    assert rates.tolist() == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01])
    rates = learning_rates(ScheduleSpec(name="step", every=1.5, factor=0.5), 1.0, epochs=4, steps_per_epoch=2)
    assert rates.tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


@given(
    st.sampled_from(["constant", "cosine", "step"]),
    st.floats(0, 30),
    st.floats(0, 1),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_no_rate_leaves_its_range(name: str, warmup: float, final: float, epochs: int, steps: int) -> None:
    spec = ScheduleSpec(name=name, warmup_epochs=warmup, final=final, milestones=(3,))
    rates = learning_rates(spec, 0.5, epochs, steps)
    assert rates.shape == (epochs * steps,)
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()
    assert (rates <= 0.5).all()
