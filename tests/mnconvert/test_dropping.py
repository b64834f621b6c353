"""A network that int8 is too coarse for: which layers stay float for it, by name and by what may be lost."""

from dataclasses import replace

import pytest

pytest.importorskip("tensorflow", reason="needs TensorFlow: make test")

from mnconvert.config import Ends, Variant
from mnconvert.conversion import Conversion
from mnconvert.converting import Stages
from mnconvert.dropping import _Search, raise_if_not_held
from mnconvert.pipeline import convert
from mnconvert.source import open_source
from mninfer.errors import RecipeError, VerifyError
from mninfer.model_file import check_model
from mninfer.preprocessing import StatedPreprocess
from support.keras_networks import labelled_shapes, request, shapes_keras

PAIR = ("spread", "gather")  # what channel scales over four powers of ten go in and out by


def layers_in_float(conversion: Conversion) -> set[str]:
    graph = check_model(conversion.data)
    outputs = [graph.tensors[op.outputs[0]] for op in graph.operators if op.name not in ("QUANTIZE", "DEQUANTIZE")]
    return {tensor.name.split("_1/")[0] for tensor in outputs if tensor.dtype == "float32"}


@pytest.fixture(scope="module")
def hard():
    return shapes_keras(is_hard=True)


def test_int8_alone_fails_and_the_named_layers_in_float_hold(hard):
    with pytest.raises(VerifyError):
        convert(hard, request(variant="int8"))
    conversion = convert(hard, request(variant="int8", keep_float=PAIR))
    assert conversion.report.verification.passed
    assert conversion.report.kept_float == PAIR
    assert layers_in_float(conversion) == set(PAIR)
    assert conversion.plan is not None
    assert len(conversion.plan.kept_float) == 2
    assert not {weights.operator for weights in conversion.plan.weights} & set(conversion.plan.kept_float)
    kept = [operator.name for operator in conversion.report.verification.census.operators if operator.is_kept]
    assert len(kept) == 2


def test_the_layers_are_found_for_an_allowed_drop(hard):
    told = []

    class Watcher:
        def stage(self, name: str) -> None:
            told.append(name)

    pictures = labelled_shapes(120)
    conversion = convert(hard, request(variant="int8"), evaluate_on=pictures, max_drop=1.0, watcher=Watcher())
    drop = conversion.report.drop
    assert drop is not None
    assert drop.is_held
    assert drop.before.drop_points > 5
    assert drop.after.drop_points <= 1.0
    assert set(PAIR) <= set(drop.names)
    assert set(drop.names) == set(conversion.report.kept_float)
    assert len(layers_in_float(conversion)) == len(drop.kept)
    assert conversion.report.accuracy == drop.after
    assert drop.latency_before_ms
    assert drop.latency_after_ms
    assert "trying int8 alone" in told


def test_nothing_is_kept_where_nothing_has_to_be():
    pictures = labelled_shapes(60)
    conversion = convert(shapes_keras(), request(variant="int8"), evaluate_on=pictures, max_drop=5.0)
    assert conversion.report.drop is not None
    assert conversion.report.drop.names == ()
    assert conversion.report.drop.num_tried == 1
    assert conversion.plan is not None
    assert conversion.plan.kept_float == ()


def test_a_drop_that_does_not_hold_is_told_with_the_conversion():
    conversion = convert(shapes_keras(), request(variant="int8"), evaluate_on=labelled_shapes(40), max_drop=100.0)
    drop = conversion.report.drop
    assert drop is not None
    raise_if_not_held(conversion, "shapes.h5")
    worse = replace(drop.after, top1_difference=replace(drop.after.top1_difference, num_lost=10, num_won=0))
    missed = replace(drop, is_held=False, max_drop=1.0, after=worse)
    conversion = replace(conversion, report=replace(conversion.report, drop=missed))
    with pytest.raises(VerifyError, match=r"top-1 falls by 25\.00 points at the best, 1 is the most allowed") as caught:
        raise_if_not_held(conversion, "shapes.h5")
    assert caught.value.report is conversion
    assert caught.value.hints[-1] == "--max-drop 25"


def test_a_pattern_that_matches_nothing_is_an_error_with_near_names(hard):
    with pytest.raises(RecipeError, match='"gatter" matches no layer') as caught:
        convert(hard, request(variant="int8", keep_float=("gatter",)))
    assert '--keep-float "gather"' in caught.value.hints


def test_patterns_stand_for_several_layers_and_for_the_last_one():
    stages = Stages(open_source(shapes_keras(), request(variant="int8")), request(variant="int8"), None)
    layers = [stages.layer_names[index] for index in stages.kept(request(variant="int8", keep_float=("conv_*",)))]
    assert layers == [name for name in stages.layer_names.values() if name.startswith("conv_")]
    last = stages.kept(request(variant="int8", keep_float=("dense_*",)))
    assert [stages.graph.operators[index].name for index in last] == ["FULLY_CONNECTED", "SOFTMAX"]


def test_a_drop_needs_pictures_and_int8():
    with pytest.raises(ValueError, match="evaluate_on"):
        convert(shapes_keras(), request(variant="int8"), max_drop=1.0)
    with pytest.raises(RecipeError, match="has no layers to keep float"):
        convert(shapes_keras(), request(variant=Variant.FP16), evaluate_on=labelled_shapes(20), max_drop=1.0)


@pytest.mark.parametrize("ends", [None, "int8", "float32"])
def test_what_is_tried_gets_its_pictures_as_the_file_will(ends):
    """A crop, and ends that say nothing of pixels: accuracy is that of the file, not of a bare flatbuffer stretched."""
    pictures = labelled_shapes(60)
    config = request(
        variant="int8", ends=ends, preprocess=StatedPreprocess.parse(preprocess="inception", resize="crop:0.5")
    )
    measured = convert(shapes_keras(), config, evaluate_on=pictures).report.accuracy
    searched = convert(shapes_keras(), config, evaluate_on=pictures, max_drop=100.0).report.drop
    assert searched is not None
    assert searched.before == measured


def test_layers_are_ranked_on_what_both_files_see(hard):
    """The first layers are not to blame for a crop that only one of both files gets."""
    config = request(variant="int8", preprocess=StatedPreprocess.parse(preprocess="inception", resize="crop:0.5"))
    stages = Stages(open_source(hard, config), config, None)
    search = _Search(stages, config, Ends.UINT8, labelled_shapes(20), lambda _: None)
    damage = search.damage(search.convert(()))
    assert damage[min(damage)] < 0.1
