"""A job's network: its weights, precision, BatchNorm and loss."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mnbench.cell import BatchNorm, Variant
from mnbench.job import Job
from mnbench.workloads.keras.network import give_seeded_weights, labels_for, open_network
from mninfer.errors import InputError, KerasFileError, UnsupportedModelError
from mnmodels.architectures.batch_norm import Norm, norm_of
from mnmodels.keras_file import save_keras
from support.keras_passes import SMALL_NETWORK, job_for


def small(**cell: Any) -> Job:
    return job_for("keras-tensorflow", **cell)


def saved(tmp_path: Path, model: Any) -> Job:
    path = tmp_path / "model.keras"
    save_keras(model, path)
    return replace(small(), file=path, network={})


def scorer(*tail: Any, shape: tuple[int | None, ...] = (8, 8, 3)) -> Any:
    """Pictures to what the layers make of them."""
    x = inputs = keras.Input(shape)
    for layer in tail:
        x = layer(x)
    return keras.Model(inputs, x)


def test_seeded_weights_are_the_same_each_time_and_others_for_another_seed() -> None:
    once, again = open_network(small()).model, open_network(small()).model
    other = open_network(replace(small(), network=SMALL_NETWORK | {"seed": 4})).model
    pairs = list(zip(once.get_weights(), again.get_weights(), other.get_weights(), strict=True))
    assert all(np.array_equal(one, two) for one, two, _ in pairs)
    assert not any(np.array_equal(one, three) for one, _, three in pairs)


def test_seeded_weights_keep_variances_positive_and_signals_in_range() -> None:
    model = open_network(small()).model
    assert min(weight.numpy().min() for weight in model.weights if weight.name == "moving_variance") >= 0.5
    scores = np.asarray(model(np.full((1, 32, 32, 3), 0.3, np.float32)))
    assert np.isfinite(scores).all()
    assert scores.max() < 0.9


def test_a_file_s_own_weights_are_taken(tmp_path: Path) -> None:
    model = scorer(keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D())
    give_seeded_weights(model, 9)
    loaded = open_network(saved(tmp_path, model))
    assert all(map(np.array_equal, loaded.model.get_weights(), model.get_weights()))
    assert (loaded.num_classes, loaded.input_shape) == (4, (8, 8, 3))


def test_the_process_s_dropout_is_seeded() -> None:
    network = SMALL_NETWORK | {"options": SMALL_NETWORK["options"] | {"dropout": 0.5}}  # type: ignore[operator]
    picture = np.full((1, 32, 32, 3), 0.3, np.float32)
    once, again = (
        np.asarray(open_network(replace(small(), network=network)).model(picture, training=True)) for _ in range(2)
    )
    assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("asked", "norm"), [(None, Norm.COMPOSED), (BatchNorm.COMPOSED, Norm.COMPOSED), (BatchNorm.FUSED, Norm.FUSED)]
)
def test_batch_norm_is_what_the_cell_asks_for(asked: BatchNorm | None, norm: Norm) -> None:
    network = open_network(small(batch_norm=asked))
    layers = [layer for layer in network.model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {norm_of(layer) for layer in layers} == {norm}
    assert network.batch_norm == norm


@pytest.mark.parametrize(
    ("variant", "computed"), [(Variant.FLOAT32, "float32"), (Variant.BF16, "bfloat16"), (Variant.FP16, "float16")]
)
def test_a_precision_leaves_weights_and_scores_in_float32(variant: Variant, computed: str) -> None:
    network = open_network(small(variant=variant))
    *inner, last = network.model.layers
    assert {layer.compute_dtype for layer in inner} == {computed}
    assert last.compute_dtype == "float32"
    assert {weight.dtype for weight in network.model.weights} == {"float32"}
    scores = network.model(np.zeros((1, 32, 32, 3), np.float32))
    assert keras.backend.standardize_dtype(scores.dtype) == "float32"


@pytest.mark.parametrize("is_of_logits", [True, False])
def test_the_loss_is_the_cross_entropy_of_scores_or_logits(tmp_path: Path, is_of_logits: bool) -> None:
    tail = () if is_of_logits else (keras.layers.Softmax(),)
    model = scorer(keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D(), *tail)
    network = open_network(saved(tmp_path, model))
    assert network.is_of_logits is is_of_logits
    outputs = np.asarray([[0.1, 0.2, 0.6, 0.1], [0.7, 0.1, 0.1, 0.1]], np.float32)
    shares = np.exp(outputs) if is_of_logits else outputs
    expected = -np.log(shares[[0, 1], [2, 3]] / shares.sum(axis=1)).mean()
    assert float(network.loss(np.asarray([2, 3]), outputs)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_of_float16_is_scaled() -> None:
    wide, narrow = open_network(small()), open_network(small(variant=Variant.FP16))
    outputs = np.full((1, 10), 0.1, np.float32)
    ratio = float(narrow.loss(np.asarray([1]), outputs)) / float(wide.loss(np.asarray([1]), outputs))
    assert ratio == narrow.precision.loss_scale == 1024


@pytest.mark.parametrize(
    "model",
    [
        lambda: scorer(keras.layers.Conv2D(4, 3)),
        lambda: scorer(keras.layers.GlobalAveragePooling2D(), shape=(None, None, 3)),
        lambda: scorer(keras.layers.Dense(3), shape=(5,)),
    ],
    ids=["a map of features", "any size", "no picture"],
)
def test_a_model_that_does_not_score_pictures_is_refused(tmp_path: Path, model: Any) -> None:
    with pytest.raises(UnsupportedModelError, match="not from one picture of a fixed size to scores"):
        open_network(saved(tmp_path, model()))


def test_nothing_to_load_and_nothing_to_build_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names neither a Keras file nor an architecture"):
        open_network(replace(small(), network={}))
    (tmp_path / "model.keras").write_bytes(b"nonsense")
    with pytest.raises(KerasFileError):
        open_network(replace(small(), file=tmp_path / "model.keras"))


def test_labels_are_classes_and_not_all_the_same() -> None:
    labels = labels_for(64, 10)
    assert labels.dtype == np.int32
    assert set(labels.tolist()) == set(range(10))
