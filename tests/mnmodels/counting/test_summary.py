"""Totals of a count, its JSON, and how people read it: plain data, no Keras."""

import doctest

import pytest

from mnmodels.counting import page
from mnmodels.counting.page import layer_table, totals
from mnmodels.counting.summary import Kind, LayerRow, PeakMemory, Summary

pytestmark = pytest.mark.smoke


def row(name: str, *, macs: int = 0, parameters: int = 0, trainable: int | None = 0, **facts: object) -> LayerRow:
    return LayerRow(
        name=name,
        kind="Conv2D",
        output_shape=(1, 4, 4, 2),
        parameters=parameters,
        trainable=trainable,
        macs=macs,
        **facts,  # type: ignore[arg-type]
    )


def summary(*rows: LayerRow, kind: Kind = Kind.KERAS) -> Summary:
    return Summary(name="net", kind=kind, input_shapes=((1, 8, 8, 3),), layers=rows, peak=PeakMemory(4096, "stem"))


STEM = row("stem", macs=1_500_000, parameters=3_000, trainable=2_800)
LEARNED = row(
    "learned", macs=500_000, parameters=1_100, trainable=1_000, condensed_macs=125_000, condensed_parameters=250
)
UNKNOWN = row("own", parameters=7, trainable=7, is_counted=False)


def test_totals_are_the_sums_of_the_rows() -> None:
    net = summary(STEM, LEARNED, UNKNOWN)
    assert (net.macs, net.flops) == (2_000_000, 4_000_000)
    assert (net.parameters, net.trainable) == (4_107, 3_807)
    assert net.uncounted == (UNKNOWN,)


def test_regrouping_is_told_only_where_there_is_something_to_regroup() -> None:
    net = summary(STEM, LEARNED)
    assert (net.condensed_macs, net.condensed_trainable) == (1_625_000, 3_050)
    assert summary(STEM).condensed_macs is None
    assert "condensed_macs" not in summary(STEM).to_json()
    assert "regrouped" in totals(net)
    assert "regrouped" not in totals(summary(STEM))


def test_json_has_every_row_and_null_for_what_is_unknown() -> None:
    value = summary(STEM, UNKNOWN).to_json()
    assert value["schema"] == 1
    assert [layer["macs"] for layer in value["layers"]] == [1_500_000, None]
    assert value["uncounted"] == ["own"]
    assert value["num_layers"] == 2
    assert value["peak_activation_bytes"] == 4096


def test_a_flatbuffer_does_not_tell_what_was_trained() -> None:
    net = summary(row("conv", parameters=5, trainable=None), kind=Kind.TFLITE)
    assert net.trainable is None
    assert net.to_json()["trainable"] is None
    assert "trainable" not in totals(net)


def test_the_table_is_aligned_and_has_a_line_to_each_layer() -> None:
    lines = layer_table(summary(STEM, row("a" * 60), UNKNOWN)).splitlines()
    assert len(lines) == 6
    assert lines[1] == lines[-1] == "-" * len(lines[1])
    assert lines[2].endswith("3,000      1,500,000  100.0%")
    assert lines[3].startswith("…" + "a" * 43 + "  Conv2D")
    assert lines[4].split()[-1] == "unknown"
    ends = {line.index("4 x 4 x 2") for line in lines[2:5]}
    assert len(ends) == 1


def test_the_totals_are_in_units_that_fit() -> None:
    text = totals(summary(STEM, UNKNOWN))
    assert "net  (input 8 x 8 x 3, 2 layers)" in text
    assert "at least 1.500 M  (1,500,000), FLOPs at least 3.000 M" in text
    assert "multiply-adds   1.500 M  (1,500,000), FLOPs 3.000 M" in totals(summary(STEM))
    assert "trainable 2.807 k  (2,807), not trained 200" in text
    assert "4.00 KiB of activations at once  (float32, at stem)" in text
    assert "own (Conv2D)" in text


def test_the_examples_hold() -> None:
    assert doctest.testmod(page).failed == 0
    assert doctest.testmod(page).attempted > 0
