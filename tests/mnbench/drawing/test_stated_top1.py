"""Accuracies that the user states: read strictly, for the rows that they are of."""

import pytest

from mnbench.drawing.entries import Accuracy, entries_of
from mnbench.drawing.stated_top1 import parse_top1, with_top1
from mninfer.errors import InputError
from support.records import MODEL, workstation_record

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize(
    ("text", "pattern", "percent", "error"),
    [
        ("v1=70.9", "v1", 70.9, 0.0),
        (" v1/int8 = 70 ", "v1/int8", 70.0, 0.0),
        ("v1=70.9 %", "v1", 70.9, 0.0),
        ("v1=70.9±1.4", "v1", 70.9, 1.4),
        ("v1=70.9 +- 1.4", "v1", 70.9, 1.4),
    ],
)
def test_forms(text: str, pattern: str, percent: float, error: float) -> None:
    found = parse_top1(text)
    assert (found.pattern, found.accuracy) == (pattern, Accuracy(percent, error))


@pytest.mark.parametrize("text", ["", "v1", "=70", "v1=", "v1=high", "v1=101", "v1=-1", "v1=70±", "v1=nan", "v1=1e1"])
def test_what_states_nothing_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match="states no accuracy"):
        parse_top1(text)


def test_the_last_that_fits_holds() -> None:
    entries = entries_of([workstation_record()])
    found = with_top1(entries, [parse_top1("*=60"), parse_top1(f"{MODEL}/int8=50±2")])
    for entry in found:
        is_meant = (entry.cell.model, str(entry.cell.variant)) == (MODEL, "int8")
        assert entry.accuracy == (Accuracy(50.0, 2.0) if is_meant else Accuracy(60.0, 0.0))
    assert with_top1(entries, []) == entries


def test_what_fits_nothing_is_an_error_with_a_name() -> None:
    entries = entries_of([workstation_record()])
    with pytest.raises(InputError, match="no row is of the model") as caught:
        with_top1(entries, [parse_top1(f"{MODEL}/int9=50")])
    assert f"{MODEL}/int8" in caught.value.hints[0]
    with pytest.raises(InputError, match="no row is of the model"):
        with_top1((), [parse_top1("a=1")])
