"""Which class of a model a class of the data is: by number, by name, by wnid, in sorted order; and what is no match."""

import pytest

from mninfer.errors import InputError
from mnmodels.evaluation import match_classes

pytestmark = pytest.mark.smoke

ANIMALS = ("hen", "tench, Tinca tinca", "great white shark, white shark", "ice cream, icecream")
WNIDS = [f"n{number:08}" for number in range(1000)]


@pytest.mark.parametrize(
    ("data", "known", "num_classes", "indices"),
    [
        # by name: case, "_", "-" and synonyms don't matter
        (["Great_White_Shark", "ice-cream", "tench"], ANIMALS, 4, (2, 3, 1)),
        (["0", "1", "10", "2"], ["0", "1", "2", "10"], 4, (0, 1, 3, 2)),
        # by number, with and without a background
        (["0000_n01440764_tench", "0007_n01514668_cock"], None, 1000, (0, 7)),
        (["0000_n01440764_tench", "0007_n01514668_cock"], None, 1001, (1, 8)),
        (["0001_n01440764_tench"], ("background", "hen", "tench, Tinca tinca"), 3, (2,)),
        (["0001_n01440764_tench"], ("hen", "tench, Tinca tinca"), 2, (1,)),
        (["0000", "0002"], None, 10, (0, 2)),
        # ImageNet's wnids
        (WNIDS, None, 1000, tuple(range(1000))),
        (WNIDS, ["background", *map(str, range(1000))], 1001, tuple(range(1, 1001))),
        (["n00000001", "n00000002"], ["n00000002", "n00000001"], 2, (1, 0)),
    ],
)
def test_matches(data: list[str], known: list[str] | None, num_classes: int, indices: tuple[int, ...]) -> None:
    match = match_classes(data, known, num_classes)
    assert match.indices == indices
    assert not match.is_assumed


def test_a_model_without_labels_gets_the_sorted_order_and_it_is_told() -> None:
    match = match_classes(["ant", "bee"], None, 2)
    assert (match.indices, match.is_assumed) == ((0, 1), True)


def test_the_rule_is_told() -> None:
    assert match_classes(["hen"], ANIMALS, 4).rule == "the names of the classes"
    assert match_classes(["0000_n01440764_tench"], None, 1001).rule.endswith("from 0 after the background")


@pytest.mark.parametrize(
    ("data", "known", "num_classes", "message"),
    [
        (
            ["hen", "cat", "dog"],
            ANIMALS,
            4,
            '2 of the data\'s 3 classes are not among the model\'s labels: "cat", "dog"',
        ),
        (["henn"], ANIMALS, 4, 'the model\'s nearest label to "henn" is "hen"'),
        (["shark"], ["white shark, shark", "hammerhead, shark"], 2, '"shark" fits two of the model\'s labels'),
        (["hen", "Hen"], ANIMALS, 4, '"hen" and "Hen" are both the model\'s class "hen"'),
        (["0007_n01514668_cock"], None, 5, "the data's class number 7 is beyond the model's 5 classes"),
        (["0000_n01440764_tench"], ANIMALS, 4, '"tench" would be "hen", and so on for 1 of 1'),
        (["n01440764", "n01514668"], None, 1000, "2 of ImageNet's 1,000 wnids"),
        (["ant", "bee"], None, 3, "which of the model's 3 classes the data's 2 are"),
        # as texts 10 comes before 2, and it is not known in which order the model was trained
        ([*map(str, range(11))], None, 11, "which of the model's 11 classes"),
    ],
)
def test_what_does_not_match_is_named(data: list[str], known: list[str] | None, num_classes: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        match_classes(data, known, num_classes)
    assert message in str(caught.value)
    assert "--classes-from" in str(caught.value)
