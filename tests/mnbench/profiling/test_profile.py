"""A profile as JSON: there and back, and what is said of one that is not sound."""

from typing import Any

import pytest

from mnbench.profiling import OperatorTime, Profile
from mninfer.errors import InputError

pytestmark = pytest.mark.smoke

CONV = OperatorTime(
    index=0,
    name="PAD+CONV_2D",
    tensor="relu1",
    shape=(1, 112, 112, 32),
    dtype="float32",
    macs=10_838_016,
    median_ns=300_000,
    is_delegated=True,
)
SOFTMAX = OperatorTime(
    index=2, name="SOFTMAX", tensor="scores", shape=(1, 1001), dtype="int8", macs=0, median_ns=6_000, is_delegated=None
)
PROFILE = Profile(engine="litert 2.1.6", threads=1, num_rounds=40, whole_ns=340_000, operators=(CONV, SOFTMAX))


def test_the_sum_is_held_against_the_whole() -> None:
    assert PROFILE.sum_ns == 306_000
    assert PROFILE.ratio == pytest.approx(0.9)


def test_there_and_back() -> None:
    assert Profile.from_json(PROFILE.to_json()) == PROFILE
    assert PROFILE.to_json()["sum_ns"] == 306_000, "for readers that don't add"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"whole_ns": 0}, '"whole_ns" is 0, not a time above 0'),
        ({"whole_ns": "long"}, "\"whole_ns\" is 'long'"),
        ({"operators": [{}]}, r'operators\[0\] has no "index"'),
        ({"operators": {}}, '"operators" is {}, not a list'),
        ({"operators": [{**SOFTMAX.to_json(), "is_delegated": 1}]}, '"is_delegated" is 1, not true or false'),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Profile.from_json({**PROFILE.to_json(), **change}, "rows[0]: profile")
