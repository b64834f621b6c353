"""Activations lose their sign where nothing else changes by that, and nowhere else."""

import runpy
import sys
from collections.abc import Callable
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.smoke


@pytest.fixture
def make_unsigned(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], int]:
    """The tool's function, with the two functions of the package onnx that it needs."""
    helper = SimpleNamespace(
        to_array=lambda tensor: tensor.array, from_array=lambda array, name: SimpleNamespace(name=name, array=array)
    )
    monkeypatch.setitem(sys.modules, "onnx.numpy_helper", helper)
    program = runpy.run_path(str(files("mnbench.peers") / "tools" / "unsigned_activations.py"))
    function: Callable[[Any], int] = program["make_unsigned"]
    return function


def node(kind: str, inputs: str, output: str) -> Any:
    return SimpleNamespace(op_type=kind, input=inputs.split(), output=[output])


def graph(*nodes: Any, ends: str = "image result") -> Any:
    constants = {
        "s": np.float32(0.5),
        "z": np.int8(-128),
        "u": np.uint8(3),
        "w": np.zeros((2, 2), np.int8),
    }
    first, last = ends.split()
    return SimpleNamespace(
        node=list(nodes),
        initializer=[SimpleNamespace(name=name, array=np.asarray(array)) for name, array in constants.items()],
        input=[SimpleNamespace(name=first)],
        output=[SimpleNamespace(name=last)],
    )


def zero_points(net: Any) -> list[str]:
    return [each.input[2] for each in net.node if each.op_type in ("QuantizeLinear", "DequantizeLinear")]


def test_both_readers_of_a_residual_follow(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(
        node("QuantizeLinear", "image s z", "a"),
        node("DequantizeLinear", "a s z", "b"),
        node("DequantizeLinear", "a s z", "c"),
        node("Add", "b c", "result"),
    )
    assert make_unsigned(net) == 3
    assert zero_points(net) == ["z_unsigned"] * 3
    (raised,) = (tensor.array for tensor in net.initializer if tensor.name == "z_unsigned")
    assert raised == 0
    assert raised.dtype == np.uint8


def test_doing_it_twice_is_doing_it_once(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(node("QuantizeLinear", "image s z", "a"), node("DequantizeLinear", "a s z", "result"))
    assert make_unsigned(net) == 2
    assert make_unsigned(net) == 0


def test_what_is_moved_between_is_followed(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(
        node("QuantizeLinear", "image s z", "a"),
        node("Transpose", "a", "b"),
        node("DequantizeLinear", "b s z", "result"),
    )
    assert make_unsigned(net) == 2


def test_weights_keep_their_sign(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(node("DequantizeLinear", "w s z", "b"), node("Conv", "image b", "result"))
    assert make_unsigned(net) == 0


def test_the_graphs_own_ends_stay_as_they_are(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(
        node("DequantizeLinear", "image s z", "a"),
        node("Softmax", "a", "b"),
        node("QuantizeLinear", "b s z", "result"),
    )
    assert make_unsigned(net) == 0
    moved_out = graph(node("QuantizeLinear", "image s z", "a"), node("Transpose", "a", "result"))
    assert make_unsigned(moved_out) == 0


def test_an_integer_that_something_else_reads_stays(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(
        node("QuantizeLinear", "image s z", "a"),
        node("Transpose", "a", "b"),
        node("DequantizeLinear", "b s z", "c"),
        node("ConvInteger", "a w", "result"),
    )
    assert make_unsigned(net) == 0


def test_what_is_unsigned_already_stays(make_unsigned: Callable[[Any], int]) -> None:
    net = graph(node("QuantizeLinear", "image s u", "a"), node("DequantizeLinear", "a s u", "result"))
    assert make_unsigned(net) == 0
