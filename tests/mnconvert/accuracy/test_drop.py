"""The search of what stays float: the fewest, by what is measured and not by what is guessed."""

import json
from collections.abc import Callable, Collection

import pytest

from mnconvert.accuracy import AccuracyReport, PairedDifference, damage_by_operator, find_kept_float, report_drop
from mnconvert.verification.layer_errors import LayerError
from mninfer.model_file import check_model
from mnmodels.evaluation.result import Share
from support.networks import shapes_float

pytestmark = pytest.mark.smoke


def accuracy(drop: float) -> AccuracyReport:
    """80 % of 1000 pictures in float, less ``drop`` points."""
    num_lost = round(10 * drop)
    return AccuracyReport(
        float_top1=Share(800, 1000),
        top1=Share(800 - num_lost, 1000),
        top1_difference=PairedDifference(num_lost=num_lost, num_won=0, total=1000),
        float_top5=None,
        top5=None,
        top5_difference=None,
        agreement=Share(900, 1000),
        num_classes=10,
        data_sha256="",
        matched_by="",
        is_match_assumed=False,
    )


class Network:
    """Operators that each cost some points while they are int8; a converted file is the list of what it keeps float."""

    def __init__(self, costs: dict[int, float]) -> None:
        self.costs = costs
        self.converted: list[tuple[int, ...]] = []

    def convert_with(self, kept: tuple[int, ...]) -> bytes:
        self.converted.append(kept)
        return json.dumps(kept).encode()

    def measure(self, data: bytes) -> AccuracyReport:
        return accuracy(sum(cost for operator, cost in self.costs.items() if operator not in json.loads(data)))

    def search(self, damage: dict[int, float], max_drop: float):
        return find_kept_float(self.convert_with, self.measure, damage, max_drop=max_drop)


def test_nothing_is_kept_where_the_drop_holds():
    network = Network({0: 0.4, 1: 0.5})
    found = network.search({0: 1.0, 1: 2.0}, 1.0)
    assert (found.is_held, found.chosen.kept) == (True, ())
    assert network.converted == [()]


@pytest.mark.parametrize("max_drop", [0.0, 0.5, 1.0, 2.0, 5.0, 9.0])
def test_the_fewest_are_kept_where_the_guess_is_right(max_drop):
    costs = {number: 3.0 / (1 + number) for number in range(20)}
    found = Network(costs).search(costs, max_drop)
    assert found.is_held
    assert found.chosen.accuracy.drop_points <= max_drop
    fewest = next(
        k for k in range(21) if Network(costs).measure(json.dumps(list(range(k))).encode()).drop_points <= max_drop
    )
    assert len(found.chosen.kept) == fewest
    assert len(found.tried) < 25


def test_innocent_layers_are_given_back():
    """The guess puts the two that matter second and fifth."""
    costs = dict.fromkeys(range(12), 0.0) | {4: 3.0, 7: 2.0}
    damage = {number: 1.0 / (1 + number) for number in range(12)} | {4: 0.9, 7: 0.3}
    found = Network(costs).search(damage, 1.0)
    assert found.chosen.kept == (4, 7)


def test_one_layer_that_matters_is_found_wherever_it_stands():
    for culprit in range(30):
        found = Network({culprit: 4.0}).search({number: 30.0 - number for number in range(30)}, 1.0)
        assert found.is_held
        assert culprit in found.chosen.kept
        assert len(found.chosen.kept) <= 18


def test_a_drop_that_cannot_hold_is_told_with_what_came_nearest():
    costs = {0: 1.0, 1: 1.0, 99: 5.0}  # 99 can't be kept float
    found = Network(costs).search({0: 1.0, 1: 0.5}, 1.0)
    assert not found.is_held
    assert found.chosen.kept == (0, 1)
    assert found.before.kept == ()


def test_no_candidates():
    found = Network({0: 4.0}).search({}, 1.0)
    assert (found.is_held, found.chosen.kept, len(found.tried)) == (False, (), 1)


def test_nothing_is_converted_twice_during_the_search():
    network = Network(dict.fromkeys(range(20), 0.3))
    network.search(dict.fromkeys(range(20), 1.0), 1.0)
    assert len(network.converted) == len(set(network.converted))


def test_a_drop_of_exactly_what_is_allowed_holds():
    assert Network({0: 1.0}).search({0: 1.0}, 1.0).chosen.kept == ()


def latencies(times: dict[int, float]) -> Callable[..., dict[str, float]]:
    """By the number of layers kept float; what isn't there can't be measured."""
    return lambda files: {
        name: times[len(json.loads(data))] for name, data in files.items() if len(json.loads(data)) in times
    }


def report(network: Network, damage: Collection[int], times: dict[int, float]):
    found = network.search(dict.fromkeys(damage, 1.0), 1.0)
    names = {operator: f"layer_{operator}" for operator in damage}
    return report_drop(found, network.convert_with, latencies(times), max_drop=1.0, names=names)


def test_a_report_says_what_it_won_and_what_it_costs():
    found = report(Network({0: 4.0, 1: 0.5}), range(2), {0: 1.5, 1: 2.5})
    assert (found.names, found.is_held) == (("layer_0",), True)
    assert (found.before.drop_points, found.after.drop_points) == (pytest.approx(4.5), pytest.approx(0.5))
    assert (found.latency_before_ms, found.latency_after_ms) == (1.5, 2.5)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["kept_float"] == ["layer_0"]
    assert told["after"]["drop"] == pytest.approx(0.5)


def test_a_file_that_is_its_own_remedy_costs_nothing():
    found = report(Network({0: 0.5}), range(1), {0: 1.5})
    assert (found.latency_before_ms, found.latency_after_ms, found.names) == (1.5, 1.5, ())


def test_latencies_that_cannot_be_measured():
    found = report(Network({0: 4.0}), range(1), {})
    assert (found.latency_before_ms, found.latency_after_ms) == (None, None)


def test_damage_is_what_an_operator_adds():
    graph = check_model(shapes_float())
    decibels = {operator.index: 40.0 for operator in graph.operators} | {2: 10.0, 3: 10.0}
    errors = [
        LayerError(operator=index, kind="", name="", sqnr_db=decibel, std=1.0, bias=0.0, macs=0)
        for index, decibel in decibels.items()
    ]
    damage = damage_by_operator(graph, errors)
    assert damage[0] == pytest.approx(1e-4)
    assert damage[2] == pytest.approx(0.1 - 1e-4)
    assert damage[3] == pytest.approx(0.0)
    assert damage[4] < 0
    with_weights = {
        op.index for op in graph.operators if op.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    }
    assert set(damage) == with_weights
