"""Names of other projects end in the right places: the fitted weights, by Keras' names, compute what theirs do."""

import dataclasses
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mninfer.errors import InputError, UnsupportedModelError
from mnmodels.weights import read_weights
from mnmodels.weights.fitting import FitConfig, fit
from mnmodels.weights.named_arrays import NamedArrays, SourceKind
from mnmodels.weights.network import Network
from mnmodels.weights.translate import translate
from mnmodels.weights.variable_names import is_bookkeeping
from support.slim_networks import (
    NAMINGS,
    Naming,
    forward_v1,
    forward_v2,
    keras_v1,
    keras_v2,
    keras_v2_name,
    random_v1,
    random_v2,
)

pytestmark = pytest.mark.smoke

PICTURES = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
KERAS_3 = Naming(lambda *place: NAMINGS["Keras"].name(*place).replace("depthwise_", ""))


def fitted(arrays: dict[str, Any], network: Network, **config: Any) -> tuple[dict[str, Any], list[str]]:
    source = NamedArrays(kind=SourceKind.PICKLE, where="weights.pkl", arrays=arrays)
    return fit(translate(source, network), network, FitConfig(where="weights.pkl", **config))


def v1_outputs(arrays: dict[str, Any], classes: int = 11, *, has_ceiling: bool = True, **config: Any) -> np.ndarray:
    weights, _ = fitted(arrays, keras_v1(classes=classes), **config)
    return forward_v1(weights, dataclasses.replace(KERAS_3, has_ceiling=has_ceiling), PICTURES)


def counted(arrays: dict[str, Any], start: int) -> dict[str, Any]:
    """Keras' own counters for layers without a name, counted from anywhere: a model built later in a session."""
    numbers: dict[str, dict[str, int]] = {"conv2d": {}, "depthwise_conv2d": {}, "batch_normalization": {}}
    result = {}
    for name, array in arrays.items():
        layer, variable = name.split("/")
        kind = "batch_normalization" if layer.endswith("_bn") else "depthwise_conv2d" if "_dw_" in layer else "conv2d"
        number = numbers[kind].setdefault(layer, start + len(numbers[kind]))
        result[f"{kind}_{number}/{variable}" if number else f"{kind}/{variable}"] = array
    return result


def keras_1(arrays: dict[str, Any]) -> dict[str, Any]:
    """Keras 1 wrote ``conv1_W`` and ``conv1_bn_running_mean`` into the layer's group."""
    spelling = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    result = {}
    for name, array in arrays.items():
        layer, variable = name.split("/")
        result[f"{layer}/{layer}_{spelling.get(variable, variable)}:0"] = array
    return result


def keras_3_counted(arrays: dict[str, Any]) -> dict[str, Any]:
    """``layers/conv2d_3/vars/0``: Keras 3 counts variables too."""
    order = {"kernel": 0, "bias": 1, "gamma": 0, "beta": 1, "moving_mean": 2, "moving_variance": 3}
    result = {}
    for name, array in counted(arrays, 0).items():
        layer, variable = name.replace("depthwise_kernel", "kernel").split("/")
        result[f"layers/{layer}/vars/{order[variable]}"] = array
    return result


@pytest.mark.parametrize("naming", NAMINGS)
def test_v1_of_every_project(naming: str) -> None:
    names = NAMINGS[naming]
    arrays = random_v1(names)
    expected = forward_v1(arrays, names, PICTURES)
    assert np.ptp(expected, axis=0).max() > 0.02  # the answers differ from picture to picture
    result = v1_outputs(arrays, has_ceiling=names.has_ceiling)
    np.testing.assert_allclose(result, expected, atol=2e-5)


def test_a_ceiling_matters_to_these_weights() -> None:
    zehaos = NAMINGS["Zehaos"]
    arrays = random_v1(zehaos)
    capped = forward_v1(arrays, dataclasses.replace(zehaos, has_ceiling=True), PICTURES)
    assert np.abs(capped - forward_v1(arrays, zehaos, PICTURES)).max() > 0.01


@pytest.mark.parametrize(
    "rename",
    [lambda a: counted(a, 1), lambda a: counted(a, 95), keras_1, keras_3_counted],
    ids=["counted", "counted from 95", "Keras 1", "Keras 3"],
)
def test_every_keras_names_its_own_way(rename: Any) -> None:
    arrays = random_v1(NAMINGS["Keras"])
    np.testing.assert_allclose(v1_outputs(rename(arrays)), forward_v1(arrays, NAMINGS["Keras"], PICTURES), atol=2e-5)


@pytest.mark.parametrize(
    "inner", ["{0}/{0}/{1}:0", "model_weights/{0}/model_3/{0}/{1}:0", "{0}/{0}_4/{1}:0", "{0}/c/{1}"]
)
def test_the_layers_group_counts_whatever_is_in_it(inner: str) -> None:
    arrays = random_v1(NAMINGS["Keras"])
    named = {inner.format(*name.split("/")): array for name, array in arrays.items()}
    np.testing.assert_allclose(v1_outputs(named), forward_v1(arrays, NAMINGS["Keras"], PICTURES), atol=2e-5)


