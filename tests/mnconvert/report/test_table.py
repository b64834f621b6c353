"""The variants as text: what stands in a line, what is left away, what is told below."""

from dataclasses import replace

import pytest

from mnconvert.accuracy import AccuracyReport, DropReport, PairedDifference
from mnconvert.config import ConvertConfig, Variant
from mnconvert.conversion import Failed
from mnconvert.report.columns import columns_of, spell_bytes, spell_change, spell_ms
from mnconvert.report.names import every_variant, file_part, short_name, variant_name
from mnconvert.report.rows import Standing, variant_row
from mnconvert.report.summary import summary
from mnconvert.report.table import text_table
from mninfer.errors import CalibrationError
from mnmodels.evaluation.result import Share
from support.conversions import failed, made

pytestmark = pytest.mark.smoke

ACCURACY = AccuracyReport(
    float_top1=Share(90, 100), top1=Share(88, 100), top1_difference=PairedDifference(num_lost=3, num_won=1, total=100),
    float_top5=None, top5=None, top5_difference=None, agreement=Share(95, 100), num_classes=16, data_sha256="0" * 64,
    matched_by="the names of the classes", is_match_assumed=False,
)  # fmt: skip


def test_names_for_people_and_for_files() -> None:
    assert variant_name(ConvertConfig(variant=Variant.INT8, is_per_tensor=True)) == "int8 per tensor"
    assert variant_name(ConvertConfig(is_fused=False)) == "none unfused"
    assert file_part(ConvertConfig(variant=Variant.INT8, is_per_tensor=True)) == "int8_per_tensor"


@pytest.mark.parametrize(
    ("tensor", "short"),
    [
        ("conv1_relu/Relu6;mnkit_norm_0_1/add;conv1/convolution", "conv1_relu/Relu6"),
        ("mnkit_norm_38_1/add;block_12_project/convolution;mnkit_norm_38_1/add/y1", "block_12_project/convolution"),
        ("mnkit_norm_1/mul", "mnkit_norm_1/mul"),
        ("Identity", "Identity"),
    ],
)
def test_a_layer_is_called_by_the_models_own_name(tensor: str, short: str) -> None:
    assert short_name(tensor) == short


def test_all_variants_differ_and_keep_what_was_asked() -> None:
    asked = ConvertConfig(variant=Variant.INT8, keep_float=("head*",), batch=2, target_runtime="2.14", seed=3)
    variants = every_variant(asked)
    names = ["none", "none unfused", "fp16", "dynamic", "int8", "int8 per tensor", "int16x8"]
    assert [variant_name(each) for each in variants] == names
    assert {(each.batch, each.target_runtime, each.seed) for each in variants} == {(2, "2.14", 3)}
    assert [bool(each.keep_float) for each in variants] == [False] * 4 + [True, True, False]


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        (spell_bytes(13_876_000), "13.88 MB"),
        (spell_bytes(99_949), "99.9 kB"),
        (spell_bytes(100_000), "0.10 MB"),
        (spell_ms(0.2134), "0.213 ms"),
        (spell_ms(4.069), "4.07 ms"),
        (spell_ms(34.71), "34.7 ms"),
        (spell_change((-0.125, 0.18)), "−0.12 ± 0.18"),
        (spell_change((0.5, 0.0)), "+0.50 ± 0.00"),
        (spell_change((-0.001, 0.1)), "+0.00 ± 0.10"),
    ],
)
def test_numbers_have_units(spelled: str, text: str) -> None:
    assert spelled == text


def test_a_line_to_a_variant_and_reasons_below() -> None:
    bad = failed(made(is_per_tensor=True), "SQNR 3.1 dB, below 10 dB")
    unknown = CalibrationError("no range", hints="--calibrate")
    none = Failed(config=ConvertConfig(variant=Variant.INT16X8), error=unknown)
    outcomes = ((made(), "a.tflite"), (bad, None), (none, None))
    rows = [variant_row(outcome, file=file, latency_ms=1.5 if file else None) for outcome, file in outcomes]
    assert [row.standing for row in rows] == [Standing.OK, Standing.FAILED, Standing.MISSING]
    lines = text_table(rows).splitlines()
    assert lines[0].split() == ["variant", "size", "agreement", "cosine", "SQNR", "latency", "oldest", "runtime"]
    assert lines[1].split()[0] == "int8"
    assert "1.50 ms" in lines[1]
    assert lines[2].endswith("  failed")
    assert lines[3].endswith("  not made")
    assert len({line.index(" dB") for line in lines[1:3]}) == 1
    assert lines[5:] == [
        "int8 per tensor: failed: it is not the float model any more: SQNR 3.1 dB, below 10 dB. Try: pictures",
        "int16x8: not made: no range. Try: --calibrate",
    ]


def test_top1_has_a_column_where_it_was_measured() -> None:
    measured = replace(made(), report=replace(made().report, accuracy=ACCURACY))
    rows = [variant_row(measured, file="a.tflite"), variant_row(made("none"), file="b.tflite")]
    assert [column.head for column in columns_of(rows)][-3:] == ["top-1", "to float", "oldest runtime"]
    assert "88.00 %  −2.00 ± 1.99" in text_table(rows)
    assert rows[0].to_json()["change"] == pytest.approx([-2.0, 1.99], abs=0.01)


def test_the_summary_of_one_file_says_what_it_is_and_how_near() -> None:
    text = summary(replace(made(), report=replace(made().report, accuracy=ACCURACY)), "a.tflite")
    first, *rest = text.splitlines()
    assert first == f"a.tflite: int8, {spell_bytes(len(made().data))} ({len(made().data):,} bytes)"
    named = {line[2:16].strip(): line[16:] for line in rest}
    assert named["source"] == "shapes.h5, Keras 3.15.0, 12,345 parameters"
    assert named["input"].startswith("uint8 1 x 48 x 48 x 3; output ")
    assert "as the file says" in named["preprocessing"]
    assert named["ranges"] == "from the statistics in the model: no picture was needed"
    assert "8 pictures of flat shapes" in named["verified"]
    assert "of MACs int8" in named["numbers"]
    assert "top-1 88.00 ± 3.25 %, float 90.00 ± 3.00 %: −2.00 ± 1.99 points" in text
    assert "100 pictures of 16 classes, matched by the names of the classes" in text


def test_the_summary_says_what_stays_float_and_what_that_costs() -> None:
    worse = replace(ACCURACY, top1_difference=PairedDifference(num_lost=9, num_won=1, total=100))
    drop = DropReport(
        max_drop=2.5, is_held=True, kept=(1, 4), names=("conv_a/Relu6;bn", "conv_b"), before=worse, after=ACCURACY,
        latency_before_ms=0.5, latency_after_ms=0.75, num_tried=7,
    )  # fmt: skip
    lines = summary(replace(made(), report=replace(made().report, drop=drop)), "a.tflite").splitlines()
    assert lines[-3:] == [
        "  kept float    conv_a/Relu6, conv_b",
        "                a drop of at most 2.5 points holds: −2.00, all int8 −8.00; 7 files tried",
        "                latency 0.750 ms, all int8 0.500 ms",
    ]
    nothing = replace(drop, kept=(), names=(), before=ACCURACY)
    text = summary(replace(made(), report=replace(made().report, drop=nothing)), "a.tflite")
    assert "kept float    nothing: a drop of at most 2.5 points holds with all int8, −2.00" in text
    kept = replace(made(), report=replace(made().report, kept_float=("head;bias",)))
    assert summary(kept, "a.tflite").endswith("  kept float    head")
