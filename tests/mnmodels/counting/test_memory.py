"""The peak of activation memory against plans by hand, and against the flatbuffer that TensorFlow makes of a net."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")
# ruff: noqa: E402 - what imports Keras comes after

from mnmodels.counting.summarize import summarize
from mnmodels.counting.summary import PeakMemory

layers = keras.layers


def conv(filters: int, name: str, **options: Any) -> Any:
    return layers.Conv2D(filters, 1, name=name, **options)


def peak(inputs: Any, outputs: Any) -> PeakMemory:
    return summarize(keras.Model(inputs, outputs)).peak


def test_a_chain_holds_the_input_and_two_neighbours() -> None:
    inputs = keras.Input((10, 10, 1))
    outputs = conv(1, "d")(conv(8, "c")(conv(4, "b")(inputs)))
    assert peak(inputs, outputs) == PeakMemory(400 * (1 + 4 + 8), "c")


def test_what_works_value_by_value_overwrites_and_what_reshapes_is_free() -> None:
    inputs = keras.Input((10, 10, 1))
    x = layers.Dropout(0.5)(layers.ReLU()(layers.BatchNormalization()(conv(8, "c")(inputs))))
    assert peak(inputs, layers.Flatten()(x)) == PeakMemory(400 * (1 + 8), "c")


def test_a_tensor_that_is_read_again_is_not_overwritten() -> None:
    inputs = keras.Input((10, 10, 1))
    x = conv(8, "c")(inputs)
    assert peak(inputs, layers.Add(name="sum")([x, layers.ReLU()(x)])) == PeakMemory(400 * (1 + 8 + 8 + 8), "sum")


def test_a_view_keeps_its_tensor_from_being_overwritten() -> None:
    inputs = keras.Input((10, 10, 1))
    x = conv(8, "c")(inputs)
    view = layers.Reshape((10, 10, 8))(x)
    assert peak(inputs, layers.Add(name="sum")([view, layers.ReLU()(x)])).size_bytes == 400 * (1 + 8 + 8 + 8)


def test_a_skip_connection_lives_until_it_is_added() -> None:
    inputs = keras.Input((10, 10, 1))
    start = conv(2, "start")(inputs)
    wide = conv(12, "wide")(start)
    outputs = layers.Add(name="sum")([start, conv(2, "narrow")(wide)])
    assert peak(inputs, outputs) == PeakMemory(400 * (1 + 2 + 12 + 2), "narrow")


def test_padding_belongs_to_the_convolution_that_reads_it_and_to_nothing_else() -> None:
    inputs = keras.Input((10, 10, 1))
    padded = layers.ZeroPadding2D(1, name="pad")(conv(8, "c")(inputs))
    assert peak(inputs, layers.Conv2D(1, 3, name="d")(padded)) == PeakMemory(400 * (1 + 8 + 1), "d")
    assert peak(inputs, padded) == PeakMemory(400 * (1 + 8) + 4 * 144 * 8, "pad")


@pytest.mark.slow
@pytest.mark.parametrize("family", ["MobileNet", "MobileNetV2"])
def test_multiply_adds_parameters_and_peak_are_those_of_the_converted_net(family: str, tmp_path: Path) -> None:
    """The converter folds normalization into biases: one value for each filter in place of two trainable ones."""
    tensorflow = pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the converter takes models of Keras on TensorFlow")
    from mninfer.model_file import check_model

    alpha = 0.35 if family == "MobileNetV2" else 0.25
    model = getattr(keras.applications, family)(input_shape=(32, 32, 3), alpha=alpha, weights=None, classes=10)
    random = np.random.default_rng(0)
    for weight in model.trainable_weights:  # biases that are all 0 would be merged by the converter
        weight.assign(random.uniform(-1, 1, weight.shape))
    one_picture = keras.InputSpec(shape=(1, 32, 32, 3), dtype="float32")
    model.export(str(tmp_path), format="tf_saved_model", verbose=False, input_signature=[one_picture])
    converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(tmp_path))
    flatbuffer = summarize(check_model(converter.convert()))
    ours = summarize(model)
    folded = sum(row.output_shape[-1] for row in ours.layers if row.kind == "BatchNormalization")
    assert ours.macs == flatbuffer.macs
    assert ours.peak.size_bytes == flatbuffer.peak.size_bytes
    assert ours.trainable is not None
    assert ours.trainable - folded == flatbuffer.parameters
