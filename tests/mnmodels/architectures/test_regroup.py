from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mninfer.errors import MnError, VerifyError
from mninfer.model_file import SourceContract
from mnmodels.architectures import regroup as regrouping
from mnmodels.architectures.block_diagonal import use_block_diagonal
from mnmodels.architectures.condensing import condense_model
from mnmodels.architectures.layers import ChannelGather, LearnedGroupConv2D
from mnmodels.architectures.regroup import regroup
from mnmodels.keras_file import load_keras, save_keras
from support.foreign_warnings import KERAS_READS_VARIABLES
from support.randomized import randomize_batch_norm

pytestmark = KERAS_READS_VARIABLES


def small_net(*, condensed: bool = True, nested: bool = False) -> Any:
    """Two learned group convolutions between what surrounds them in V2."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", name="stem")(inputs)
    x = keras.layers.BatchNormalization(name="stem_bn")(x)
    x = LearnedGroupConv2D(24, groups=4, condense_factor=4, name="expand")(x)
    x = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(name="expand_bn")(x))
    if nested:
        inner = keras.Input((8, 8, 24))
        part = keras.Model(inner, LearnedGroupConv2D(8, groups=2, condense_factor=4, name="project")(inner))
        x = part(x)
    else:
        x = LearnedGroupConv2D(8, groups=2, condense_factor=4, name="project")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(5, activation="softmax", name="top")(x), name="small")
    randomize_batch_norm(model)
    if condensed:
        condense_model(model, 3)
    return model


def outputs_of(model: Any) -> np.ndarray:
    pictures = np.random.default_rng(7).uniform(-1, 1, (4, 8, 8, 3)).astype("float32")
    return np.array(model(pictures, training=False).numpy())


def test_a_net_of_an_open_size_is_regrouped_too() -> None:
    model = small_net()
    opened = keras.models.clone_model(model, input_tensors=keras.Input((None, None, 3)))
    opened.set_weights(model.get_weights())
    regrouped = regroup(opened)
    assert regrouped.model.input_shape == (None, None, None, 3)
    assert regrouped.max_difference < 1e-5


@pytest.mark.parametrize("nested", [False, True])
def test_learned_groups_become_standard_ones_with_the_same_outputs(nested: bool) -> None:
    model = small_net(nested=nested)
    regrouped = regroup(model)
    assert regrouped.num_layers == 2
    assert regrouped.max_difference < 1e-5
    np.testing.assert_allclose(outputs_of(regrouped.model), outputs_of(model), atol=1e-5)
    assert np.ptp(outputs_of(model), axis=0).max() > 1e-3  # else anything would be equal
    saved = 3 * (8 * 24 + 24 * 8) // 4
    assert regrouped.num_parameters_before - regrouped.num_parameters_after == saved
    layers = list(regrouped.model._flatten_layers())
    assert not any(isinstance(layer, LearnedGroupConv2D) for layer in layers)
    assert sum(isinstance(layer, ChannelGather) for layer in layers) == 2
    assert {layer.groups for layer in layers if layer.name in {"expand", "project"}} == {2, 4}


def test_the_old_net_is_left_as_it_was() -> None:
    model = small_net()
    before = outputs_of(model)
    regroup(model)
    np.testing.assert_array_equal(outputs_of(model), before)


def test_a_net_that_is_not_fully_condensed_is_refused() -> None:
    model = small_net(condensed=False)
    condense_model(model, 2)
    with pytest.raises(MnError, match="2 of 2 learned group convolutions are not fully condensed: expand, project"):
        regroup(model)


def test_a_net_without_learned_groups_is_refused() -> None:
    with pytest.raises(MnError, match="has no learned group convolution"):
        regroup(regroup(small_net()).model)


def test_other_outputs_are_a_failed_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regrouping, "_group_kernel", lambda layer: layer.kernel.numpy()[:, :, : layer.num_kept(3)])
    with pytest.raises(VerifyError, match="outputs differ by") as error:
        regroup(small_net())
    assert error.value.report.max_difference > 1e-4  # type: ignore[attr-defined]


def test_block_diagonal_computes_the_same_and_is_not_saved() -> None:
    model = regroup(small_net()).model
    before, config = outputs_of(model), model.get_config()
    assert use_block_diagonal(model) == 2
    np.testing.assert_allclose(outputs_of(model), before, atol=1e-5)
    assert model.get_config() == config


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_the_command_writes_a_net_that_loads_with_what_travels_inside(cli: Any, tmp_path: Path, suffix: str) -> None:
    contract = SourceContract(labels=tuple("abcde"), preprocess=None)
    source, target = tmp_path / f"lgc.{suffix}", tmp_path / f"out.{suffix}"
    save_keras(small_net(), source, contract=contract)
    outcome = cli("regroup", source, "-o", target)
    assert (outcome.code, "2 learned group convolutions made standard" in outcome.out) == (0, True), outcome.err
    loaded = load_keras(target)
    assert loaded.contract == contract
    np.testing.assert_allclose(outputs_of(loaded.model), outputs_of(small_net()), atol=1e-5)


def test_the_command_does_not_write_over_a_file(cli: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "lgc.keras", tmp_path / "out.keras"
    save_keras(small_net(), source)
    target.write_bytes(b"mine")
    assert cli("regroup", source, "-o", target).code == 1
    assert target.read_bytes() == b"mine"
    outcome = cli("regroup", source, "-o", target, "--force", "--json")
    assert (outcome.code, '"num_layers": 2' in outcome.out) == (0, True)


def test_the_command_says_which_file_is_not_condensed(cli: Any, tmp_path: Path) -> None:
    source = tmp_path / "open.keras"
    save_keras(small_net(condensed=False), source)
    outcome = cli("regroup", source, "-o", tmp_path / "out.keras")
    assert outcome.code == 1
    assert "2 of 2 learned group convolutions are not fully condensed" in outcome.err
    assert str(source) in outcome.err
    assert not (tmp_path / "out.keras").exists()


def test_the_command_exits_with_3_and_writes_nothing_where_outputs_differ(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "lgc.keras"
    save_keras(small_net(), source)
    monkeypatch.setattr(regrouping, "_group_kernel", lambda layer: layer.kernel.numpy()[:, :, : layer.num_kept(3)])
    outcome = cli("regroup", source, "-o", tmp_path / "out.keras")
    assert outcome.code == 3
    assert "outputs differ by" in outcome.err
    assert not (tmp_path / "out.keras").exists()