def tf_keras_objects(arrays: dict[str, Any]) -> dict[str, Any]:
    """``layer_with_weights-4/kernel/.ATTRIBUTES/VARIABLE_VALUE``: tf.keras' save_weights without .h5."""
    layers = list(dict.fromkeys(name.split("/")[0] for name in arrays))
    return {
        f"layer_with_weights-{layers.index(layer)}/{variable}/.ATTRIBUTES/VARIABLE_VALUE": array
        for (layer, variable), array in ((name.split("/"), array) for name, array in arrays.items())
    } | {"save_counter/.ATTRIBUTES/VARIABLE_VALUE": np.int64(1)}


def test_checkpoints_of_tf_keras_go_by_order() -> None:
    arrays = random_v1(NAMINGS["Keras"])
    np.testing.assert_allclose(
        v1_outputs(tf_keras_objects(arrays)), forward_v1(arrays, NAMINGS["Keras"], PICTURES), atol=2e-5
    )


def old_v2_name(layer: str, block: int, variable: str) -> str:
    """The first V2 for Keras: ``mobl3_conv_3_expand``, ``bn3_conv_3_bn_expand``."""
    is_norm = variable not in ("kernel", "bias")
    if layer in ("expand", "depthwise", "project"):
        name = f"bn{block}_conv_{block}_bn_{layer}" if is_norm else f"mobl{block}_conv_{block}_{layer}"
    else:
        conv = {"stem": "Conv1", "last": "Conv_1", "logits": "Logits"}[layer]
        name = {"stem": "bn_Conv1", "last": "Conv_1_bn"}[layer] if is_norm else conv
    return f"{name}/{variable}"


def test_v2_of_slim() -> None:
    arrays = random_v2()
    assert np.ptp(forward_v2(arrays, PICTURES), axis=0).max() > 0.02
    weights, _ = fitted({f"FeatureExtractor/{name}": array for name, array in arrays.items()}, keras_v2())
    result = forward_v2(weights, PICTURES, keras_v2_name)
    np.testing.assert_allclose(result, forward_v2(arrays, PICTURES), atol=2e-5)


def test_the_first_v2_for_keras() -> None:
    arrays = random_v2(name=old_v2_name)
    weights, _ = fitted(arrays, keras_v2())
    result = forward_v2(weights, PICTURES, keras_v2_name)
    np.testing.assert_allclose(result, forward_v2(arrays, PICTURES, old_v2_name), atol=2e-5)


def test_averages_are_preferred_and_the_state_of_training_left_out() -> None:
    averages, last = random_v1(NAMINGS["slim"], seed=1), random_v1(NAMINGS["slim"], seed=2)
    shadowed = [name for name in last if "moving_" not in name]
    both = last | {f"{name}/ExponentialMovingAverage": averages[name] for name in shadowed}
    both |= {f"{name}/RMSProp": last[name] * 0 for name in shadowed} | {"global_step": np.int64(9)}
    source = NamedArrays(kind=SourceKind.CHECKPOINT, where="m.ckpt", arrays=both)
    translated = translate(source, keras_v1())
    weights, _ = fit(translated, keras_v1(), FitConfig(where="m.ckpt"))
    expected = last | {name: averages[name] for name in shadowed}
    result = forward_v1(weights, KERAS_3, PICTURES)
    np.testing.assert_allclose(result, forward_v1(expected, NAMINGS["slim"], PICTURES), atol=2e-5)
    assert any(f"{len(shadowed)} weights taken as their average" in note for note in translated.notes)
    assert any(f"{len(shadowed) + 1} arrays of the training's state" in note for note in translated.notes)


def test_averages_are_preferred_where_names_are_those_of_tensors_too() -> None:
    arrays = {"conv1/kernel:0": np.float32([1]), "conv1/kernel/ExponentialMovingAverage:0": np.float32([2])}
    source = NamedArrays(kind=SourceKind.PICKLE, where="m.pkl", arrays=arrays)
    assert translate(source, keras_v1()).weights == {"conv1/kernel": np.float32([2])}


@pytest.mark.parametrize(
    "name",
    [
        "conv2d_{}/kernel",
        "conv_ds_{}/depthwise_conv/weights",
        "conv_ds_{}/depthwise/weights",
        "layer_with_weights-{}/kernel",
        "layers/conv1/vars/{}",
    ],
)
def test_a_number_that_python_makes_none_of_is_a_name_that_is_not_known(name: str) -> None:
    name = name.format("9" * 5000)
    source = NamedArrays(
        kind=SourceKind.TFJS, where="model.json", arrays={"conv1/kernel": np.float32([1]), name: np.float32([2])}
    )
    assert translate(source, keras_v1()).unused == (name,)


