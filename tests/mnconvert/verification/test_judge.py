"""What is below the limits is said in sentences with their values; the error carries them and what to try."""

import json
from dataclasses import replace

import pytest

from mnconvert.config import Variant
from mnconvert.verification import Limits, Numbers, OutputFidelity, PictureKind, RuntimeTrial, Verification, census
from mnconvert.verification.judge import judge
from mninfer.engines import DelegateCoverage
from mninfer.errors import VerifyError
from mninfer.model_file import check_model
from mninfer.model_file.contract import round_summary
from support.networks import shapes_float, shapes_int8

pytestmark = pytest.mark.smoke

LIMITS = Limits(agreement=0.8, sqnr_db=10, numbers=Numbers.INT8, share=0.95)
GOOD = OutputFidelity(
    index=0, name="scores", agreement=0.96875, num_classes_seen=9, cosine=0.99123456, sqnr_db=21.234,
    largest_difference=0.01, num_not_finite=0,
)  # fmt: skip


def facts(output: OutputFidelity = GOOD, *, data: bytes | None = None, **changes) -> Verification:
    given = {
        "outputs": (output,),
        "num_pictures": 64,
        "picture_kind": PictureKind.SHAPES,
        "census": census(check_model(data or shapes_int8())),
        "coverage": DelegateCoverage(8, 8, "XNNPACK"),
        "runtimes": (RuntimeTrial(engine="litert", version="2.1.6", has_run=True),),
        "oldest_runtime": "1.14.0",
        "limits": LIMITS,
    } | changes
    return judge(Verification(**given))


def test_a_good_file_passes():
    found = facts()
    assert (found.passed, found.failures, found.remarks) == (True, (), ())
    assert (found.agreement, found.sqnr_db) == (0.96875, 21.234)
    found.raise_if_failed("net.h5")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"agreement": 0.273},
            'output "scores" has the float model\'s best class on 27.3 % of 64 pictures, 80.0 % is the least',
        ),
        ({"sqnr_db": -1.25}, 'output "scores" has -1.2 dB of signal to noise, 10 dB is the least'),
        (
            {"num_not_finite": 3},
            'output "scores" holds 3 values that are not finite, in the file or in the float model',
        ),
    ],
)
def test_outputs_that_are_too_far_are_said_with_their_values(changes, sentence):
    assert facts(replace(GOOD, **changes)).failures == (sentence,)


def test_a_file_that_is_float_in_disguise_fails():
    (sentence,) = facts(data=shapes_float()).failures
    assert sentence.startswith("0.0 % of the multiply-adds are int8, 95.0 % is the least; others: CONV_2D")


def test_a_runtime_that_refuses_fails():
    trial = RuntimeTrial(engine="tflite-runtime", version="2.14.0", has_run=False, note="no such operator")
    (sentence,) = facts(runtimes=(trial,)).failures
    assert sentence == "it does not run on tflite-runtime 2.14.0: no such operator; it claims to run from 1.14.0 on"


def test_limits_of_none_look_at_nothing():
    awful = replace(GOOD, agreement=0, sqnr_db=-9)
    limits = Limits(agreement=None, sqnr_db=None, numbers=None, share=None)
    assert facts(awful, data=shapes_float(), limits=limits).passed


def test_remarks_are_no_failures():
    found = facts(replace(GOOD, num_classes_seen=1), coverage=DelegateCoverage(8, 6, "XNNPACK"))
    assert found.passed
    assert found.remarks == (
        'output "scores": the float model gives all 64 pictures the same class, so that agreement proves little',
        "2 of 8 operators are not run by XNNPACK",
    )


def test_one_operator_is_one():
    assert facts(coverage=DelegateCoverage(8, 7, "XNNPACK")).remarks == ("1 of 8 operators is not run by XNNPACK",)


def test_a_dynamic_file_of_small_constants_is_remarked():
    assert facts(data=shapes_float(), limits=Limits.of(Variant.DYNAMIC)).remarks == (
        "100 % of MACs float: the converter leaves small constants as they are",
    )


def test_the_error_says_what_where_and_what_to_try():
    found = facts(replace(GOOD, agreement=0.25))
    with pytest.raises(VerifyError) as caught:
        found.raise_if_failed("kitchen.keras", hints="without --per-tensor")
    assert caught.value.exit_code == 3
    assert caught.value.report is found
    assert str(caught.value) == (
        'the converted model is not the float model any more: output "scores" has the float model\'s best class on '
        "25.0 % of 64 pictures, 80.0 % is the least\n"
        "  where: kitchen.keras\n"
        "  try:   without --per-tensor\n"
        "     or: --calibrate FOLDER with a few dozen pictures of what the model will see\n"
        "     or: --keep-failed writes the file beside, to look into\n"
        "     or: --explain shows each range and its source"
    )


def test_with_pictures_the_error_does_not_ask_for_pictures():
    with pytest.raises(VerifyError) as caught:
        facts(replace(GOOD, sqnr_db=1), picture_kind=PictureKind.CALIBRATION).raise_if_failed(report="the conversion")
    assert "--keep-float" in caught.value.hints[0]
    assert caught.value.report == "the conversion"


def test_the_summary_is_what_the_file_may_hold():
    assert round_summary(facts().summary()) == {
        "agreement_percent": 96.9,
        "macs_int8_percent": 100.0,
        "pictures": 64,
        "sqnr_db": {"scores": 21.2},
    }
    assert facts(replace(GOOD, sqnr_db=112.3456)).summary()["sqnr_db"] == {"scores": 60.0}


def test_json_holds_it_all():
    value = json.loads(json.dumps(facts(replace(GOOD, agreement=0.5)).to_json(), allow_nan=False))
    assert value["passed"] is False
    assert value["outputs"][0]["agreement"] == 0.5
    assert value["limits"] == {"agreement": 0.8, "sqnr_db": 10, "numbers": "int8", "share": 0.95}
    assert value["runtimes"] == [{"engine": "litert", "version": "2.1.6", "has_run": True, "note": None}]
    assert value["coverage"] == {"num_operators": 8, "num_delegated": 8, "delegate": "XNNPACK"}


@pytest.mark.parametrize("variant", list(Variant))
def test_every_variant_has_limits(variant):
    limits = Limits.of(variant)
    assert limits.agreement is not None
    assert limits.sqnr_db is not None
    assert limits.numbers is not None


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match="from 0 to 1, not 80"):
        Limits(agreement=80)
