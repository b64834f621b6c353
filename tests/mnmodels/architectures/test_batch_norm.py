"""Both forms: same outputs, gradients and moving statistics, and the same file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras
import tensorflow as tf

from mnmodels.architectures.batch_norm import Norm, norm_of, use_norm
from mnmodels.architectures.mobilenet_v1 import MobileNet
from mnmodels.keras_file import save_keras
from support.foreign_warnings import KERAS_READS_VARIABLES
from support.randomized import randomize_batch_norm

pytestmark = KERAS_READS_VARIABLES

SHAPES = [(2, 3, 3, 5), (16, 8, 8, 12), (1, 1, 2, 3), (3, 5, 4, 7)]


def layer_of(norm: str, channels: int, **options: Any) -> Any:
    layer = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3, **options)
    use_norm(layer, norm)
    layer.build((None, None, None, channels))
    random = np.random.default_rng(1)
    layer.set_weights([random.uniform(0.5, 2, weight.shape) for weight in layer.weights])
    return layer


def run(
    layer: Any, inputs: np.ndarray, towards: np.ndarray, *, training: bool
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Output and gradients (of the input, gamma, beta), and the moving statistics afterwards."""
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, training=training)
        loss = tf.reduce_sum(tf.cast(outputs, "float32") * towards)
    gradients = tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])
    results = [outputs, *gradients]
    statistics = [each.numpy() for each in layer.non_trainable_weights]
    return [keras.ops.cast(each, "float32").numpy() for each in results], statistics


def close(ours: list[np.ndarray], theirs: list[np.ndarray], share: float) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=share * max(1e-3, float(np.abs(other).max())))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_fused_and_composed_agree(shape: tuple[int, ...], training: bool) -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(1, 2, shape).astype("float32")
    towards = random.normal(size=shape).astype("float32")
    fused, composed = (layer_of(norm, shape[-1]) for norm in ("fused", "composed"))
    assert (norm_of(fused), norm_of(composed)) == (Norm.FUSED, Norm.COMPOSED)
    for _ in range(3):  # the moving statistics add up
        ours, statistics = run(fused, inputs, towards, training=training)
        theirs, expected = run(composed, inputs, towards, training=training)
        close(ours, theirs, 2e-5)
        close(statistics, expected, 1e-5)


def test_the_moving_variance_is_of_the_biased_one() -> None:
    """Bessel's correction, which the kernel makes, is a factor of 2 for two values, and would show."""
    inputs = np.array([0.0, 2.0], "float32").reshape(2, 1, 1, 1)
    for norm in Norm:
        layer = layer_of(norm, 1)
        layer.moving_variance.assign([0.0])
        layer(inputs, training=True)
        assert layer.moving_variance.numpy()[0] == pytest.approx(0.1 * 1.0, rel=1e-5)


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"scale": False, "center": False}])
def test_without_scale_or_offset_they_agree(options: dict[str, bool]) -> None:
    random = np.random.default_rng(0)
    inputs, towards = random.normal(1, 2, (2, 4, 4, 6, 5)).astype("float32")
    fused, composed = (layer_of(norm, 5, **options) for norm in ("fused", "composed"))
    close(*(run(each, inputs, towards, training=True)[0] for each in (fused, composed)), 2e-5)


def test_half_precision_agrees() -> None:
    random = np.random.default_rng(0)
    inputs, towards = random.normal(1, 2, (2, 8, 4, 4, 6)).astype("float32")
    fused, composed = (layer_of(norm, 6, dtype="mixed_bfloat16") for norm in ("fused", "composed"))
    ours, statistics = run(fused, inputs, towards, training=True)
    theirs, expected = run(composed, inputs, towards, training=True)
    close(ours, theirs, 0.03)  # bfloat16 has 8 bits; the kernel reads them, Keras makes float32 of them first
    close(statistics, expected, 1e-5)
    assert all(each.dtype == np.float32 for each in statistics)


@pytest.mark.parametrize(
    ("options", "shape"),
    [({"axis": 1}, (2, 5, 4, 4)), ({}, (8, 5)), ({"renorm": True}, (2, 4, 4, 5)), ({"dtype": "float64"}, (2, 4, 4, 5))],
)
def test_what_the_kernel_cannot_do_stays_composed(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    inputs = np.random.default_rng(0).normal(size=shape).astype("float32")
    outputs = []
    for norm in Norm:
        layer = keras.layers.BatchNormalization(**options)
        use_norm(layer, norm)
        outputs.append(layer(inputs, training=True).numpy())
    np.testing.assert_array_equal(*outputs)


def test_a_frozen_layer_keeps_its_statistics() -> None:
    layer = layer_of("fused", 3)
    layer.trainable = False
    before = layer.get_weights()
    layer(np.ones((2, 2, 2, 3), "float32"), training=True)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_model_is_switched_and_back() -> None:
    model = MobileNet(alpha=0.25, form="cifar_small", classes=10)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {norm_of(layer) for layer in norms} == {Norm.FUSED}
    assert use_norm(model, "composed") == len(norms) == 27
    assert use_norm(model, "composed") == 0
    assert {norm_of(layer) for layer in norms} == {Norm.COMPOSED}


def test_a_whole_net_gives_the_same_in_both_forms_and_saves_the_same(tmp_path: Path) -> None:
    model = randomize_batch_norm(MobileNet(alpha=0.25, form="cifar_small", classes=10, norm="fused"))
    config = model.get_config()
    pictures = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    fused = model(pictures, training=False).numpy()
    use_norm(model, "composed")
    np.testing.assert_allclose(model(pictures, training=False).numpy(), fused, atol=1e-5)
    assert model.get_config() == config
    use_norm(model, "fused")
    save_keras(model, tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras")  # nothing of ours is in it
    assert {type(layer).__module__.split(".")[0] for layer in loaded.layers} == {"keras"}
    np.testing.assert_allclose(loaded(pictures, training=False).numpy(), fused, atol=1e-5)
