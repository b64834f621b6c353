from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mninfer.errors import KerasFileError, OutputError
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


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_disk_without_room_is_told_before_hdf5_ends_the_process(tmp_path, monkeypatch, name):
    monkeypatch.setattr("mnmodels.keras_file.save.shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    with pytest.raises(
        OutputError, match=r"no room for the model: it takes up to 4,194,584 bytes, and 1,048,576"
    ) as caught:
        save_keras(small_model(), tmp_path / name)
    assert "TMPDIR" in caught.value.hints[0]
    assert not list(tmp_path.iterdir())


def test_a_disk_that_gets_full_meanwhile_is_told_too(tmp_path):
    class Full:
        variables = ()

        def save(self, path):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="the model cannot be written: No space left on device"):
        save_keras(Full(), tmp_path / "model.keras")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full here")
def test_a_sound_file_is_not_called_damaged_where_there_is_no_room_to_read_it(tmp_path, monkeypatch):
    save_keras(small_model(), tmp_path / "model.h5")
    full = partial(open, "/dev/full", "r+b", buffering=0)
    monkeypatch.setattr("mnmodels.keras_file.hdf5.tempfile.TemporaryFile", full)
    with pytest.raises(KerasFileError, match="needs a temporary file to be read: no space is left") as caught:
        load_keras(tmp_path / "model.h5")
    assert "TMPDIR" in caught.value.hints[0]
