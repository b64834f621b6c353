import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mninfer.errors import OutputError
from mninfer.model_file import SourceContract
from mninfer.preprocessing import PreprocessSpec
from mnmodels.keras_file import load_keras, read_source_contract, save_keras

CONTRACT = SourceContract(labels=("a", "b"), preprocess=PreprocessSpec(mean=(1.0, 2.0, 3.0), std=(4.0, 4.0, 4.0)))


def small_model():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(2, 3, name="conv")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Softmax()(x), name="small")


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_what_is_saved_is_loaded(tmp_path, name):
    model, picture = small_model(), np.ones((1, 8, 8, 3), "float32")
    save_keras(model, tmp_path / name, contract=CONTRACT)
    found = load_keras(tmp_path / name)
    assert found.contract == CONTRACT == read_source_contract(tmp_path / name)
    assert (found.changes, found.model.name) == ((), "small")
    np.testing.assert_array_equal(np.asarray(found.model(picture)), np.asarray(model(picture)))
    np.testing.assert_array_equal(
        np.asarray(keras.models.load_model(tmp_path / name, compile=False)(picture)), np.asarray(model(picture))
    )


def test_nothing_is_replaced_unasked(tmp_path):
    model, path = small_model(), tmp_path / "model.keras"
    save_keras(model, path)
    with pytest.raises(OutputError, match="exists already"):
        save_keras(model, path)
    save_keras(model, path, force=True)
    assert [each.name for each in tmp_path.iterdir()] == ["model.keras"]


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(OutputError, match='no Keras file is named "model'):
        save_keras(small_model(), tmp_path / "model.tflite")
