"""What is stated of a preprocessing, laid over what the file says."""

from dataclasses import replace

import pytest

from mninfer.errors import PreprocessError
from mninfer.preprocessing import PRESETS, Interpolation, PreprocessSource, PreprocessSpec, Resize, StatedPreprocess

pytestmark = pytest.mark.smoke

OF_FILE = replace(
    PRESETS["caffe"],
    resize=Resize.CROP,
    crop_fraction=0.9,
    interpolation=Interpolation.BILINEAR,
    source=PreprocessSource.FILE,
)


def test_a_preset_states_mean_std_and_order_alone() -> None:
    whole = StatedPreprocess.parse(preprocess="torch").over(OF_FILE)
    assert (whole.mean, whole.order) == (PRESETS["torch"].mean, "rgb")
    assert (whole.resize, whole.crop_fraction, whole.interpolation) == (Resize.CROP, 0.9, Interpolation.BILINEAR)
    assert whole.source is PreprocessSource.STATED


def test_a_spec_states_all_of_it_but_what_is_stated_beside_it() -> None:
    stated = PreprocessSpec(mean=(1, 2, 3), std=(4, 5, 6))
    assert StatedPreprocess.parse(preprocess=stated).over(OF_FILE) == stated
    cropped = StatedPreprocess.parse(preprocess=stated, resize="crop:0.5").over(OF_FILE)
    assert cropped == replace(stated, resize=Resize.CROP, crop_fraction=0.5)


def test_the_resizing_alone_needs_a_file_that_says_the_rest() -> None:
    stated = StatedPreprocess.parse(resize="letterbox")
    assert stated.over(OF_FILE).crop_fraction == 1
    with pytest.raises(PreprocessError, match="the resizing alone is not enough"):
        stated.over(None)


def test_nothing_stated_is_empty() -> None:
    assert StatedPreprocess.parse().is_empty
    assert not StatedPreprocess.parse(interpolation="area").is_empty


@pytest.mark.parametrize("texts", [{"preprocess": "inceptoin"}, {"resize": "crop:2"}, {"interpolation": "cubic"}])
def test_a_wrong_text_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(PreprocessError):
        StatedPreprocess.parse(**texts)
