"""Label files of any make, and labels that do not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.errors import InputError
from mninfer.model_file.labels import format_labels, labels_misfit, parse_labels
from mninfer.outputs import DetectionOutputs, OutputMeaning
from mninfer.spec import Task

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    "data",
    [
        b"cat\ndog\n",
        b"cat\ndog",
        b"cat\r\ndog\r\n",
        b"cat\rdog",
        b"\xef\xbb\xbfcat\ndog\n\n\n",
        b"  cat \ndog\t\n",
    ],
)
def test_files_of_any_make(data: bytes) -> None:
    assert parse_labels(data) == ("cat", "dog")


def test_lines_are_kept_as_they_are() -> None:
    data = "n01440764 tench, Tinca tinca\n0 cat\n???\n\ncrème brûlée\u2028x\n".encode()
    assert parse_labels(data) == ("n01440764 tench, Tinca tinca", "0 cat", "???", "", "crème brûlée\u2028x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cat\nd\xf6g\n", "line 2 of the label file is not UTF-8"),
        (b"", "0 labels"),
        (b"\n \n", "0 labels"),
        (b"cat\nd\0g\n", "line 2 of the label file is no label"),
        (b"x" * 2000, "line 1 of the label file is no label"),
        (b"x" * (17 << 20), "at most"),
    ],
)
def test_what_is_no_label_file(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_labels(data, "labels.txt")
    assert caught.value.where == "labels.txt"


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=6))
def test_what_is_written_is_read(labels: list[str]) -> None:
    try:
        data = format_labels(labels)
    except InputError:
        assert any(label != label.strip() or not label or set(label) & set("\n\r\0\ufeff") for label in labels)
    else:
        assert parse_labels(data) == tuple(labels)


@pytest.mark.parametrize("labels", [["a", ""], ["a\nb", "c"], [" a"], ["a", "b\r"]])
def test_a_label_that_would_not_come_back(labels: list[str]) -> None:
    with pytest.raises(InputError, match="on a line of its own"):
        format_labels(labels)


def classes(number: int | None) -> OutputMeaning:
    return OutputMeaning(task=Task.CLASSIFY, has_probabilities=True, num_classes=number)


def test_a_fit_is_no_error() -> None:
    assert labels_misfit(["x"] * 1001, classes(1001)) is None
    assert labels_misfit(["x"] * 1001, classes(None)) is None


@pytest.mark.parametrize(
    ("num_labels", "num_classes", "hint"),
    [
        (1000, 1001, "if class 0 is the background"),
        (1001, 1000, "if the first label is the background"),
        (90, 7, "give"),
    ],
)
def test_off_by_one_is_explained(num_labels: int, num_classes: int, hint: str) -> None:
    error = labels_misfit(["x"] * num_labels, classes(num_classes))
    assert error is not None
    assert error.what == f"{num_labels} labels for {num_classes} classes"
    assert error.hints[0].startswith(hint)


def test_a_detectors_labels_may_begin_with_a_background() -> None:
    places = DetectionOutputs(boxes=0, classes=1, scores=2, count=3, num_classes=90)
    meaning = OutputMeaning(task=Task.DETECT, has_probabilities=True, num_classes=90, detection=places)
    assert labels_misfit(["x"] * 90, meaning) is None
    assert labels_misfit(["x"] * 91, meaning) is None
    assert labels_misfit(["x"] * 89, meaning) is not None
