"""Accuracy of a converted file beside its float model's, on the same pictures."""

import json
import math

import numpy as np
import pytest

from mnconvert.accuracy import PairedDifference, Ranking, compare_rankings, rank_pictures
from mninfer.engines import open_engine
from mninfer.errors import InputError, UnsupportedModelError
from mninfer.model_file import annotate
from mninfer.preprocessing import PRESETS
from mnmodels.data import ArrayPictures
from support.networks import CLASSES, red_detector, shapes_float, shapes_int8
from support.pictures import shape_pictures

pytestmark = pytest.mark.smoke

LABELS = tuple(sorted(CLASSES))


def labelled(count: int, seed: int = 11) -> ArrayPictures:
    images, classes = shape_pictures(count, seed=seed)
    return ArrayPictures(
        images=images,
        classes=np.array([LABELS.index(CLASSES[index]) for index in classes]),
        labels=LABELS,
        names=tuple(f"{index}.png" for index in range(count)),
    )


def ranking(best: list[list[int]], num_classes: int = 10) -> Ranking:
    return Ranking(best=np.array(best), num_classes=num_classes, labels=None)


def pictures_of(classes: list[int], num_classes: int = 10) -> ArrayPictures:
    return ArrayPictures(
        images=np.random.default_rng(0).integers(0, 256, (len(classes), 4, 4, 3), np.uint8),
        classes=np.array(classes),
        labels=tuple(f"class {index}" for index in range(num_classes)),
        names=tuple(map(str, range(len(classes)))),
    )


def test_a_trained_network_and_its_int8_file():
    pictures = labelled(80)
    reference = rank_pictures(shapes_float(), pictures, preprocess=PRESETS["inception"], labels=CLASSES)
    converted = rank_pictures(shapes_int8(), pictures, preprocess=PRESETS["inception"])
    report = compare_rankings(reference, converted, pictures)
    assert report.float_top1.rate > 0.9
    assert report.top1.rate > 0.9
    assert report.agreement.rate > 0.9
    assert report.num_pictures == 80
    assert report.matched_by == "the names of the classes"
    assert report.top1.count - report.float_top1.count == round(report.top1_difference.rate * 80)
    assert abs(report.drop_points) <= 10
    json.dumps(report.to_json(), allow_nan=False)


def test_a_file_that_says_how_it_is_fed_needs_no_more():
    engine = open_engine(shapes_float())
    data = annotate(shapes_float(), run=engine.run, preprocess=PRESETS["inception"], labels=CLASSES)
    ranking_of_file = rank_pictures(data, labelled(10))
    stated = rank_pictures(shapes_float(), labelled(10), preprocess=PRESETS["inception"])
    assert np.array_equal(ranking_of_file.best, stated.best)
    assert ranking_of_file.labels == CLASSES


def test_steps_are_told():
    steps = []
    rank_pictures(shapes_float(), labelled(7), preprocess=PRESETS["inception"], on_step=lambda: steps.append(1))
    assert len(steps) == 7


def test_differences_are_paired_by_picture():
    truth = [0, 1, 2, 3]
    others = [5, 6, 7, 8]
    before = ranking([[0, *others], [1, *others], [9, *others], [9, *others]])
    after = ranking([[0, *others], [9, *others], [2, *others], [5, 3, 6, 7, 8]])
    report = compare_rankings(before, after, pictures_of(truth))
    assert (report.float_top1.count, report.top1.count) == (2, 2)
    assert (report.top1_difference.num_lost, report.top1_difference.num_won) == (1, 1)
    assert report.top1_difference.rate == 0
    assert report.top1_difference.standard_error == pytest.approx(math.sqrt(0.5 / 4))
    assert (report.float_top5.count, report.top5.count) == (2, 3)
    assert report.agreement.count == 1
    assert report.is_match_assumed


def test_standard_error_is_that_of_the_mean_of_differences():
    differences = np.array([-1] * 7 + [1] * 2 + [0] * 91)
    found = PairedDifference(num_lost=7, num_won=2, total=100)
    assert found.rate == pytest.approx(differences.mean())
    assert found.standard_error == pytest.approx(differences.std() / 10)


def test_five_classes_have_no_top5():
    best = ranking([[0, 1, 2, 3, 4], [1, 0, 2, 3, 4]], 5)
    report = compare_rankings(best, best, pictures_of([0, 1], 5))
    assert report.top5 is None
    assert report.to_json()["difference"]["top5"] is None


def test_background_of_1001_classes():
    best = np.array([[4], [7]])
    both = Ranking(best=best, num_classes=1001, labels=None)
    pictures = ArrayPictures(
        images=np.zeros((2, 4, 4, 3), np.uint8),
        classes=np.array([0, 1]),
        labels=("0003_n01484850_shark", "0006_n01498041_ray"),
        names=("a", "b"),
    )
    assert compare_rankings(both, both, pictures).top1.count == 2


def test_rankings_of_two_networks_are_misuse():
    with pytest.raises(ValueError, match="not of one network"):
        compare_rankings(ranking([[1]]), ranking([[1]], 7), pictures_of([1]))


def test_classes_that_are_not_the_models():
    with pytest.raises(InputError, match="it is not known which"):
        compare_rankings(ranking([[1]]), ranking([[1]]), pictures_of([1], 7))


def test_no_pictures():
    with pytest.raises(InputError, match="no pictures to evaluate on"):
        rank_pictures(shapes_float(), labelled(1).take([]), preprocess=PRESETS["inception"])


def test_what_is_no_classifier():
    with pytest.raises(UnsupportedModelError):
        rank_pictures(red_detector(), labelled(1), preprocess=PRESETS["inception"])
