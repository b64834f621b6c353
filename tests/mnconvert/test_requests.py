"""What may be asked of convert and convert_all: texts where they are meant, and nothing that would be passed over."""

from typing import Any

import pytest

from mnconvert.config import ConvertConfig
from mnconvert.pipeline import _Clock, convert, convert_all
from mninfer.errors import PreprocessError, RecipeError
from mninfer.preprocessing import PRESETS, StatedPreprocess

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize("given", ["torch", PRESETS["torch"]], ids=["text", "spec"])
def test_preprocessing_may_be_a_text_or_a_spec(given: Any) -> None:
    stated = ConvertConfig(preprocess=given).preprocess
    assert isinstance(stated, StatedPreprocess)
    assert stated == StatedPreprocess.parse(preprocess=given)
    with pytest.raises(PreprocessError):
        ConvertConfig(preprocess="inceptoin")  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"labels": "labels.txt"}, {"keep_float": "dense", "variant": "int8"}])
def test_one_text_is_no_list_of_texts(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="takes several texts"):
        ConvertConfig(**options)


@pytest.mark.parametrize(
    "options", [{"size": (0, 5)}, {"size": (5,)}, {"target_runtime": "two"}, {"target_runtime": "2"}, {"batch": 0}]
)
def test_what_is_no_request_is_told_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError) as caught:
        ConvertConfig(**options)
    assert caught.value.hints


@pytest.mark.parametrize(
    ("name", "values"),
    [("batch", (1, 4)), ("size", ((32, 32), None)), ("scores", ("logits", None)), ("labels", (("a",), ("b",))),
     ("preprocess", ("torch", "caffe"))],
)  # fmt: skip
def test_variants_of_one_source_have_what_is_its_own_in_common(name: str, values: tuple[Any, Any]) -> None:
    """They were lowered by the first one's: the others' reports told of a batch that the file didn't have."""
    configs = [ConvertConfig(**{name: value}) for value in values]
    with pytest.raises(ValueError, match=f"differ in {name}"):
        convert_all("no.h5", configs)
    with pytest.raises(ValueError, match="no config"):
        convert_all("no.h5", [])


def test_what_takes_several_pictures_at_once_is_not_evaluated_and_told_so_at_once() -> None:
    with pytest.raises(RecipeError, match="4 pictures at once is not evaluated"):
        convert("no.h5", ConvertConfig(batch=4), evaluate_on=object())  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="4 pictures at once is not evaluated"):
        convert_all("no.h5", [ConvertConfig(batch=4)], evaluate_on=object())  # type: ignore[arg-type]


def test_stages_of_one_name_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 3.0, 7.0, 15.0])
    monkeypatch.setattr("mnconvert.pipeline.monotonic", lambda: next(times))
    clock = _Clock(None)
    for name in ("reading", "trying", "measuring", "trying"):
        clock.stage(name)
    assert clock.since(1) == {"reading": 1.0, "trying": 2.0 + 8.0, "measuring": 4.0}
