"""Layers with which a network normalizes its own pictures: what they come to, and where they end."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras
from keras import layers

from mnconvert.lowering.leading_layers import find_leading_layers, with_leading_layers
from mninfer.preprocessing import PRESETS, Interpolation, Resize


def network(*first, size=(32, 32)):
    return keras.Sequential([keras.Input((*size, 3)), *first, layers.Conv2D(4, 3, name="own"), layers.Flatten()])


def normalization():
    return layers.Normalization(mean=[10.0, 20.0, 30.0], variance=[4.0, 9.0, 16.0])


def test_a_rescaling_is_a_mean_and_a_std():
    leading = find_leading_layers(network(layers.Rescaling(1 / 127.5, offset=-1, name="scale")))
    assert leading.names == ("scale",)
    np.testing.assert_allclose(leading.mean, [127.5] * 3)
    np.testing.assert_allclose(leading.std, [127.5] * 3)


def test_layers_compose_in_their_order():
    leading = find_leading_layers(network(layers.Rescaling(1 / 2.0), normalization()))
    picture = np.full((1, 3), 100.0)
    wanted = (picture / 2 - [10, 20, 30]) / [2, 3, 4]
    np.testing.assert_allclose((picture - leading.mean) / leading.std, wanted)


def test_augmentation_in_a_model_of_its_own_is_passed_by():
    augment = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)])
    leading = find_leading_layers(network(augment, layers.Rescaling(1 / 255)))
    assert len(leading.layers) >= 3
    np.testing.assert_allclose(leading.std, [255.0] * 3)


def test_a_resizing_is_the_size():
    leading = find_leading_layers(network(layers.Resizing(32, 24), layers.Rescaling(1 / 255), size=(None, None)))
    assert leading.size == (32, 24)
    spec = with_leading_layers(PRESETS["raw"], leading)
    assert (spec.resize, spec.interpolation) == (Resize.STRETCH, Interpolation.BILINEAR)
    assert spec.std == (255.0,) * 3


@pytest.mark.parametrize(
    "layer", [layers.Conv2D(3, 1), layers.ReLU(), layers.Rescaling(-1.0), layers.BatchNormalization()]
)
def test_the_networks_own_layers_end_it(layer):
    assert find_leading_layers(network(layer, layers.Rescaling(1 / 255))).names == ()


def test_a_picture_that_is_read_twice_is_left_alone():
    inputs = keras.Input((32, 32, 3))
    scaled = layers.Rescaling(1 / 255)(inputs)
    outputs = layers.Concatenate()([layers.Conv2D(3, 1)(scaled), inputs])
    assert find_leading_layers(keras.Model(inputs, outputs)).is_idle


def test_what_a_file_says_comes_first():
    spec = with_leading_layers(PRESETS["inception"], find_leading_layers(network(normalization())))
    pixel = 200.0
    np.testing.assert_allclose(
        (pixel - np.array(spec.mean)) / spec.std, (pixel / 127.5 - 1 - np.array([10, 20, 30])) / [2, 3, 4]
    )


@pytest.mark.parametrize(
    "layer",
    [layers.RandomFlip(), layers.RandomContrast(0.5), layers.GaussianNoise(0.5), layers.RandomZoom(0.5),
     layers.AutoContrast()],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_what_changes_pictures_after_training_too_is_the_networks_own(layer):
    """AutoContrast does: taken out, an int8 file passed that saw other pictures than the model."""
    pictures = np.random.default_rng(1).integers(60, 200, (2, 32, 32, 3)).astype(np.float32)
    given = np.asarray(layer(pictures, training=False))
    is_idle = given.shape == pictures.shape and np.allclose(given, pictures)
    assert bool(find_leading_layers(network(layer)).layers) is is_idle
