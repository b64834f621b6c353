from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mninfer.errors import MnError
from mnmodels.architectures.condensing import (
    condense_factor_of,
    condense_model,
    condensing_schedule,
    learned_group_convs,
)
from mnmodels.architectures.layers import OWN_LAYERS, ChannelGather, LearnedGroupConv2D
from mnmodels.keras_file import save_keras
from support.foreign_warnings import KERAS_READS_VARIABLES

pytestmark = KERAS_READS_VARIABLES

CHANNELS, FILTERS = 8, 12


def conv_of(**options: Any) -> LearnedGroupConv2D:
    keras.utils.set_random_seed(3)
    conv = LearnedGroupConv2D(FILTERS, **{"groups": 4, "condense_factor": 4, **options})
    conv.build((None, 4, 4, CHANNELS))
    return conv


def values(weight: Any) -> np.ndarray:
    return np.array(weight.numpy())


def test_it_starts_as_a_dense_convolution() -> None:
    conv = conv_of()
    inputs = np.random.default_rng(0).normal(size=(2, 4, 4, CHANNELS)).astype("float32")
    np.testing.assert_allclose(values(conv(inputs)), inputs @ values(conv.kernel)[0, 0], rtol=1e-4, atol=1e-5)
    assert not conv.is_condensed()


@pytest.mark.parametrize(("stage", "kept"), [(0, 8), (1, 6), (2, 4), (3, 2)])
def test_a_stage_leaves_each_group_its_strongest_inputs(stage: int, kept: int) -> None:
    conv = conv_of()
    norms = np.abs(values(conv.kernel)).reshape(CHANNELS, 4, -1).sum(axis=2)
    conv.condense(stage)
    for group, inputs in enumerate(conv.kept_inputs()):
        strongest = np.argsort(-norms[:, group])[:kept]
        assert inputs == tuple(sorted(strongest.tolist()))
    assert conv.is_condensed() == (stage == 3)


def test_what_is_pruned_counts_no_more() -> None:
    conv = conv_of()
    conv.condense(3)
    kernel = values(conv.kernel)
    assert np.count_nonzero(kernel) == 2 * FILTERS
    conv.kernel.assign(kernel + 1)  # an optimizer's momentum goes on
    inputs = np.random.default_rng(0).normal(size=(1, 1, 1, CHANNELS)).astype("float32")
    masked = (kernel + 1)[0, 0] * np.repeat(values(conv.mask), FILTERS // 4, axis=1)
    np.testing.assert_allclose(values(conv(inputs))[0, 0], inputs[0, 0] @ masked, rtol=1e-4, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 2**16))
def test_inputs_are_never_given_back(stages: list[int], seed: int) -> None:
    conv = conv_of()
    random, gone, kept = np.random.default_rng(seed), np.zeros((CHANNELS, 4), bool), CHANNELS
    for stage in stages:
        conv.kernel.assign(random.normal(size=(1, 1, CHANNELS, FILTERS)))
        conv.condense(stage)
        mask, kept = values(conv.mask), min(kept, conv.num_kept(stage))
        assert not mask[gone].any()
        assert (mask.sum(axis=0) == kept).all()
        gone = mask == 0


def test_condensing_twice_is_condensing_once() -> None:
    conv = conv_of()
    conv.condense(2)
    before = [values(weight) for weight in conv.weights]
    conv.condense(2)
    conv.condense(1)
    for one, other in zip(before, conv.weights, strict=True):
        np.testing.assert_array_equal(one, values(other))


def test_the_lasso_is_a_loss_while_training_until_all_is_condensed() -> None:
    conv = conv_of(lasso=0.5)
    inputs = np.zeros((1, 4, 4, CHANNELS), "float32")
    conv(inputs)
    assert conv.losses == []
    conv(inputs, training=True)
    lengths = np.sqrt(np.square(values(conv.kernel)).reshape(CHANNELS, 4, -1).sum(axis=2))
    assert float(conv.losses[0]) == pytest.approx(0.5 * lengths.sum(), rel=1e-4)
    conv.condense(2)
    assert float(conv.lasso_loss()) > 0
    conv.condense(3)
    assert float(conv.lasso_loss()) == 0


