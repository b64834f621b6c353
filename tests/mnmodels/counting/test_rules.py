"""Multiply-adds of single layers against a count that knows nothing of the rules: products that really were added up.

A layer whose weights and inputs are all 1 sums one for every product; without padding, its outputs add up to how many
there are.
"""

from math import prod
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")
# ruff: noqa: E402 - what imports Keras comes after

from hypothesis import given, settings
from hypothesis import strategies as st

from mnmodels.counting.rules import condensed_parameters, count_call, is_countable
from mnmodels.counting.summarize import summarize

layers = keras.layers


def products_added(layer: Any, shape: tuple[int, ...]) -> int:
    ones = np.ones((1, *shape), np.float32)
    layer.build(ones.shape)
    layer.set_weights([np.ones(weight.shape, np.float32) for weight in layer.weights])
    return round(float(np.asarray(layer(ones), np.float64).sum()))


def counted(layer: Any, shape: tuple[int, ...]) -> int:
    return count_call(layer, [(1, *shape)], [layer.compute_output_shape((1, *shape))])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv2D(6, 3, strides=2, use_bias=False), (9, 8, 4)),
        (layers.Conv2D(6, (1, 3), groups=2, use_bias=False), (5, 6, 4)),
        (layers.Conv2D(6, 3, dilation_rate=2, use_bias=False), (7, 6, 4)),
        (layers.Conv1D(5, 3, use_bias=False), (8, 2)),
        (layers.Conv3D(2, 2, use_bias=False), (3, 4, 5, 2)),
        (layers.DepthwiseConv2D(3, strides=2, use_bias=False), (8, 8, 4)),
        (layers.DepthwiseConv2D(3, depth_multiplier=3, use_bias=False), (5, 5, 2)),
        (layers.DepthwiseConv1D(3, use_bias=False), (5, 2)),
        (layers.Conv2DTranspose(5, 3, strides=2, use_bias=False), (4, 3, 2)),
        (layers.Conv1DTranspose(5, 3, strides=2, use_bias=False), (4, 2)),
        (layers.Dense(5, use_bias=False), (7,)),
        (layers.Dense(5, use_bias=False), (3, 2, 7)),
    ],
    ids=lambda value: str(getattr(value, "name", value)),
)
def test_every_rule_gives_the_products_that_are_added_up(layer: Any, shape: tuple[int, ...]) -> None:
    assert products_added(layer, shape) == counted(layer, shape)
    assert is_countable(layer)


def test_a_separable_convolution_is_its_two_steps() -> None:
    layer = layers.SeparableConv2D(6, 3, strides=2, depth_multiplier=2, use_bias=False)
    layer.build((1, 9, 9, 4))
    depthwise = products_added(layers.DepthwiseConv2D(3, strides=2, depth_multiplier=2, use_bias=False), (9, 9, 4))
    pointwise = products_added(layers.Conv2D(6, 1, use_bias=False), (4, 4, 8))
    assert counted(layer, (9, 9, 4)) == depthwise + pointwise


def test_biases_do_not_count_and_padding_does() -> None:
    plain, padded = layers.Conv2D(4, 3, padding="same"), layers.Conv2D(4, 3, padding="valid")
    for layer in (plain, padded):
        layer.build((1, 6, 6, 2))
    assert counted(plain, (6, 6, 2)) == 36 * 9 * 2 * 4
    assert counted(padded, (6, 6, 2)) == 16 * 9 * 2 * 4


def test_channels_may_come_first() -> None:
    layer = layers.Conv2D(4, 3, data_format="channels_first")
    layer.build((1, 2, 6, 7))
    assert counted(layer, (2, 6, 7)) == 4 * 5 * 9 * 2 * 4


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_convolution_uses_each_weight_once_at_each_place_of_its_output(data: st.DataObject) -> None:
    groups, per_group, filters = (data.draw(st.integers(1, 3)) for _ in range(3))
    kernel = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    height, width = (data.draw(st.integers(3, 7)) for _ in range(2))
    layer = layers.Conv2D(groups * filters, kernel, strides=data.draw(st.integers(1, 2)), groups=groups, use_bias=False)
    shape = (height, width, groups * per_group)
    assert products_added(layer, shape) == counted(layer, shape)
    _, out_height, out_width, _ = layer.compute_output_shape((1, *shape))
    assert counted(layer, shape) == prod(layer.kernel.shape) * out_height * out_width


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.LayerNormalization(),
        layers.PReLU(),
        layers.MaxPooling2D(),
        layers.ReLU(6.0),
        layers.ZeroPadding2D(),
        layers.Dropout(0.5),
        layers.Rescaling(2.0),
        layers.GlobalAveragePooling2D(),
    ],
    ids=lambda layer: layer.name,
)
def test_what_adds_no_products_up_is_known_to_cost_nothing(layer: Any) -> None:
    layer.build((1, 4, 4, 2))
    assert is_countable(layer)
    assert counted(layer, (4, 4, 2)) == 0


class Conv2D(layers.Layer):  # type: ignore[misc]
    """A user's own layer that bears a Keras layer's name."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], 3))

    def call(self, inputs: Any) -> Any:
        return keras.ops.matmul(inputs, self.kernel)


@pytest.mark.parametrize("layer", [layers.LSTM(3), Conv2D(), layers.TimeDistributed(layers.Dense(2))])
def test_weights_without_a_rule_are_named_and_not_taken_for_nothing(layer: Any) -> None:
    inputs = keras.Input((4, 5))
    summary = summarize(keras.Model(inputs, layer(inputs)))
    assert [row.kind for row in summary.uncounted] == [type(layer).__name__]
    assert summary.to_json()["layers"][0]["macs"] is None
    assert summary.parameters == layer.count_params() > 0


def test_matrix_products_without_weights_are_named_too() -> None:
    inputs = keras.Input((4, 5))
    product = keras.ops.matmul(inputs, keras.ops.transpose(inputs, (0, 2, 1)))
    assert [row.kind for row in summarize(keras.Model(inputs, product)).uncounted] == ["Matmul"]
    attended = layers.Attention()([inputs, inputs])
    assert [row.kind for row in summarize(keras.Model(inputs, attended)).uncounted] == ["Attention"]


def test_a_learned_group_convolution_is_dense_and_then_what_regrouping_leaves() -> None:
    from mnmodels.architectures.learned_group_conv import LearnedGroupConv2D

    inputs = keras.Input((4, 4, 8))
    learned = LearnedGroupConv2D(16, groups=4, condense_factor=4)
    summary = summarize(keras.Model(inputs, layers.Conv2D(2, 1)(learned(inputs))))
    regrouped = layers.Conv2D(16, 1, groups=4, use_bias=False)  # on 4 groups of the 2 channels that each has kept
    assert summary.layers[0].macs == 8 * 16 * 4 * 4
    assert summary.layers[0].condensed_macs == products_added(regrouped, (4, 4, 8))
    assert condensed_parameters(learned) == regrouped.count_params() == 2 * 16
    assert summary.condensed_macs == 2 * 16 * 16 + 16 * 2 * 16
    assert summary.condensed_trainable == 2 * 16 + 16 * 2 + 2
