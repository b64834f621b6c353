"""Remarks on several files: each once, and on which."""

from dataclasses import replace

import pytest

from mnconvert.conversion import Conversion
from mnconvert.report.remarks import remarks_on
from support.conversions import made

pytestmark = pytest.mark.smoke


def noted(name: str, *remarks: str) -> Conversion:
    report = made(name).report
    return replace(made(name), report=replace(report, verification=replace(report.verification, remarks=remarks)))


def test_a_note_on_some_of_all_says_on_which() -> None:
    told = remarks_on([noted("int8", "shared", "own"), noted("int16x8", "shared")])
    assert told == ("shared", "int8: own")
