"""What a Keras model calls, in which order and with which shapes: nested, shared, open, Sequential."""

import doctest
import sys
from typing import Any

import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")
# ruff: noqa: E402 - what imports Keras comes after

from mninfer.errors import InputError, UnsupportedModelError
from mnmodels.counting.calls import trace_calls
from mnmodels.counting.summarize import summarize

layers = keras.layers


def small_conv(filters: int = 4, name: str = "conv") -> Any:
    return layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)


def test_a_nested_model_is_opened_and_its_layers_are_named_by_their_way() -> None:
    inner_input = keras.Input((8, 8, 4))
    inner = keras.Model(inner_input, layers.ReLU(name="relu")(small_conv()(inner_input)), name="inner")
    inputs = keras.Input((8, 8, 3))
    x = inner(small_conv(name="stem")(inputs))
    model = keras.Model(inputs, keras.Sequential([layers.GlobalAveragePooling2D(name="mean")], name="head")(x))
    summary = summarize(model)
    assert [row.name for row in summary.layers] == ["stem", "inner/conv", "inner/relu", "head/mean"]
    assert [row.macs for row in summary.layers] == [64 * 9 * 3 * 4, 64 * 9 * 4 * 4, 0, 0]
    assert summary.parameters == model.count_params()


def test_a_layer_called_twice_multiplies_twice_and_has_its_weights_once() -> None:
    conv, inputs = small_conv(3), keras.Input((8, 8, 3))
    summary = summarize(keras.Model(inputs, conv(layers.MaxPooling2D()(conv(inputs)))))
    assert [(row.parameters, row.macs) for row in summary.layers] == [(81, 81 * 64), (0, 0), (0, 81 * 16)]


def test_frozen_weights_and_statistics_are_parameters_and_not_trainable() -> None:
    inputs = keras.Input((8, 8, 3))
    frozen = small_conv(name="frozen")
    frozen.trainable = False
    model = keras.Model(inputs, layers.BatchNormalization()(small_conv(2)(frozen(inputs))))
    summary = summarize(model)
    assert summary.parameters == model.count_params() == 108 + 72 + 8
    assert summary.trainable == 72 + 4


def test_a_sequential_model_and_a_fixed_batch_count_for_one_picture() -> None:
    model = keras.Sequential([keras.Input((6, 6, 2), batch_size=5), small_conv(), layers.Flatten(), layers.Dense(3)])
    summary = summarize(model)
    assert summary.input_shapes == ((1, 6, 6, 2),)
    assert [row.output_shape for row in summary.layers] == [(1, 6, 6, 4), (1, 144), (1, 3)]
    assert summary.macs == 36 * 18 * 4 + 144 * 3


def test_an_open_size_is_asked_for_and_then_taken() -> None:
    inputs = keras.Input((None, None, 3))
    inner_input = keras.Input((None, None, 4))
    inner = keras.Model(inner_input, layers.Conv2D(2, 3, strides=2)(inner_input), name="inner")
    model = keras.Model(inputs, layers.GlobalAveragePooling2D()(inner(small_conv()(inputs))))
    with pytest.raises(InputError, match=r"open shape, \? x \? x 3") as caught:
        summarize(model)
    assert "--input-size" in caught.value.hints[0]
    summary = summarize(model, input_size=(20, 10))
    assert [row.output_shape for row in summary.layers] == [(1, 10, 20, 4), (1, 4, 9, 2), (1, 2)]
    assert summary.macs == 200 * 27 * 4 + 36 * 36 * 2


def test_a_size_that_does_not_fit_is_refused_with_what_there_is() -> None:
    fixed = keras.Sequential([keras.Input((8, 6, 3)), small_conv()])
    with pytest.raises(InputError, match="6 x 8 pixels, not 9 x 9"):
        summarize(fixed, input_size=(9, 9))
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.Conv2D(2, 5, name="wide")(inputs))
    with pytest.raises(InputError, match='layer "wide" does not take its input of 3 x 3 x 3'):
        summarize(model, input_size=(3, 3))


def test_what_is_no_graph_is_refused() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    for model in (Own(), keras.Sequential([layers.Dense(2)])):
        with pytest.raises(UnsupportedModelError, match="no graph of layers"):
            summarize(model)


def test_calls_come_in_the_order_in_which_keras_makes_them() -> None:
    made: list[str] = []

    class Told(layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            made.append(self.name)
            return inputs

    inputs = keras.Input((2,))
    left, right = Told(name="l2")(Told(name="l1")(inputs)), Told(name="r1")(inputs)
    model = keras.Model(inputs, layers.Add(name="sum")([left, right]))
    made.clear()
    model(keras.ops.ones((1, 2)))
    assert [call.name for call in trace_calls(model).calls] == [*made, "sum"]


def test_the_example_holds() -> None:
    results = doctest.testmod(sys.modules["mnmodels.counting.summarize"])
    assert results.failed == 0 < results.attempted
