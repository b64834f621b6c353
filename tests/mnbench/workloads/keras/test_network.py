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
from mnbench.workloads.keras.network import labels_for, open_network
from mninfer.errors import InputError, KerasFileError, UnsupportedModelError
from mnmodels.architectures.batch_norm import Norm, norm_of
from mnmodels.keras_file import save_keras
from support.keras_passes import SMALL_OPTIONS, job_for, saved_network


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_network(tmp_path_factory.mktemp("small") / "small.keras")


def job_of(file: Path, **cell: Any) -> Job:
    return replace(job_for("keras-tensorflow", **cell), file=file)


def saved(tmp_path: Path, model: Any) -> Job:
    save_keras(model, tmp_path / "model.keras")
    return job_of(tmp_path / "model.keras")


def scorer(*tail: Any, shape: tuple[int | None, ...] = (8, 8, 3)) -> Any:
    """Pictures to what the layers make of them."""
    x = inputs = keras.Input(shape)
    for layer in tail:
        x = layer(x)
    return keras.Model(inputs, x)


def test_a_file_s_own_weights_are_taken(tmp_path: Path) -> None:
    model = scorer(keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D())
    loaded = open_network(saved(tmp_path, model))
    assert all(map(np.array_equal, loaded.model.get_weights(), model.get_weights()))
    assert (loaded.num_classes, loaded.input_shape) == (4, (8, 8, 3))


def test_the_process_s_dropout_is_seeded(tmp_path: Path) -> None:
    job = job_of(saved_network(tmp_path / "dropping.keras", {**SMALL_OPTIONS, "dropout": 0.5}))
    picture = np.full((1, 32, 32, 3), 0.3, np.float32)
    once, again = (np.asarray(open_network(job).model(picture, training=True)) for _ in range(2))
    assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("asked", "norm"), [(None, Norm.COMPOSED), (BatchNorm.COMPOSED, Norm.COMPOSED), (BatchNorm.FUSED, Norm.FUSED)]
)
def test_batch_norm_is_what_the_cell_asks_for(file: Path, asked: BatchNorm | None, norm: Norm) -> None:
    network = open_network(job_of(file, batch_norm=asked))
    layers = [layer for layer in network.model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {norm_of(layer) for layer in layers} == {norm}
    assert network.batch_norm == norm


@pytest.mark.parametrize(
    ("variant", "computed"), [(Variant.FLOAT32, "float32"), (Variant.BF16, "bfloat16"), (Variant.FP16, "float16")]
)
def test_a_precision_leaves_weights_and_scores_in_float32(file: Path, variant: Variant, computed: str) -> None:
    network = open_network(job_of(file, variant=variant))
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


def test_the_loss_of_float16_is_scaled(file: Path) -> None:
    wide, narrow = open_network(job_of(file)), open_network(job_of(file, variant=Variant.FP16))
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


def test_nothing_to_load_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names no Keras file"):
        open_network(job_for("keras-tensorflow"))
    (tmp_path / "model.keras").write_bytes(b"nonsense")
    with pytest.raises(KerasFileError):
        open_network(job_of(tmp_path / "model.keras"))


def test_labels_are_classes_and_not_all_the_same() -> None:
    labels = labels_for(64, 10)
    assert labels.dtype == np.int32
    assert set(labels.tolist()) == set(range(10))
