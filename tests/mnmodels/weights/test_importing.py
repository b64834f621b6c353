"""Into Keras itself: few nets, small, for each way in that the pure tests beside this one don't cover."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")

from mninfer.errors import InputError, UnsupportedModelError, VerifyError  # noqa: E402
from mninfer.preprocessing import PreprocessSource, Resize, StatedPreprocess  # noqa: E402
from mnmodels.architectures.registry import build_model  # noqa: E402
from mnmodels.weights import ImportConfig, import_weights  # noqa: E402
from mnmodels.weights.network import network_of  # noqa: E402
from support.checkpoints import write_checkpoint  # noqa: E402
from support.network import float_model  # noqa: E402
from support.slim_networks import (  # noqa: E402
    NAMINGS,
    folded_v1,
    forward_v1,
    forward_v2,
    keras_v1,
    keras_v2,
    random_v1,
    random_v2,
)

V1 = {"name": "mobilenet_v1", "alpha": 0.25, "input_shape": (32, 32, 3)}
V2 = {"name": "mobilenet_v2", "alpha": 0.35, "input_shape": (32, 32, 3)}
PICTURES = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)

ROUNDING = 1e-4  # these V2s in float32 are 2e-5 from themselves in float64


def write_pickle(folder: Path, arrays: dict[str, Any]) -> Path:
    path = folder / "mobilenet.pkl"
    path.write_bytes(pickle.dumps(arrays, 2))
    return path


def outputs(model: Any) -> np.ndarray:
    return np.asarray(model(PICTURES, training=False))


@pytest.mark.parametrize(("options", "expected"), [(V1, keras_v1()), (V2, keras_v2())], ids=["V1", "V2"])
def test_a_registry_network_wants_what_the_pure_tests_say(options: dict[str, Any], expected: Any) -> None:
    model = build_model(**options, classes=11)
    assert network_of(model).layers == expected.layers
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert {norm.epsilon for norm in norms} == {0.001}  # TF-slim's, tf.layers' and Keras' own: no variance to correct


def test_a_checkpoint_of_v2(tmp_path: Path) -> None:
    arrays = random_v2()
    imported = import_weights(write_checkpoint(tmp_path / "v2.ckpt", arrays), ImportConfig(network=V2))
    np.testing.assert_allclose(outputs(imported.model), forward_v2(arrays, PICTURES), atol=ROUNDING)
    assert imported.num_arrays == len(arrays)
    assert imported.difference is None


def test_relu_without_a_ceiling_stays_in_the_saved_file(tmp_path: Path) -> None:
    from mnmodels.keras_file import load_keras, save_keras

    arrays = random_v1(NAMINGS["Zehaos"])
    imported = import_weights(write_pickle(tmp_path, arrays), ImportConfig(network=V1))
    assert any("without a ceiling" in note for note in imported.notes)
    save_keras(imported.model, tmp_path / "out.keras", contract=imported.contract)
    loaded = load_keras(tmp_path / "out.keras")
    np.testing.assert_allclose(outputs(loaded.model), forward_v1(arrays, NAMINGS["Zehaos"], PICTURES), atol=ROUNDING)
    assert loaded.contract == imported.contract


def test_what_this_keras_writes_is_read_and_what_keras_2_wrote(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    model = build_model(**V1, classes=7)
    model.save_weights(tmp_path / "new.weights.h5")
    with h5py.File(tmp_path / "old.h5", "w") as file:
        for layer in model.layers:
            for variable in layer.weights:
                spelled = "depthwise_kernel" if "dw" in layer.name and variable.name == "kernel" else variable.name
                file[f"{layer.name}/{layer.name}/{spelled}:0"] = np.asarray(variable)
    for name in ("new.weights.h5", "old.h5"):
        imported = import_weights(tmp_path / name, ImportConfig(network=V1))
        assert imported.model.output_shape == (None, 7)  # as in the file, nothing else being stated
        np.testing.assert_allclose(outputs(imported.model), outputs(model), atol=1e-6)


def test_without_the_top_the_features_are_left(tmp_path: Path) -> None:
    arrays = random_v1(NAMINGS["slim"])
    config = ImportConfig(network=V1, without_top=True)
    imported = import_weights(write_pickle(tmp_path, arrays), config)
    assert imported.model.output_shape == (None, 1, 1, 256)
    assert 'the classifier "conv_preds" of the file is left out' in imported.notes
    headless = {name: array for name, array in arrays.items() if "Logits" not in name}
    again = import_weights(write_pickle(tmp_path, headless), config)
    np.testing.assert_array_equal(outputs(again.model), outputs(imported.model))
    with pytest.raises(UnsupportedModelError, match="missing: conv_preds/kernel"):
        import_weights(write_pickle(tmp_path, headless), ImportConfig(network=V1))


def test_without_the_top_of_v3_both_of_its_layers_are_left_out(tmp_path: Path) -> None:
    v3 = {"name": "mobilenet_v3_small", "alpha": 0.35, "input_shape": (32, 32, 3)}
    model = build_model(**v3, classes=7)
    model.save_weights(tmp_path / "v3.weights.h5")
    imported = import_weights(tmp_path / "v3.weights.h5", ImportConfig(network=v3, without_top=True))
    assert 'the classifier "conv_2, logits" of the file is left out' in imported.notes
    expected = keras.Model(model.input, model.get_layer("conv_1_act").output)
    np.testing.assert_allclose(outputs(imported.model), outputs(expected), atol=1e-6)


def test_weights_from_two_places_are_refused(tmp_path: Path) -> None:
    path = write_pickle(tmp_path, random_v1(NAMINGS["slim"]))
    with pytest.raises(InputError, match="the weights are those of the file"):
        import_weights(path, ImportConfig(network=V1 | {"weights": "imagenet"}))


def test_a_flatbuffer_is_compared_with_itself(tmp_path: Path) -> None:
    layers = folded_v1(random_v1(NAMINGS["slim"]), NAMINGS["slim"])
    network = {"name": "mobilenet_v1", "alpha": 0.25}
    for name, data in (("a", float_model(layers, (32, 32))), ("b", float_model(layers, (32, 32), softmax=False))):
        (tmp_path / f"{name}.tflite").write_bytes(data)
        imported = import_weights(tmp_path / f"{name}.tflite", ImportConfig(network=network))
        assert imported.model.input_shape == (None, 32, 32, 3)  # as the file's
        assert imported.difference is not None
        assert imported.difference < 1e-5
        assert not any("says little" in note for note in imported.notes)
    with pytest.raises(VerifyError, match="outputs differ from the file's own") as caught:
        import_weights(tmp_path / "a.tflite", ImportConfig(network=network | {"form": "cifar"}))
    assert caught.value.exit_code == 3
    with pytest.raises(VerifyError, match="input is") as caught:
        import_weights(tmp_path / "a.tflite", ImportConfig(network=network | {"input_shape": (64, 64, 3)}))


def test_agreement_of_outputs_that_never_change_is_told_for_what_it_is(tmp_path: Path) -> None:
    *features, head = folded_v1(random_v1(NAMINGS["slim"]), NAMINGS["slim"])
    untrained = replace(head, weights=head.weights * 1e-9)
    (tmp_path / "v1.tflite").write_bytes(float_model([*features, untrained], (32, 32)))
    imported = import_weights(tmp_path / "v1.tflite", ImportConfig(network={"name": "mobilenet_v1", "alpha": 0.25}))
    assert any("their agreement says little" in note for note in imported.notes)


def test_preprocessing_is_assumed_and_said_or_stated_and_labels_are_counted(tmp_path: Path) -> None:
    path = write_pickle(tmp_path, random_v1(NAMINGS["slim"]))
    large = import_weights(path, ImportConfig(network=V1 | {"input_shape": (96, 96, 3)}, labels=("a",) * 11))
    spec = large.contract.preprocess
    assert spec is not None
    assert (spec.source, spec.resize, spec.crop_fraction) == (PreprocessSource.ASSUMED, Resize.CROP, 0.875)
    assert any("preprocessing assumed" in note for note in large.notes)
    assert large.contract.labels == ("a",) * 11
    stated = StatedPreprocess.parse(preprocess="torch", resize="stretch")
    small = import_weights(path, ImportConfig(network=V1, preprocess=stated))
    assert small.contract.preprocess is not None
    assert small.contract.preprocess.source == PreprocessSource.STATED
    assert not any("preprocessing assumed" in note for note in small.notes)
    with pytest.raises(InputError, match="10 labels for 11 classes") as caught:
        import_weights(path, ImportConfig(network=V1, labels=("a",) * 10))
    assert "--drop-background" in caught.value.hints[0]
