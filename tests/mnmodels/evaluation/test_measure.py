"""What is counted: checked against a predictor whose answers are given."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

import mninfer
from mninfer.errors import InputError, UnsupportedModelError
from mninfer.lettering import Lettering
from mninfer.preprocessing import PRESETS, PreprocessSpec
from mninfer.results import Prediction
from mnmodels.data import ArrayPictures, FolderPictures
from mnmodels.evaluation import ClassMatch, Evaluation, TFLitePredictor, draw_confusion, draw_mistakes, evaluate
from mnmodels.evaluation.canvas import encode_png, fit_text
from support.labelled import encoded
from support.networks import red_detector, shapes_float, shapes_int8
from support.pictures import CLASSES, shape_pictures

pytestmark = pytest.mark.smoke

LABELS = ("ant", "bee", "cat")


class Told:
    """Answers as told: the model's classes of each picture, best first, with scores 0.9, 0.8, …"""

    num_classes = 8
    preprocess: PreprocessSpec = PRESETS["inception"]

    def __init__(self, answers: list[list[int]], labels: tuple[str, ...] | None = None) -> None:
        self.answers = answers
        self.labels = labels

    def facts(self) -> dict[str, Any]:
        return {"name": "told", "sha256": "0" * 64, "engine": "none"}

    def predict(self, pictures: Iterable[tuple[str, Any]], top: int) -> Iterator[tuple[Prediction, ...]]:
        for (_, _), answer in zip(pictures, self.answers, strict=True):
            name = self.labels.__getitem__ if self.labels else str
            yield tuple(Prediction(name(index), index, 0.9 - 0.1 * rank) for rank, index in enumerate(answer[:top]))

    def close(self) -> None: ...


def pictures_of(classes: list[int]) -> ArrayPictures:
    images = np.random.default_rng(0).integers(0, 256, (len(classes), 32, 32, 3), np.uint8)
    names = [f"{LABELS[number]}/{i}.png" for i, number in enumerate(classes)]
    return ArrayPictures(images=images, classes=np.array(classes, np.int64), labels=LABELS, names=names)


@pytest.fixture
def evaluation() -> Evaluation:
    """ant is the model's class 5, bee 6, cat 1."""
    answers = [[5, 1], [6, 5], [6, 0, 2, 3, 4, 5], [1], [0, 2, 3, 4, 5, 1]]
    return evaluate(Told(answers), pictures_of([0, 0, 1, 2, 2]), ClassMatch((5, 6, 1), "told"))


def test_shares_and_their_errors(evaluation: Evaluation) -> None:
    assert (evaluation.top1.count, evaluation.top1.total, evaluation.top1.rate) == (3, 5, 0.6)
    assert evaluation.top1.standard_error == pytest.approx(math.sqrt(0.6 * 0.4 / 5))
    assert evaluation.top5 is not None
    assert evaluation.top5.count == 4, "the last picture's class comes sixth"


def test_classes_and_confusions(evaluation: Evaluation) -> None:
    assert [(each.top1.count, each.top1.total, each.num_predicted) for each in evaluation.classes] == [
        (1, 2, 1),
        (1, 1, 2),
        (1, 2, 1),
    ]
    assert evaluation.confusion.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]]
    assert list(evaluation.confusions) == [("ant", "bee", 1), ("cat", "(another class)", 1)]


def test_mistakes_are_told_surest_first(evaluation: Evaluation) -> None:
    first, second = evaluation.mistakes
    assert (first.name, first.truth, first.predicted, first.score) == ("ant/1.png", "ant", "bee", 0.9)
    assert first.truth_score == pytest.approx(0.8)
    assert (second.predicted, second.truth_score) == ("0", None), "what the data has no name for is a number"


def test_json_is_whole_and_the_same_every_time(evaluation: Evaluation) -> None:
    told = evaluation.to_json()
    assert json.loads(json.dumps(told)) == told
    assert told["schema"] == 1
    assert told["n"] == 5
    assert told["model"]["preprocess"]["source"] == "stated"
    assert told["data"]["num_duplicates"] == 0
    assert len(told["data"]["sha256"]) == 64
    assert told["confusion_matrix"] == evaluation.confusion.tolist()


def test_the_datas_digest_tells_sets_apart() -> None:
    def digest(pictures: ArrayPictures) -> str:
        answers = [[5]] * len(pictures)
        told = evaluate(Told(answers), pictures, ClassMatch((5, 6, 1), "told")).to_json()
        return str(told["data"]["sha256"])

    whole = pictures_of([0, 0, 1])
    assert digest(whole) == digest(pictures_of([0, 0, 1]))
    assert (
        len({digest(whole), digest(pictures_of([0, 1, 1])), digest(whole.take([1, 0, 2])), digest(whole.take([0]))})
        == 4
    )


def test_duplicates_are_counted() -> None:
    pictures = pictures_of([0, 1, 1]).take([0, 1, 0, 0])
    told = evaluate(Told([[5]] * 4), pictures, ClassMatch((5, 6, 1), "told")).to_json()
    assert told["data"]["num_duplicates"] == 2