def test_training_a_pruned_layer_is_finite_and_leaves_what_is_pruned() -> None:
    conv = conv_of(lasso=0.01)
    conv.condense(1)
    model = keras.Sequential([keras.Input((4, 4, CHANNELS)), conv, keras.layers.GlobalAveragePooling2D()])
    model.compile("sgd", "mse", jit_compile=False)
    random = np.random.default_rng(0)
    mask = values(conv.mask)
    for _ in range(3):
        loss = model.train_on_batch(random.normal(size=(8, 4, 4, CHANNELS)), random.normal(size=(8, FILTERS)))
        assert np.isfinite(loss)
    assert np.isfinite(values(conv.kernel)).all()
    np.testing.assert_array_equal(values(conv.mask), mask)
    pruned = np.repeat(mask == 0, FILTERS // 4, axis=1)
    assert not values(conv.kernel)[0, 0][pruned].any()


def test_it_is_saved_with_its_mask(tmp_path: Path) -> None:
    conv = conv_of(name="lgc")
    conv.condense(2)
    inputs = np.random.default_rng(0).normal(size=(2, 4, 4, CHANNELS)).astype("float32")
    model = keras.Sequential([keras.Input((4, 4, CHANNELS)), conv])
    for name in ("model.keras", "model.h5"):
        save_keras(model, tmp_path / name)
        loaded = keras.saving.load_model(tmp_path / name, compile=False)
        np.testing.assert_array_equal(values(loaded(inputs)), values(model(inputs)))
        assert loaded.get_layer("lgc").kept_inputs() == conv.kept_inputs()
        assert loaded.get_layer("lgc").get_config() == conv.get_config()


@pytest.mark.parametrize(
    ("options", "channels", "said"),
    [
        ({"groups": 5}, 8, 'groups "5" doesn\'t divide the 12 channels of layer "lgc"'),
        ({"condense_factor": 3}, 8, 'condense_factor "3" doesn\'t divide the 8 channels of layer "lgc"'),
        ({"groups": 0}, 8, "in 0 groups"),
        ({"lasso": -1}, 8, "lasso of -1"),
    ],
)
def test_what_cannot_be_is_told(options: dict[str, Any], channels: int, said: str) -> None:
    with pytest.raises(MnError) as error:
        LearnedGroupConv2D(FILTERS, name="lgc", **options).build((None, 4, 4, channels))
    assert said in str(error.value)


@pytest.mark.parametrize("stage", [-1, 4])
def test_a_stage_that_is_none_is_told(stage: int) -> None:
    with pytest.raises(MnError, match=f'no condensing stage "{stage}"'):
        conv_of().condense(stage)


@pytest.mark.parametrize(
    ("epochs", "factor", "schedule"),
    [
        (30, 4, {5: 1, 10: 2, 15: 3}),
        (300, 8, {21: 1, 42: 2, 64: 3, 85: 4, 107: 5, 128: 6, 150: 7}),
        (10, 2, {5: 1}),
        (10, 1, {}),
        (3, 4, {0: 1, 1: 3}),
        (1, 4, {0: 3}),
    ],
)
def test_the_schedule_ends_with_the_first_half(epochs: int, factor: int, schedule: dict[int, int]) -> None:
    assert condensing_schedule(epochs, factor) == schedule


@given(st.integers(1, 1000), st.integers(2, 16))
def test_the_schedule_always_ends_fully_condensed_with_epochs_left(epochs: int, factor: int) -> None:
    schedule = condensing_schedule(epochs, factor)
    assert max(schedule.values()) == schedule[max(schedule)] == factor - 1
    assert max(schedule) < epochs
    assert sorted(schedule) == list(schedule)


@pytest.mark.parametrize(("epochs", "factor"), [(0, 4), (10, 0), (-3, 4)])
def test_no_schedule_for_nothing(epochs: int, factor: int) -> None:
    with pytest.raises(MnError, match="no condensing over"):
        condensing_schedule(epochs, factor)


def test_a_model_is_condensed_with_models_inside_it_each_to_its_last_stage() -> None:
    inputs = keras.Input((4, 4, CHANNELS))
    inner = keras.Sequential([keras.Input((4, 4, FILTERS)), LearnedGroupConv2D(8, groups=2, condense_factor=2)])
    model = keras.Model(inputs, inner(LearnedGroupConv2D(FILTERS)(inputs)))
    assert condense_factor_of(model) == 4
    assert condense_model(model, 3) == 2
    assert [conv.is_condensed() for conv in learned_group_convs(model)] == [True, True]


def test_a_model_without_learned_groups_is_left_alone() -> None:
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)])
    assert condense_model(model, 1) == 0
    assert condense_factor_of(model) == 1
    assert condensing_schedule(30, condense_factor_of(model)) == {}


def test_channels_are_gathered_and_saved(tmp_path: Path) -> None:
    inputs = np.arange(24, dtype="float32").reshape(1, 2, 3, 4)
    model = keras.Sequential([keras.Input((2, 3, 4)), ChannelGather([3, 0, 0], name="gather")])
    np.testing.assert_array_equal(values(model(inputs)), inputs[..., [3, 0, 0]])
    save_keras(model, tmp_path / "gather.keras")
    loaded = keras.saving.load_model(tmp_path / "gather.keras", compile=False)
    np.testing.assert_array_equal(values(loaded(inputs)), inputs[..., [3, 0, 0]])


def test_channels_that_are_not_there_are_told() -> None:
    with pytest.raises(MnError, match="gathers channel 4 of 4"):
        ChannelGather([0, 4]).build((None, 2, 2, 4))
    for indices in ([], [0, -1]):
        with pytest.raises(MnError, match="no channel, or one below 0"):
            ChannelGather(indices)


def test_our_layers_are_found_by_the_name_that_a_file_has() -> None:
    assert set(OWN_LAYERS) == {"mnmodels>ChannelGather", "mnmodels>LearnedGroupConv2D"}
    for name, layer in OWN_LAYERS.items():
        assert keras.saving.get_registered_object(name) is layer
