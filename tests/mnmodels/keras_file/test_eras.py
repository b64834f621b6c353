"""Files of every era load and compute what they computed where they were written."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from keras_files import (
    config_of,
    hdf5_bytes,
    keras_3_config,
    keras_zip_bytes,
    layer_of,
    small_weights,
    weights_hdf5_bytes,
)
from mninfer.errors import KerasFileError, UnsupportedModelError
from mnmodels.keras_file import FileKind, load_keras, save_keras


def picture(*shape: int) -> np.ndarray:
    """The input of every ``.npy`` in the folder of other people's files."""
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def answer(model, *shape: int) -> np.ndarray:
    return np.asarray(model(picture(1, *(shape or model.input_shape[1:])), training=False))


def load(tmp_path: Path, data: bytes, name: str = "model.h5", **options):
    path = tmp_path / name
    path.write_bytes(data)
    return load_keras(path, **options)


def by_hand(activation=None) -> np.ndarray:
    """The small network of keras_files, in numpy."""
    weights, x = small_weights(), picture(1, 8, 8, 3)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y = sum(padded[:, i : i + 8, j : j + 8, :] @ weights["conv"]["kernel"][i, j] for i in range(3) for j in range(3))
    y = y if activation is None else activation(y)
    bn = weights["bn"]
    y = (y - bn["moving_mean"]) / np.sqrt(bn["moving_variance"] + 0.001) * bn["gamma"] + bn["beta"]
    padded = np.pad(np.clip(y, 0, 6), ((0, 0), (1, 1), (1, 1), (0, 0)))
    kernel = weights["dw"]["depthwise_kernel"][..., 0]
    y = sum(padded[:, i : i + 8, j : j + 8, :] * kernel[i, j] for i in range(3) for j in range(3)).mean((1, 2))
    y = np.exp(y @ weights["dense"]["kernel"] + weights["dense"]["bias"])
    return y / y.sum()


# --- files by others ---

ERAS = ("convt", "mobilenet", "mobilenetv2", "preproc", "relu6_fn", "relu6_tfnn", "sepconv", "seq_compiled")


@pytest.mark.parametrize("name", ERAS)
def test_keras_2_files_compute_what_they_did(shared, name):
    found = load_keras(shared / "keras-eras" / f"{name}.h5")
    assert np.abs(answer(found.model) - np.load(shared / "keras-eras" / f"{name}.npy")).max() < 1e-5
    assert (found.kind, found.keras_version, found.name) == (FileKind.HDF5, "2.12.0", f"{name}.h5")


def test_hdf5_named_keras_is_told_by_its_content(shared):
    found = load_keras(shared / "keras-eras" / "mobilenet_hdf5_named.keras")
    assert np.abs(answer(found.model) - np.load(shared / "keras-eras" / "mobilenet.npy")).max() < 1e-5
    assert found.changes == (
        'DepthwiseConv2D: groups = 1 is dropped, Keras 3 has no such option ("conv_dw_1" and 12 more)',
    )


@pytest.mark.parametrize("name", ["v1_025_128.h5", "v2_100_224.h5", "v2_100_224_b.keras"])
@pytest.mark.slow
def test_imagenet_models_compute_what_keras_computes(shared, name):
    path = shared / "models" / f"imagenet_mobilenet_{name}"
    found = load_keras(path)
    theirs = keras.models.load_model(path, compile=False)
    assert np.abs(answer(found.model) - answer(theirs)).max() < 1e-6
    assert [layer.name for layer in found.model.layers] == [layer.name for layer in theirs.layers]
    assert found.changes == ()


# --- files written here ---


def files() -> dict[str, bytes]:
    old_list = config_of("Sequential")
    old_list["config"] = old_list["config"]["layers"]
    return {
        "functional.h5": hdf5_bytes(),
        "sequential.h5": hdf5_bytes(config_of("Sequential")),
        "list of layers.h5": hdf5_bytes(old_list),
        "keras 3.h5": hdf5_bytes(keras_3_config(), version="3.15.1", suffix=""),
        "keras 3.keras": keras_zip_bytes(),
        "legacy weights in a zip.keras": keras_zip_bytes(weights=hdf5_bytes()),
        "no version.h5": hdf5_bytes(change=lambda file: file.attrs.pop("keras_version")),
        "config in bytes.h5": hdf5_bytes(json.dumps(config_of()).encode()),
        "unnamed groups.keras": keras_zip_bytes(
            weights=weights_hdf5_bytes(
                change=lambda file: [group["vars"].attrs.pop("name") for group in file["layers"].values()]
            )
        ),
    }


