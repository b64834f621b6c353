import numpy as np
import pytest

pytest.importorskip("keras", reason="needs Keras: make test")

import keras

from mnmodels.keras_file import FileKind, load_keras


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a SavedModel runs on TensorFlow alone")
def test_a_trusted_one_predicts(shared):
    found = load_keras(shared / "keras-eras" / "seq_compiled_saved", trust=True)
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 28, 28, 1)).astype("float32")
    assert np.abs(np.asarray(found.model(picture)) - np.load(shared / "keras-eras" / "seq_compiled.npy")).max() < 1e-5
    assert found.kind is FileKind.SAVED_MODEL
    assert "has no layers to count" in found.changes[0]
