"""Weights that fit, weights that do not, and weights without their network."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

from keras_files import hdf5_bytes, keras_zip_bytes, small_weights, weights_hdf5_bytes
from mninfer.errors import KerasFileError, MnError
from mnmodels.keras_file import FileKind, load_keras, read_hdf5_arrays


def refused(tmp_path, weights, *, is_zip: bool) -> str:
    path = tmp_path / ("model.keras" if is_zip else "model.h5")
    path.write_bytes(keras_zip_bytes(weights=weights_hdf5_bytes(weights)) if is_zip else hdf5_bytes(None, weights))
    with pytest.raises(KerasFileError) as caught:
        load_keras(path)
    return str(caught.value)


@pytest.mark.parametrize("is_zip", [False, True])
def test_all_that_does_not_fit_is_listed(tmp_path, is_zip):
    weights = small_weights()
    weights["dense"]["kernel"] = np.ones((4, 5), "float32")
    weights["conv"]["kernel"][0, 0, 0, :2] = np.nan
    message = refused(tmp_path, weights, is_zip=is_zip)
    assert '"conv" kernel: 2 of its numbers are not finite' in message
    assert '"dense" kernel: (4, 5) in the file, the network wants (4, 3)' in message


@pytest.mark.parametrize("is_zip", [False, True])
def test_missing_and_extra_weights_are_named(tmp_path, is_zip):
    weights = small_weights()
    del weights["dw"]
    assert '"dw" has no weights in the file' in refused(tmp_path, weights, is_zip=is_zip)
    weights = small_weights() | {"other": {"kernel": np.ones((3, 3), "float32")}}
    assert "other" in refused(tmp_path, weights, is_zip=is_zip)
    weights = small_weights()
    weights["dense"]["more"] = np.ones(3, "float32")
    assert '"dense" has 3 weights in the file and 2 in the network' in refused(tmp_path, weights, is_zip=is_zip)


def test_integers_and_other_floats_are_cast(tmp_path):
    weights = small_weights()
    weights["dense"]["bias"] = np.arange(3)
    weights["conv"]["kernel"] = weights["conv"]["kernel"].astype("float16")
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5_bytes(None, weights))
    model = load_keras(path).model
    assert np.asarray(model.get_layer("dense").bias).tolist() == [0, 1, 2]
    assert model.get_layer("conv").kernel.dtype == "float32"


def test_weights_alone_ask_for_their_network(shared):
    path = shared / "keras-eras" / "mobilenet_weights_only.h5"
    with pytest.raises(KerasFileError, match="weights alone") as caught:
        load_keras(path)
    assert caught.value.hints[0].startswith("--arch mobilenet_v1 --alpha 0.25 --option classes=3")


def test_weights_alone_with_their_network(shared):
    arch = {"name": "mobilenet_v1", "alpha": 0.25, "classes": 3, "input_shape": (96, 96, 3)}
    found = load_keras(shared / "keras-eras" / "mobilenet_weights_only.h5", arch=arch)
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 96, 96, 3)).astype("float32")
    answer = np.asarray(found.model(picture, training=False))
    assert np.abs(answer - np.load(shared / "keras-eras" / "mobilenet.npy")).max() < 1e-5
    assert found.kind is FileKind.WEIGHTS_ONLY


def test_weights_alone_with_another_network(shared):
    arch = {"name": "mobilenet_v1", "alpha": 0.25, "classes": 10, "input_shape": (96, 96, 3)}
    with pytest.raises(KerasFileError, match=r'"conv_preds" kernel: \(1, 1, 256, 3\) in the file') as caught:
        load_keras(shared / "keras-eras" / "mobilenet_weights_only.h5", arch=arch)
    assert caught.value.hints[0].startswith("another --arch than mobilenet_v1 alpha=0.25")


def test_keras_3s_own_weights_files(tmp_path):
    """Saved by Keras, under names that count its classes."""
    arch = {"name": "mobilenet_v1", "alpha": 0.25, "form": "cifar_small", "classes": 4}
    from mnmodels.architectures.registry import build_model

    model = build_model(**arch)
    model.save_weights(tmp_path / "model.weights.h5")
    found = load_keras(tmp_path / "model.weights.h5", arch=arch)
    for ours, theirs in zip(found.model.weights, model.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_arrays_of_an_hdf5_file(tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5_bytes())
    arrays = read_hdf5_arrays(path)
    np.testing.assert_array_equal(arrays["model_weights/dense/dense/kernel:0"], small_weights()["dense"]["kernel"])
    assert len(arrays) == 8


@pytest.mark.parametrize(
    ("arch", "what", "hint"),
    [
        ({"alpha": 0.25}, "has no name", '"name": one of mobilenet_v1, '),
        ({"nam": "mobilenet_v1"}, "has no name", '"name" instead of "nam"'),
        ({"name": "mobilenet_v1", "weights": "imagenet"}, "the weights are those of the file", 'leave out "weights"'),
        ("mobilenet_v1", "not by 'mobilenet_v1'", "{\"name\": 'mobilenet_v1'}"),
        ({"name": "mobilnet_v1"}, 'no architecture "mobilnet_v1"', "mobilenet_v1"),
    ],
)
def test_a_network_that_is_not_said(tmp_path, arch, what, hint):
    (tmp_path / "model.weights.h5").write_bytes(hdf5_bytes())
    with pytest.raises(MnError, match=what) as caught:
        load_keras(tmp_path / "model.weights.h5", arch=arch)
    assert caught.value.hints[0].startswith(hint)