@pytest.mark.parametrize("name", files())
def test_every_form_of_a_file_computes_the_same(tmp_path, name):
    found = load(tmp_path, files()[name], name)
    np.testing.assert_allclose(answer(found.model), by_hand(), atol=1e-6)
    names = [layer.name for layer in found.model.layers]
    assert [name for name in names if not name.startswith("input")] == ["conv", "bn", "relu", "dw", "pool", "dense"]


def keras_1() -> bytes:
    """The same network in Keras 1.2's words, convolution of old repositories included."""
    flat = {"trainable": True}
    layers = [
        {"class_name": "Convolution2D", "config": {
            "name": "conv", **flat, "batch_input_shape": [None, 8, 8, 3], "input_dtype": "float32", "nb_filter": 4,
            "nb_row": 3,
            "nb_col": 3, "border_mode": "same", "subsample": [1, 1], "dim_ordering": "tf", "init": "glorot_uniform",
            "bias": False,
            "activation": "linear", "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 5e-4},
            "W_constraint": None}},
        {"class_name": "BatchNormalization", "config": {
            "name": "bn", **flat, "mode": 0, "axis": -1, "epsilon": 0.001, "momentum": 0.99,
            "gamma_regularizer": None}},
        {"class_name": "Activation", "config": {"name": "relu", **flat, "activation": "relu6"}},
        {"class_name": "DepthwiseConvolution2D", "config": {
            "name": "dw", **flat, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "use_bias": False,
            "filters": None,
            "depth_multiplier": 1, "data_format": "channels_last", "activation": "linear",
            "kernel_initializer": "glorot_uniform",
            "dilation_rate": [1, 1]}},
        {"class_name": "GlobalAveragePooling2D", "config": {"name": "pool", **flat, "dim_ordering": "tf"}},
        {"class_name": "Dropout", "config": {"name": "dropout", **flat, "p": 0.5}},
        {"class_name": "Dense", "config": {
            "name": "dense", **flat, "output_dim": 3, "init": "glorot_uniform", "activation": "softmax",
            "input_dim": None,
            "bias": True, "b_regularizer": None}},
    ]  # fmt: skip
    renamed = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    weights = {
        layer: {f"{layer}_{renamed.get(name, name)}": array for name, array in saved.items()}
        for layer, saved in small_weights().items()
    }
    return hdf5_bytes({"class_name": "Sequential", "config": layers}, weights, version="1.2.2", suffix="")


def test_keras_1_and_an_old_repositorys_own_layer(tmp_path):
    found = load(tmp_path, keras_1())
    np.testing.assert_allclose(answer(found.model), by_hand(), atol=1e-6)
    assert any(change.startswith("DepthwiseConvolution2D is Keras 3's DepthwiseConv2D") for change in found.changes)
    assert found.model.get_layer("conv").kernel_regularizer.l2 == pytest.approx(5e-4)
    assert found.model.get_layer("dropout").rate == 0.5


def test_theano_turned_its_kernels(tmp_path):
    weights = small_weights()
    weights["conv"]["kernel"] = np.ascontiguousarray(weights["conv"]["kernel"][::-1, ::-1])
    found = load(tmp_path, hdf5_bytes(None, weights, version="2.0.4", backend="theano"))
    np.testing.assert_allclose(answer(found.model), by_hand(), atol=1e-6)


@pytest.mark.parametrize(("version", "formula"), [
    ("2.12.0", lambda x: np.clip(0.2 * x + 0.5, 0, 1)), ("3.3.0", lambda x: np.clip(x + 3, 0, 6) / 6)])  # fmt: skip
def test_hard_sigmoid_is_what_it_was_at_the_time(tmp_path, version, formula):
    config = config_of()
    layer_of(config, "conv")["config"]["activation"] = "hard_sigmoid"
    found = load(tmp_path, hdf5_bytes(config, version=version))
    np.testing.assert_allclose(answer(found.model), by_hand(formula), atol=1e-6)
    assert any("hard_sigmoid" in change for change in found.changes) == version.startswith("2")


