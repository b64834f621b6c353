"""Files in turns on one engine."""

import time

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


def test_a_slow_file_sits_out_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        inputs = ()

        def __init__(self, data: bytes) -> None:
            self.seconds, self.num_runs = float(data), 0
            engines.append(self)

        def run(self, _: object) -> None:
            self.num_runs += 1
            time.sleep(self.seconds)

        def close(self) -> None:
            pass

    engines: list[Engine] = []
    monkeypatch.setattr("mnconvert.report.latency.open_engine", lambda data, threads: Engine(data))
    found = measure_latencies({"slow": b"0.05", "fast": b"0.001"}, budget_s=0.3)
    slow, fast = (engine.num_runs for engine in engines)
    assert slow == 7
    assert 10 < fast <= 202
    assert found["slow"] >= 50 > found["fast"] >= 1


def test_what_no_engine_runs_is_left_away() -> None:
    assert set(measure_latencies({"none": b"no model", "int8": shapes_int8()}, budget_s=0.01)) == {"int8"}
