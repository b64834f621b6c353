"""A base network learns three new classes; what it must not forget stays."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mninfer.errors import MnError, OutputError, PreprocessError, RecipeError, UnsupportedModelError
from mninfer.model_file import SourceContract
from mninfer.preprocessing import StatedPreprocess, parse_preprocess
from mnmodels.architectures.registry import build_model
from mnmodels.finetuning.base import Base, base_from_file, base_from_zoo
from mnmodels.finetuning.finetune import FinetuneConfig, finetune
from mnmodels.finetuning.head import freeze, with_new_head
from mnmodels.keras_file import load_keras, save_keras
from mnmodels.training.run import Watcher
from support.corners import Colours, small_network, small_recipe

SPEC = parse_preprocess("inception")


def base_network(num_classes: int = 5) -> Any:
    keras.utils.set_random_seed(3)
    inputs = keras.layers.Input((16, 16, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, use_bias=False, name="conv1")(inputs)
    x = keras.layers.ReLU(6.0, name="relu1")(keras.layers.BatchNormalization(name="bn1")(x))
    x = keras.layers.Conv2D(16, 3, strides=2, use_bias=False, name="conv2")(x)
    x = keras.layers.ReLU(6.0, name="relu2")(keras.layers.BatchNormalization(name="bn2")(x))
    x = keras.layers.AveragePooling2D(3, name="pool")(x)
    x = keras.layers.Conv2D(16, 1, name="mix")(x)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="gap")(x)
    x = keras.layers.Conv2D(num_classes, 1, name="conv_preds")(x)
    x = keras.layers.Reshape((num_classes,), name="reshape")(x)
    return keras.Model(inputs, keras.layers.Activation("softmax", name="old")(x), name="base")


def test_the_head_goes_on_what_was_pooled() -> None:
    base = base_network()
    model = with_new_head(base, 3, dropout=0.2)
    assert model.output_shape == (None, 3)
    assert [layer.name for layer in model.layers[-4:]] == ["gap", "head_flatten", "head_dropout", "predictions"]
    assert "conv_preds" not in {layer.name for layer in model.layers}
    np.testing.assert_array_equal(model.get_layer("conv2").get_weights()[0], base.get_layer("conv2").get_weights()[0])


def test_a_stated_cut_is_kept_to() -> None:
    model = with_new_head(base_network(), 3, dropout=0.0, cut="pool")
    assert [layer.name for layer in model.layers[-3:]] == ["pool", "head_pool", "predictions"] or [
        layer.name for layer in model.layers[-3:]
    ] == ["pool", "head_flatten", "predictions"]
    with pytest.raises(UnsupportedModelError, match="pool"):
        with_new_head(base_network(), 3, dropout=0.0, cut="poll")


def test_a_head_goes_on_a_head() -> None:
    first = with_new_head(base_network(), 3, dropout=0.2)
    again = with_new_head(first, 2, dropout=0.2, cut="predictions")
    assert [layer.name for layer in again.layers[-3:]] == ["predictions", "head_dropout_1", "predictions_1"]
    assert with_new_head(first, 2, dropout=0.2).layers[-1].name == "predictions"


@pytest.mark.parametrize("cut", [None, "base"])
@pytest.mark.parametrize("last", ["gap", "mix"])
def test_features_of_a_model_inside_are_those_of_its_call(last: str, cut: str | None) -> None:
    """As transfer learning is often saved: a network, and a dense layer on it."""
    whole = base_network()
    inside = keras.Model(whole.input, whole.get_layer(last).output, name="base")
    inputs = keras.layers.Input((16, 16, 3))
    top = [] if last == "mix" and cut is None else [keras.layers.Flatten(), keras.layers.Dense(4)]
    x = inside(inputs)
    for layer in top:
        x = layer(x)
    model = with_new_head(keras.Model(inputs, x), 3, dropout=0.0, cut=cut)
    assert model.layers[1].name == "base"
    assert [type(layer).__name__ for layer in model.layers[3:]] == ["Dense"]
    assert model(np.zeros((1, 16, 16, 3), np.float32)).shape == (1, 3)


def test_a_layer_that_is_called_twice_is_cut_after_its_last_call() -> None:
    relu = keras.layers.ReLU(name="relu")
    inputs = keras.layers.Input((16, 16, 3))
    x = relu(keras.layers.Conv2D(4, 3, name="conv")(relu(inputs)))
    model = with_new_head(keras.Model(inputs, keras.layers.Flatten()(x)), 3, dropout=0.0, cut="relu")
    assert "conv" in {layer.name for layer in model.layers}


def test_no_pooling_is_told() -> None:
    inputs = keras.layers.Input((16, 16, 3))
    x = keras.layers.Dense(4)(keras.layers.Flatten()(inputs))
    with pytest.raises(UnsupportedModelError, match="--cut"):
        with_new_head(keras.Model(inputs, x), 3, dropout=0.0)


@pytest.mark.parametrize(
    ("unfrozen", "names"), [(0, set()), (1, {"mix"}), (2, {"mix", "conv2"}), (99, {"mix", "conv2", "conv1"})]
)
def test_only_the_last_layers_learn_and_no_statistics(unfrozen: int, names: set[str]) -> None:
    model = with_new_head(base_network(), 3, dropout=0.0)
    assert freeze(model, unfrozen) == len(names) + 1
    learning = {variable.path.split("/")[0] for variable in model.trainable_variables}
    assert learning == names | {"predictions"}


def test_new_classes_are_learned_and_the_frozen_rest_stays(tmp_path: Path) -> None:
    source = tmp_path / "base.keras"
    save_keras(base_network(), source, contract=SourceContract(labels=None, preprocess=SPEC))
    base = base_from_file(source, StatedPreprocess())
    assert (base.size, base.preprocess.mean) == (16, (127.5, 127.5, 127.5))
    config = FinetuneConfig(head_epochs=8, whole_epochs=4, head_rate=0.1, whole_rate=0.01, unfrozen=1, batch=32)
    result = finetune(base, Colours(192, 0), Colours(96, 1), tmp_path / "run", config)
    assert result.contract.labels == Colours.labels
    assert result.contract.preprocess is not None
    assert result.contract.preprocess.std == SPEC.std
    assert result.rows[-1]["val_accuracy"] > 0.8
    assert all(layer.trainable for layer in result.model.layers)
    before = load_keras(source).model
    for name in ("conv1", "bn1", "conv2", "bn2"):
        for ours, theirs in zip(
            result.model.get_layer(name).get_weights(), before.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert (result.model.get_layer("mix").get_weights()[0] != before.get_layer("mix").get_weights()[0]).any()


def test_preprocessing_is_never_guessed(tmp_path: Path) -> None:
    save_keras(small_network(small_recipe(), 3), tmp_path / "base.keras")
    with pytest.raises(PreprocessError, match="--preprocess inception"):
        base_from_file(tmp_path / "base.keras", StatedPreprocess())
    stated = base_from_file(tmp_path / "base.keras", StatedPreprocess.parse(preprocess="torch", resize="crop:0.8"))
    assert stated.preprocess.crop_fraction == 0.8


def test_what_the_layers_say_is_taken_and_a_known_network_warned_of(tmp_path: Path) -> None:
    """As evaluate and the converter do: inferred before assumed, and assumed with a warning."""
    inputs = keras.layers.Input((16, 16, 3))
    outputs = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(inputs / 127.5 - 1.0))
    save_keras(keras.Model(inputs, outputs), tmp_path / "inferred.keras")
    base = base_from_file(tmp_path / "inferred.keras", StatedPreprocess())
    assert (base.preprocess.is_raw, base.preprocess.source, base.warnings) == (True, "inferred", ())
    save_keras(build_model("mobilenet_v1", alpha=0.25, input_shape=(32, 32, 3)), tmp_path / "known.keras")
    base = base_from_file(tmp_path / "known.keras", StatedPreprocess())
    assert base.preprocess.source == "assumed"
    assert "mobilenet_v1 0.25 layer by layer" in base.warnings[0]


def test_layers_of_a_model_inside_are_counted_one_by_one() -> None:
    inside = base_network()
    inside = keras.Model(inside.inputs, inside.get_layer("mix").output, name="inside")
    inputs = keras.layers.Input((16, 16, 3))
    outputs = keras.layers.GlobalAveragePooling2D()(inside(inputs))
    model = with_new_head(keras.Model(inputs, outputs), 3, dropout=0.0)
    assert freeze(model, 2) == 3
    learning = {variable.path.split("/")[-2] for variable in model.trainable_variables}
    assert learning == {"conv2", "mix", "predictions"}


def test_a_base_that_takes_no_square_rgb_picture_is_refused(tmp_path: Path) -> None:
    inputs = keras.layers.Input((16, 12, 3))
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    save_keras(model, tmp_path / "base.keras", contract=SourceContract(labels=None, preprocess=SPEC))
    with pytest.raises(UnsupportedModelError, match="square"):
        base_from_file(tmp_path / "base.keras", StatedPreprocess())


def test_networks_without_published_weights_are_told_before_anything_is_read() -> None:
    with pytest.raises(MnError, match="no ImageNet weights of mobilenet_v2_lgc") as caught:
        base_from_zoo("mobilenet_v2_lgc", 224, StatedPreprocess())
    assert caught.value.hints[0] == "one of mobilenet_v1, mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large"
    with pytest.raises(MnError, match='no architecture "mobilenet_v4"'):
        base_from_zoo("mobilenet_v4", 224, StatedPreprocess())


def test_a_lambda_in_the_base_is_stated(shared: Path) -> None:
    source = shared / "keras-eras" / "lambda.h5"
    stated = {"lambdas": {"lambda": "x/127.5-1"}}
    base = base_from_file(source, StatedPreprocess.parse(preprocess="raw"), **stated)
    assert type(base.load().get_layer("lambda")).__name__ == "Rescaling"


def test_a_run_is_resumed_with_the_network_that_it_was_begun_with(tmp_path: Path) -> None:
    source = tmp_path / "base.keras"
    save_keras(base_network(), source, contract=SourceContract(labels=None, preprocess=SPEC))
    base = base_from_file(source, StatedPreprocess())
    sets = (Colours(64, 0), Colours(32, 1))
    begun = {"head_epochs": 1, "whole_epochs": 1, "batch": 32}
    finetune(base, *sets, tmp_path / "run", FinetuneConfig(**begun))
    for change, told in (({"cut": "mix"}, "model.cut None -> mix"), ({"unfrozen": 1}, "model.unfrozen 20 -> 1")):
        with pytest.raises(RecipeError, match=told):
            finetune(base, *sets, tmp_path / "run", FinetuneConfig(**begun, **change), resume=True)
    with pytest.raises(RecipeError, match=r"model\.sha256"):
        finetune(replace(base, sha256="0"), *sets, tmp_path / "run", FinetuneConfig(**begun), resume=True)


class StopAtOnce(Watcher):
    def stepped(self, step: int, steps: int, loss: float, accuracy: float) -> None:
        raise KeyboardInterrupt


def test_a_second_run_does_not_go_on_from_another_head(tmp_path: Path) -> None:
    """Begun again with --force and stopped in the head: what is resumed is not the old second run."""
    source = tmp_path / "base.keras"
    save_keras(base_network(), source, contract=SourceContract(labels=None, preprocess=SPEC))
    base = base_from_file(source, StatedPreprocess())
    sets, run = (Colours(64, 0), Colours(32, 1)), tmp_path / "run"
    config = FinetuneConfig(head_epochs=1, whole_epochs=1, batch=32)
    finetune(base, *sets, run, config)
    with pytest.raises(KeyboardInterrupt):
        finetune(base, *sets, run, config, force=True, watcher=StopAtOnce())
    assert list((run / "2_whole").iterdir()) == []
    result = finetune(base, *sets, run, config, resume=True, force=True)
    assert (run / "2_whole" / "result.json").exists()
    assert len(result.rows) == 1


def test_a_finetune_that_is_there_is_told_before_the_first_epoch(tmp_path: Path) -> None:
    (tmp_path / "2_whole").mkdir()
    (tmp_path / "2_whole" / "model.keras").touch()
    base = Base(name="base", load=base_network, size=16, preprocess=SPEC)
    with pytest.raises(OutputError, match="holds a run already"):
        finetune(base, Colours(64, 0), Colours(32, 1), tmp_path, FinetuneConfig(batch=32))
    assert not (tmp_path / "1_head").exists()


def test_both_runs_go_on_after_a_stop(tmp_path: Path) -> None:
    source = tmp_path / "base.keras"
    save_keras(base_network(), source, contract=SourceContract(labels=None, preprocess=SPEC))

    def load() -> Any:
        return load_keras(source).model

    base = Base(name="base", load=load, size=16, preprocess=SPEC)
    config = FinetuneConfig(head_epochs=2, whole_epochs=2, batch=32)
    sets = (Colours(64, 0), Colours(32, 1))
    whole = finetune(base, *sets, tmp_path / "whole", config)
    cut = finetune(base, *sets, tmp_path / "cut", FinetuneConfig(head_epochs=2, whole_epochs=0, batch=32))
    assert len(cut.rows) == 2
    cut = finetune(base, *sets, tmp_path / "cut", config, resume=True)
    for ours, theirs in zip(cut.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
