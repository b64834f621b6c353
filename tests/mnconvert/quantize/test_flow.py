"""How moments flow through a graph: what is not known is named, and what stays float needs not be."""

import numpy as np
import pytest

from mnconvert.quantize.flow import flow
from mnconvert.quantize.plan import Moments, Seen
from mnconvert.quantize.rules import RULES
from mnconvert.quantize.state import State
from mninfer.errors import UnsupportedModelError
from mninfer.model_file import Graph, check_model
from support.builder import GraphBuilder

pytestmark = pytest.mark.smoke

SHAPE = (1, 4, 4, 2)
FIRST = State.gaussian(np.zeros((1, 1, 1, 2)), np.ones((1, 1, 1, 2)))
X, DEEP, BENT, Y = range(4)


def chain() -> Graph:
    """x, RSQRT, RELU, RELU6: of the first nothing is known without data."""
    b = GraphBuilder()
    x, deep, bent, y = (b.activation(name, SHAPE) for name in ("x", "deep", "bent", "y"))
    for name, source, output in (("RSQRT", x, deep), ("RELU", deep, bent), ("RELU6", bent, y)):
        b.operator(name, [source], [output])
    return check_model(b.build([x], [y]))


def test_operators_without_a_rule_are_all_named_and_those_behind_them_are_not() -> None:
    b = GraphBuilder()
    x, a, y, z = (b.activation(name, SHAPE) for name in ("x", "deep", "y", "z"))
    for name, source, output in (("RSQRT", x, a), ("RSQRT", x, y), ("RELU", y, z)):
        b.operator(name, [source], [output])
    assert "RSQRT" not in RULES
    told = r'behind operator 0 RSQRT at "deep", operator 1 RSQRT at "y"\n'
    with pytest.raises(UnsupportedModelError, match=told) as caught:
        flow(check_model(b.build([x], [a, z])), {}, FIRST)
    assert len(caught.value.offenders) == 2


def test_what_reads_a_kept_operator_that_nothing_is_known_of_is_named() -> None:
    with pytest.raises(
        UnsupportedModelError, match='operator 1 RELU at "bent", which reads what stays float, '
    ) as caught:
        flow(chain(), {}, FIRST, kept=[0])
    assert len(caught.value.offenders) == 2  # and the one behind it


def test_kept_to_the_end_nothing_needs_to_be_known() -> None:
    assert set(flow(chain(), {}, FIRST, kept=[0, 1, 2])) == {X}


def test_behind_a_batch_norm_all_is_known_again() -> None:
    norm = Moments(np.array([0.5, -0.5]), np.array([1.0, 2.0]))
    states = flow(chain(), {BENT: norm}, FIRST, kept=[0, 1])
    assert set(states) == {X, BENT, Y}
    np.testing.assert_allclose(states[BENT].mean.ravel(), norm.mean, atol=1e-9)


def test_pictures_stand_in_for_a_missing_rule_and_for_all_where_there_is_no_batch_norm() -> None:
    seen = {index: Seen(-3.0, 3.0, Moments(np.full(2, 0.7), np.full(2, 0.3))) for index in (DEEP, BENT, Y)}
    states = flow(chain(), {}, FIRST, seen)
    np.testing.assert_allclose(states[Y].mean.ravel(), 0.7, atol=1e-3)
    flowed = flow(chain(), {BENT: Moments(np.zeros(2), np.ones(2))}, FIRST, {DEEP: seen[DEEP]})
    np.testing.assert_allclose(flowed[DEEP].mean.ravel(), 0.7, atol=1e-3)
    assert (flowed[Y].mean < 0.6).all()


def classes(*, deep: bool = False) -> Graph:
    """x, RELU, ARG_MAX; the classes made scores again by a CAST where it goes ``deep``."""
    b = GraphBuilder()
    x, bent = (b.activation(name, SHAPE) for name in ("x", "bent"))
    best, cast = b.activation("best", SHAPE[:3], "int64"), b.activation("cast", SHAPE[:3])
    b.operator("RELU", [x], [bent])
    b.operator(
        "ARG_MAX", [bent, b.constant("axis", np.array(3, np.int32))], [best], "ArgMaxOptions", {"output_type": 4}
    )
    if deep:
        b.operator("CAST", [best], [cast])
    return check_model(b.build([x], [cast if deep else best]))


def test_whole_numbers_need_no_range() -> None:
    assert set(flow(classes(), {}, FIRST)) == {0, 1}
    assert set(flow(classes(), {}, FIRST, {1: Seen(0.0, 3.0, Moments(np.ones(2), np.ones(2)))})) == {0, 1}


def test_what_follows_from_whole_numbers_is_named_or_seen() -> None:
    graph = classes(deep=True)
    with pytest.raises(UnsupportedModelError, match=r'behind operator 2 CAST at "cast"\n'):
        flow(graph, {}, FIRST)
    seen = Seen(0.0, 1.0, Moments(np.ones(4), np.ones(4)))
    assert set(flow(graph, {}, FIRST, {graph.outputs[0]: seen})) == {0, 1, graph.outputs[0]}


def test_weights_that_are_computed_have_no_rule() -> None:
    b = GraphBuilder()
    x, rows, y = b.activation("x", (2, 2)), b.activation("rows", (2, 2)), b.activation("y", (2, 2))
    b.operator("RELU", [x], [rows])
    b.operator("FULLY_CONNECTED", [x, rows, -1], [y], "FullyConnectedOptions")
    first = State.gaussian(np.zeros((1, 2)), np.ones((1, 2)))
    with pytest.raises(UnsupportedModelError, match='operator 1 FULLY_CONNECTED at "y"'):
        flow(check_model(b.build([x], [y])), {}, first)