@pytest.mark.parametrize("dtype", [
    "mixed_float16", {"class_name": "Policy", "config": {"name": "mixed_float16"}},
    {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"},
    "registered_name": None}])  # fmt: skip
def test_mixed_precision_computes_in_float32(tmp_path, dtype):
    config = config_of()
    layer_of(config, "conv")["config"]["dtype"] = dtype
    found = load(tmp_path, hdf5_bytes(config))
    assert found.model.get_layer("conv").compute_dtype == "float32"
    assert 'mixed_float16 layers compute in float32 ("conv")' in found.changes
    np.testing.assert_allclose(answer(found.model), by_hand(), atol=1e-6)


def test_names_with_slashes_are_renamed(tmp_path):
    config = json.loads(json.dumps(config_of()).replace('"bn"', '"block/bn"'))
    weights = small_weights()
    weights = {("block/bn" if name == "bn" else name): saved for name, saved in weights.items()}
    found = load(tmp_path, hdf5_bytes(config, weights, change=_name_the_block))
    assert found.model.get_layer("block_bn") is not None
    np.testing.assert_allclose(answer(found.model), by_hand(), atol=1e-6)


def _name_the_block(file) -> None:
    file["model_weights"].attrs["layer_names"] = [b"conv", b"block/bn", b"dw", b"dense"]


def test_an_option_of_unknown_meaning_is_refused_not_dropped(tmp_path):
    config = config_of()
    layer_of(config, "conv")["config"]["wavelets"] = 3
    with pytest.raises(UnsupportedModelError, match="Conv2D with wavelets = 3"):
        load(tmp_path, hdf5_bytes(config))


def test_what_was_compiled_is_told(tmp_path):
    found = load(tmp_path, hdf5_bytes(change=lambda file: file.attrs.__setitem__("training_config", "{}")))
    assert "the optimizer, the losses and the metrics are not loaded" in found.changes


def test_a_zip_of_something_else_is_named(tmp_path):
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("folder/model.h5", b"x")
    with pytest.raises(KerasFileError, match=r"no \.keras file") as caught:
        load(tmp_path, buffer.getvalue(), "model.keras")
    assert caught.value.hints == ("unpack it and give folder/model.h5",)


def test_models_in_models_that_never_train(tmp_path):
    """Transfer learning as the guides do it: augmentation without an input, a frozen base."""
    inputs = keras.Input((16, 16, 3))
    x = keras.Sequential([keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.1)], name="augment")(
        inputs
    )
    inner = keras.Input((16, 16, 3))
    y = keras.layers.BatchNormalization(name="bn")(keras.layers.Conv2D(4, 3, name="conv")(inner))
    base = keras.Model(inner, y, name="base")
    base.trainable = False
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    model = keras.Model(inputs, keras.layers.Dense(2, name="dense")(x))
    base.get_layer("bn").moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    for name in ("model.h5", "model.keras"):
        save_keras(model, tmp_path / name)
        found = load_keras(tmp_path / name).model
        np.testing.assert_allclose(answer(found), answer(model), atol=1e-6)
        assert not found.get_layer("base").get_layer("conv").trainable
        calls = [node.arguments.kwargs for node in found.get_layer("base")._inbound_nodes]
        assert any(kwargs.get("training") is False for kwargs in calls)
        kinds = [type(layer).__name__ for layer in found.get_layer("augment").layers]
        assert kinds == ["InputLayer", "RandomFlip", "RandomRotation"]


def test_operations_of_a_functional_graph(tmp_path):
    inputs = keras.Input((8, 8, 3))
    x = keras.ops.mean((inputs / 127.5 - 1.0)[:, 1:4, ...], axis=(1, 2), keepdims=True)
    x = keras.ops.concatenate([x, keras.ops.relu6(x + 3.0) * (1 / 6)], axis=-1)
    first, second = keras.ops.split(keras.ops.reshape(x, (-1, 6)), 2, axis=-1)
    outputs = keras.layers.Dense(3, name="scores")(keras.ops.maximum(first, 1 - second))
    model = keras.Model(inputs, outputs)
    for name in ("model.h5", "model.keras"):
        save_keras(model, tmp_path / name)
        np.testing.assert_allclose(answer(load_keras(tmp_path / name).model), answer(model), atol=1e-6)
