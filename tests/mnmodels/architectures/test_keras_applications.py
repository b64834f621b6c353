"""keras.applications, at every width that it has weights for: ours take theirs by name, and do the same."""

import doctest
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mninfer.errors import MnError
from mnmodels.architectures.pretrained import copy_weights
from mnmodels.architectures.registry import build_model
from mnmodels.keras_file import save_keras
from support.foreign_warnings import KERAS_READS_VARIABLES
from support.randomized import randomize_batch_norm

pytestmark = KERAS_READS_VARIABLES

APPLICATIONS = {
    "mobilenet_v1": keras.applications.MobileNet,
    "mobilenet_v2": keras.applications.MobileNetV2,
    "mobilenet_v3_small": keras.applications.MobileNetV3Small,
    "mobilenet_v3_large": keras.applications.MobileNetV3Large,
}
WIDTHS = [
    *(("mobilenet_v1", {"alpha": alpha}) for alpha in (0.25, 0.5, 0.75, 1.0)),
    *(("mobilenet_v2", {"alpha": alpha}) for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    *(
        (f"mobilenet_v3_{size}", {"alpha": alpha, "minimalistic": is_minimalistic})
        for size in ("small", "large")
        for alpha, is_minimalistic in ((0.75, False), (1.0, False), (1.0, True))
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), WIDTHS)
def test_weights_load_by_name_and_do_the_same(name: str, options: dict[str, Any]) -> None:
    shape = (49, 36, 3)  # odd and even sides, since those are padded differently
    preprocessing = {"include_preprocessing": False} if "v3" in name else {}
    theirs = APPLICATIONS[name](
        **options, **preprocessing, input_shape=shape, include_top=False, pooling="avg", weights=None
    )
    ours = build_model(name, **options, input_shape=shape, include_top=False, pooling="avg")
    assert [layer.name for layer in ours.layers if layer.weights] == [
        layer.name for layer in theirs.layers if layer.weights
    ]
    copy_weights(randomize_batch_norm(theirs), ours)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype("float32")
    expected = theirs(pictures, training=False).numpy()
    np.testing.assert_allclose(ours(pictures, training=False).numpy(), expected, atol=1e-4 * np.abs(expected).max())
    assert np.ptp(expected, axis=0).max() > 1e-3


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small"])
def test_the_classifier_does_the_same(name: str) -> None:
    alpha = {"mobilenet_v1": 0.25, "mobilenet_v2": 0.35, "mobilenet_v3_small": 0.25}[name]
    preprocessing = {"include_preprocessing": False} if "v3" in name else {}
    theirs = APPLICATIONS[name](alpha=alpha, **preprocessing, input_shape=(32, 32, 3), classes=7, weights=None)
    ours = build_model(name, alpha=alpha, input_shape=(32, 32, 3), classes=7)
    copy_weights(randomize_batch_norm(theirs), ours)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    expected = theirs(pictures, training=False).numpy()
    np.testing.assert_allclose(ours(pictures, training=False).numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)


def test_weights_of_another_network_are_refused_with_what_lacks() -> None:
    narrow, wide = (build_model("mobilenet_v1", alpha=alpha, form="cifar_small", classes=4) for alpha in (0.125, 0.25))
    with pytest.raises(MnError, match=r"no weights of that shape for \d+ of 55 layers: conv1, conv1_bn, conv_dw_1"):
        copy_weights(narrow, wide)


def test_weights_come_from_a_file(tmp_path: Path) -> None:
    options: dict[str, Any] = {"alpha": 0.125, "form": "cifar_small", "classes": 4}
    trained = randomize_batch_norm(build_model("mobilenet_v1", **options))
    save_keras(trained, tmp_path / "trained.keras")
    loaded = build_model("mobilenet_v1", **options, weights=str(tmp_path / "trained.keras"))
    features = build_model("mobilenet_v1", **options, include_top=False, weights=tmp_path / "trained.keras")
    for one, other in zip(trained.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(features.get_weights()[-1], trained.get_layer("conv_pw_13_bn").get_weights()[-1])


@pytest.mark.parametrize(
    ("name", "options", "trainable", "all_of_them"),
    [
        ("mobilenet_v1", {}, 4_231_976, 4_253_864),
        ("mobilenet_v1", {"form": "cifar", "classes": 100}, 3_309_476, 3_331_364),
        ("mobilenet_v1", {"alpha": 0.5, "form": "cifar", "classes": 100}, 869_892, 880_836),
        ("mobilenet_v1", {"alpha": 0.25, "form": "cifar", "classes": 100}, 238_772, 244_244),
        ("mobilenet_v2", {}, 3_504_872, 3_538_984),
        ("mobilenet_v2", {"form": "cifar", "classes": 100}, 2_351_972, 2_386_084),
        ("mobilenet_v2_gc", {"form": "cifar", "classes": 100}, 1_066_052, 1_100_164),
    ],
)
def test_parameters_are_those_published(name: str, options: dict[str, Any], trainable: int, all_of_them: int) -> None:
    model = build_model(name, **options)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == trainable
    assert model.count_params() == all_of_them


@pytest.mark.parametrize(
    "module",
    [
        "channel_gather",
        "condensing",
        "mobilenet_v1",
        "mobilenet_v2",
        "mobilenet_v2_grouped",
        "mobilenet_v3",
        "options",
        "registry",
        "widths",
    ],
)
def test_examples_hold(module: str) -> None:
    loaded = import_module(f"mnmodels.architectures.{module}")
    outcome = doctest.testmod(loaded)
    assert outcome.failed == 0
    assert outcome.attempted > 0
