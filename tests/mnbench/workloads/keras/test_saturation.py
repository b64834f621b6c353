"""The batch is doubled until throughput hardly rises."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mnbench.cell import Variant
from mnbench.workloads.keras import Saturation, saturating_batch, saturation
from mnbench.workloads.keras.saturation import Ending
from mninfer.errors import EngineError
from support.keras_passes import job_for, saved_network


def measured(*values: float) -> list[float]:
    """Pictures a second at batch 1, 2, 4, …"""
    return list(values)


def search(values: list[float], **options: float) -> Saturation:
    def throughput(batch: int) -> float:
        place = batch.bit_length() - 1
        if place >= len(values):
            raise EngineError(f"no memory for {batch}")
        return values[place]

    return saturating_batch(throughput, **options)  # type: ignore[arg-type]


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("values", "batch", "ending"),
    [
        (measured(100, 200, 390, 400, 405), 4, Ending.FLAT),  # 2.6 % more is none, nor are 3.8 in two doublings
        (measured(100, 200, 180, 390, 400, 390), 8, Ending.FLAT),  # a disturbed one doesn't end it
        (measured(100, 200, 390, 400), 4, Ending.FLAT),  # memory would have ended it at 16; it was flat before
        (measured(100, 200, 390, 410), 8, Ending.MEMORY),  # 5.1 % is more, and then memory ends
        (measured(100, 90), 1, Ending.FLAT),
        (measured(100, 104.9), 1, Ending.FLAT),
        (measured(100, 105.1), 2, Ending.MEMORY),
        (measured(100), 1, Ending.MEMORY),
    ],
)
def test_the_last_batch_that_gained_is_taken(values: list[float], batch: int, ending: Ending) -> None:
    found = search(values)
    assert (found.batch, found.ending) == (batch, ending)
    assert list(found.tried.values()) == values
    assert bool(found.reason) is (ending is Ending.MEMORY)


@pytest.mark.smoke
def test_nothing_is_tried_beyond_two_flat_doublings() -> None:
    assert tuple(search(measured(100, 200, 200, 200, 900)).tried) == (1, 2, 4, 8)


@pytest.mark.smoke
def test_it_ends_at_the_most_that_is_allowed() -> None:
    found = search(measured(1, 2, 4, 8, 16, 32), most=8)
    assert (found.batch, found.ending, tuple(found.tried)) == (8, Ending.LIMIT, (1, 2, 4, 8))


@pytest.mark.smoke
def test_another_first_batch_and_another_gain_are_obeyed() -> None:
    assert search(measured(1, 2, 4, 5, 5), first=4, least_gain=0.3).batch == 4


@pytest.mark.smoke
def test_an_engine_that_fails_at_once_has_no_saturating_batch() -> None:
    with pytest.raises(EngineError, match="no memory for 1"):
        search([])


@pytest.mark.smoke
@pytest.mark.parametrize(("first", "most"), [(0, 8), (9, 8)])
def test_an_impossible_range_is_refused(first: int, most: int) -> None:
    with pytest.raises(ValueError, match=f"from {first} to {most}"):
        search(measured(1, 2), first=first, most=most)


@pytest.mark.smoke
def test_it_is_told_as_json() -> None:
    assert search(measured(1, 2, 2)).to_json() == {
        "batch": 2,
        "ending": "flat",
        "pictures_per_second": {"1": 1.0, "2": 2.0, "4": 2.0},
        "reason": "",
    }


def test_it_is_found_on_a_cpu(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")
    job = replace(job_for("keras-tensorflow"), file=saved_network(tmp_path / "small.keras"))
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()), encoding="utf-8")
    assert saturation.main([str(tmp_path / "job.json"), str(tmp_path / "outcome.json"), "4"]) == 0
    found = json.loads((tmp_path / "outcome.json").read_text(encoding="utf-8"))
    speeds = found["pictures_per_second"]
    assert found["batch"] in (1, 2, 4)
    assert tuple(speeds) in (("1", "2"), ("1", "2", "4"))
    assert all(value > 0 for value in speeds.values())


@pytest.mark.smoke
def test_what_can_t_be_measured_is_told(tmp_path: Path) -> None:
    job = job_for("keras-tensorflow", variant=Variant.INT8)
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()), encoding="utf-8")
    assert saturation.main([str(tmp_path / "job.json"), str(tmp_path / "outcome.json")]) == 1
    assert 'no variant "int8"' in json.loads((tmp_path / "outcome.json").read_text(encoding="utf-8"))["error"]


@pytest.mark.smoke
def test_what_is_known_is_kept_before_each_batch() -> None:
    kept: list[Saturation] = []
    found = saturating_batch(lambda batch: min(batch, 4) * 100.0, keep=kept.append)
    assert found.batch == 4
    assert [(each.batch, each.ending, max(each.tried)) for each in kept] == [
        (1, Ending.ENDED, 1),
        (2, Ending.ENDED, 2),
        (4, Ending.ENDED, 4),
        (4, Ending.FLAT, 8),
    ]
    assert kept[-2].reason == "the process was ended at a batch of 8"


@pytest.mark.smoke
def test_a_batch_that_memory_has_no_room_for_is_not_tried() -> None:
    peaks = iter([1_000, 3_000, 3_000])
    room = saturation._Room(peak=lambda: next(peaks), available=lambda: 6_000)
    room.check(2)  # 4,000 of 6,000
    room._available = lambda: 4_500
    with pytest.raises(EngineError, match="a batch of 4 would take about"):
        room.check(4)
    saturation._Room(peak=lambda: None, available=lambda: None).check(1024)
