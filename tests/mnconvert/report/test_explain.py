"""A plan in words: a line to each tensor and layer, what stays float, what is remarked."""

from dataclasses import replace

import pytest

from mnconvert.report.explain import explain
from support.conversions import PLAN

pytestmark = pytest.mark.smoke


def test_every_decision_has_its_line_and_its_reason() -> None:
    lines = explain(PLAN).splitlines()
    assert lines[1].split() == ["tensor", "low", "high", "scale", "zero", "dtype", "range", "from", "why"]
    assert lines[2].split() == ["image", "-1", "1", "0.0078431", "0", "int8", "input", "pixels", "0", "to", "255"]
    assert lines[3].endswith("batch norm  beta ± 6 s, clipped by ReLU6")
    assert "8×3×3×3" in lines[7]
    assert "8, 0.01 to 0.08   25.0 %" in lines[7]
    assert lines[-2:] == ["", "operators that stay float: 4"]


def test_a_long_name_shows_its_end() -> None:
    named = replace(PLAN.tensors[0], name=f"begin/{'x' * 80}/end;what was fused")
    line = explain(replace(PLAN, tensors=(named,))).splitlines()[2]
    assert line.split()[0].startswith("…x")
    assert line.split()[0].endswith("/end")
    assert len(line.split()[0]) == 48


def test_one_scale_is_said_to_be_one() -> None:
    single = replace(PLAN.weights[0], scales=PLAN.weights[0].scales[:1])
    assert "one, 0.01" in explain(replace(PLAN, weights=(single,), kept_float=()))
