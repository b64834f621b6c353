"""Files in turns on one engine."""

import pytest

from mnconvert.report.latency import measure_latencies
from support.network import float_model
from support.networks import shapes_float, shapes_int8, shapes_network

pytestmark = pytest.mark.smoke


def test_every_file_has_a_time() -> None:
    found = measure_latencies({"float": shapes_float(), "int8": shapes_int8()}, budget_s=0.05)
    assert set(found) == {"float", "int8"}
    assert all(0 < each < 1000 for each in found.values())


def test_more_work_takes_longer() -> None:
    large = float_model(shapes_network(), (192, 192))
    found = measure_latencies({"small": shapes_float(), "large": large}, budget_s=0.5)
    assert found["large"] > 2 * found["small"]


def test_what_no_engine_runs_is_left_away() -> None:
    assert set(measure_latencies({"none": b"no model", "int8": shapes_int8()}, budget_s=0.01)) == {"int8"}