def test_a_model_of_few_classes_has_no_top_5() -> None:
    predictor = Told([[0]])
    predictor.num_classes = 5
    assert evaluate(predictor, pictures_of([0]), ClassMatch((0, 1, 2), "told")).top5 is None


def test_a_class_without_pictures_has_no_share() -> None:
    told = evaluate(Told([[0]]), pictures_of([0]), ClassMatch((0, 1, 2), "told")).to_json()
    assert told["classes"][2]["top1"] == {"correct": 0, "rate": None, "standard_error": None}


def test_no_pictures_are_an_error() -> None:
    with pytest.raises(InputError, match="no pictures to evaluate on"):
        evaluate(Told([]), pictures_of([]), ClassMatch((0, 1, 2), "told"))


def test_the_confusion_matrix_is_drawn(evaluation: Evaluation) -> None:
    picture = draw_confusion(evaluation)
    assert picture.dtype == np.uint8
    blue = (picture[..., 2].astype(int) - picture[..., 0] > 100).sum()
    red = (picture[..., 0].astype(int) - picture[..., 2] > 100).sum()
    assert blue > red > 500, "two full cells and a half on the diagonal, two halves off it"
    assert encode_png(picture).startswith(b"\x89PNG")


def test_a_large_confusion_matrix_stays_a_picture() -> None:
    labels = tuple(f"class {number}" for number in range(900))
    pictures = ArrayPictures(
        images=np.zeros((1, 8, 8, 3), np.uint8), classes=np.array([3]), labels=labels, names=("x",)
    )
    result = evaluate(Told([[3]]), pictures, ClassMatch(tuple(range(900)), "told"))
    assert max(draw_confusion(result).shape) < 2500
    assert result.to_json()["confusion_matrix"] is None


def test_mistakes_are_drawn_with_their_pictures(evaluation: Evaluation) -> None:
    pictures = pictures_of([0, 0, 1, 2, 2])
    sheet = draw_mistakes(evaluation, pictures)
    enlarged = np.repeat(np.repeat(pictures.images[1], 6, axis=0), 6, axis=1)
    top, left = 44 + 4, 14 + 4  # the first tile, whose picture is 192 of 200 pixels wide
    np.testing.assert_array_equal(sheet[top : top + 192, left : left + 192], enlarged)


def test_without_a_mistake_the_sheet_says_so() -> None:
    pictures = pictures_of([0])
    assert draw_mistakes(evaluate(Told([[5]]), pictures, ClassMatch((5, 6, 1), "told")), pictures).shape[0] < 100


@pytest.mark.parametrize("text", ["cat", "a very long name of a class that nobody could read", "Straße", "猫"])
def test_text_fits(text: str) -> None:
    letters = Lettering(15)
    fitted = fit_text(text, letters, 100)
    assert letters.width(fitted) <= 100
    assert fitted == text or fitted.endswith("…")


def test_a_tflite_model_is_run_as_the_runtime_does() -> None:
    images, classes = shape_pictures(60, seed=11)
    pictures = ArrayPictures(
        images=images, classes=classes.astype(np.int64), labels=CLASSES, names=[str(i) for i in range(60)]
    )
    with mninfer.load(shapes_int8(), preprocess="inception", labels=CLASSES) as model:
        expected = [model.classify(image, top=1).best.index for image in images]
        result = evaluate(TFLitePredictor(model, "m.tflite"), pictures, ClassMatch(tuple(range(16)), "told"))
    assert result.top1.count == int((np.array(expected) == classes).sum())
    assert result.top1.rate > 0.9
    assert result.ran["model"]["kind"] == "tflite"


def test_a_corrupt_picture_is_named_by_its_place() -> None:
    sources = [encoded(1, (60, 60)), encoded(2, (60, 60))[:-20], encoded(3, (60, 60))]
    pictures = FolderPictures(
        sources=sources,
        classes=np.zeros(3, np.int64),
        labels=("a",),
        names=("a/1.png", "a/2.png", "a/3.png"),
        where="x.tar",
    )
    with mninfer.load(shapes_int8(), preprocess="inception") as model, pytest.raises(InputError) as caught:
        evaluate(TFLitePredictor(model, "m.tflite"), pictures, ClassMatch((0,), "told"))
    assert caught.value.where == "x.tar: a/2.png"


def test_a_detector_is_no_classifier() -> None:
    with (
        mninfer.load(red_detector(), preprocess="raw") as model,
        pytest.raises(UnsupportedModelError, match="a model to detect is not evaluated"),
    ):
        TFLitePredictor(model, "m.tflite")


def test_a_predictor_needs_preprocessing() -> None:
    with mninfer.load(shapes_float()) as model, pytest.raises(mninfer.PreprocessError, match="nothing says how"):
        TFLitePredictor(model, "m.tflite")
