"""Pictures become what the model takes; tensors that were made for another preprocessing are noticed."""

import numpy as np
import pytest

from mnconvert.calibration import check_values, load_samples, model_inputs
from mninfer.errors import CalibrationError
from mninfer.preprocessing import PRESETS, Preprocessor, PreprocessSpec, Resize
from mninfer.tensors import TensorSpec

pytestmark = pytest.mark.smoke

INCEPTION = PRESETS["inception"]
RANDOM = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), np.uint8)


def tensor_spec(*shape: int) -> TensorSpec:
    return TensorSpec(name="input", shape=shape, shape_signature=shape, dtype="float32")


def samples(tmp_path, array: np.ndarray):
    np.save(tmp_path / "a.npy", array)
    return load_samples(str(tmp_path / "a.npy"), samples=30)


def normalized(mean: float, std: float) -> np.ndarray:
    return ((RANDOM - mean) / std).astype(np.float32)


def test_pictures_are_preprocessed_as_recorded(tmp_path):
    spec = PreprocessSpec(mean=(127.5,) * 3, std=(127.5,) * 3, resize=Resize.CROP, crop_fraction=0.875)
    found = list(model_inputs(samples(tmp_path, RANDOM), spec, tensor_spec(4, 8, 8, 3)))
    assert [tensor.shape for tensor in found] == [(1, 8, 8, 3)] * 30
    assert np.array_equal(found[5], Preprocessor(spec, tensor_spec(1, 8, 8, 3))(RANDOM[5]))
    assert check_values(samples(tmp_path, RANDOM), spec) == ()


def test_tensors_pass_as_they_are(tmp_path):
    tensors = normalized(127.5, 127.5)
    given = samples(tmp_path, tensors)
    found = list(model_inputs(given, INCEPTION, tensor_spec(1, 16, 16, 3)))
    assert np.array_equal(np.concatenate(found), tensors)
    assert check_values(given, INCEPTION) == ()


def test_tensors_of_another_size_are_refused(tmp_path):
    given = samples(tmp_path, normalized(127.5, 127.5))
    with pytest.raises(CalibrationError, match=r"tensors of \[16, 16, 3\]: the model's input takes \[32, 32, 3\]"):
        list(model_inputs(given, INCEPTION, tensor_spec(1, 32, 32, 3)))


@pytest.mark.parametrize(
    ("mean", "std", "recorded", "told"),
    [
        (0, 1, "inception", "go from 0 to 255, the recorded preprocessing from -1 to 1: they look like raw"),
        (0, 255, "inception", "they look like mean=0,std=255"),
        (127.5, 127.5, "raw", "they look like inception"),
        (127.5, 127.5, "torch", "they look like inception"),
        (0, 1, "caffe", "they look like raw"),
        (127.5, 40, "inception", "go from -3.188 to 3.188, the recorded preprocessing from -1 to 1: no picture"),
    ],
)
def test_another_normalization_is_an_error(tmp_path, mean, std, recorded, told):
    with pytest.raises(CalibrationError) as caught:
        check_values(samples(tmp_path, normalized(mean, std)), PRESETS[recorded])
    assert told in caught.value.what
    assert caught.value.where == str(tmp_path / "a.npy")


def test_little_of_the_range_may_be_meant(tmp_path):
    told = check_values(samples(tmp_path, normalized(127.5, 127.5) * np.float32(0.5)), INCEPTION)
    assert told == (
        "the tensors go from -0.5 to 0.5, the recorded preprocessing from -1 to 1: pictures mostly use all of it",
    )


def test_values_that_are_no_numbers(tmp_path):
    tensors = normalized(127.5, 127.5)
    tensors[4, 2, 2, 1] = np.nan
    with pytest.raises(CalibrationError, match="array 4 holds values that are not finite"):
        check_values(samples(tmp_path, tensors), INCEPTION)