@pytest.mark.parametrize(
    ("name", "is_state"),
    [
        ("MobilenetV1/Conv2d_0/weights/Adam_1", True),
        ("beta1_power:0", True),
        ("optimizer_weights/training/Adam/conv1/kernel/m:0", True),
        ("optimizer/vars/3", True),
        ("layers/dropout/seed_generator/vars/0", True),
        ("model/conv1/kernel/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE", True),
        ("MobilenetV1/Conv2d_0/weights", False),
        ("Momentum/weights", False),
        ("MobilenetV1/Conv2d_0/BatchNorm/beta", False),
    ],
)
def test_bookkeeping_is_told_from_weights(name: str, is_state: bool) -> None:
    assert is_bookkeeping(name) is is_state


def test_the_background_is_dropped_when_asked() -> None:
    arrays = random_v1(NAMINGS["slim"], classes=11)
    result = v1_outputs(arrays, classes=10, drop_background=True)
    expected = forward_v1(arrays, NAMINGS["slim"], PICTURES)[:, 1:]
    np.testing.assert_allclose(result, expected / expected.sum(axis=1, keepdims=True), atol=2e-5)


def refused(arrays: dict[str, Any], network: Network) -> UnsupportedModelError:
    with pytest.raises(UnsupportedModelError) as caught:
        fitted(arrays, network)
    return caught.value


def test_one_class_too_many_is_told_with_the_way_on() -> None:
    error = refused(random_v1(NAMINGS["slim"], classes=11), keras_v1(classes=10))
    assert len(error.offenders) == 2
    assert "shape: conv_preds/kernel is 1×1×256×10, not 1×1×256×11" in error.what
    assert "if its class 0 is the background: --drop-background" in error.hints


def test_another_width_and_a_missing_classifier_are_suspected() -> None:
    arrays = {name: array for name, array in random_v1(NAMINGS["slim"]).items() if "Logits" not in name}
    error = refused(arrays, keras_v1(alpha=0.5))
    assert "the first convolution has 8 filters, here 16: another --alpha?" in error.hints
    assert "without a classifier in the file: --without-top" in error.hints


def test_everything_that_does_not_fit_is_listed() -> None:
    arrays = random_v1(NAMINGS["slim"])
    del arrays["MobilenetV1/Conv2d_3_pointwise/BatchNorm/beta"]
    arrays["MobilenetV1/Conv2d_4_pointwise/weights"] = np.zeros((1, 1, 32, 65), np.float32)
    arrays["MobilenetV1/Conv2d_5_pointwise/BatchNorm/gamma"][3] = np.nan
    arrays["MobilenetV1/Conv2d_6_depthwise/BatchNorm/moving_variance"] *= -1
    arrays["MobilenetV1/Conv2d_7_depthwise/depthwise_weights"] = np.zeros((3, 3, 128, 1), np.int64)
    arrays["MobilenetV1/Conv2d_99_pointwise/weights"] = np.zeros(3, np.float32)
    arrays["Somewhere/else"] = np.zeros(3, np.float32)
    arrays["MobilenetV1/Conv2d_0/weights:0"] = arrays["MobilenetV1/Conv2d_0/weights"]
    error = refused(arrays, keras_v1())
    in_file, statistics = "in the file MobilenetV1/Conv2d", "depthwise/BatchNorm/moving_variance"
    assert set(error.offenders) == {
        "missing: conv_pw_3_bn/beta 32",
        "shape: conv_pw_4/kernel is 1×1×32×64, not 1×1×32×65, in the file MobilenetV1/Conv2d_4_pointwise/weights",
        f"numbers: conv_pw_5_bn/gamma has values that are not finite, {in_file}_5_pointwise/BatchNorm/gamma",
        f"numbers: conv_dw_6_bn/moving_variance has a negative variance, {in_file}_6_{statistics}",
        f"numbers: conv_dw_7/kernel has int64 values, not real numbers, {in_file}_7_depthwise/depthwise_weights",
        "unused: MobilenetV1/Conv2d_99_pointwise/weights 3",
        "unused: Somewhere/else",
        "twice: conv1/kernel: both MobilenetV1/Conv2d_0/weights and MobilenetV1/Conv2d_0/weights:0",
    }
    assert all(offender in str(error) for offender in error.offenders)


def test_names_of_nothing_are_told() -> None:
    with pytest.raises(InputError, match=re.escape("none of its names is known: vgg/conv")):
        fitted({"vgg/conv": np.zeros(3)}, keras_v1())


def test_a_pickle_of_lists_and_texts_is_flattened(tmp_path: Path) -> None:
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"conv1": [np.zeros(2), np.ones(3)], b"step": 3, "about": "text"}, 2))
    source = read_weights(path)
    assert {name: array.shape for name, array in source.arrays.items()} == {
        "conv1/0": (2,),
        "conv1/1": (3,),
        "step": (),
    }
    assert source.notes == ("1 entries that hold no numbers are left out: about",)


def test_a_pickle_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps([1, 2], 2))
    with pytest.raises(InputError, match="holds a list, not a dictionary of arrays"):
        read_weights(path)
    path.write_bytes(pickle.dumps({"a": "b"}, 2))
    with pytest.raises(InputError, match="without any array of numbers"):
        read_weights(path)
