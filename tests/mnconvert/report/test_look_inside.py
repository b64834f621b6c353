"""Float and int8 of one network side by side: every layer's error, and the numbers of the worst."""

import pytest

from mnconvert.report.detail import Detail
from mnconvert.report.look_inside import look_inside
from mnconvert.verification import shape_pictures
from mnconvert.verification.fidelity import MOST_DB
from mninfer.model_file import decode_model, encode_model
from support.conversions import shapes_preprocess
from support.networks import SHAPES_SIZE, embedder, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def detail() -> Detail:
    return seen(shapes_int8())


def seen(data: bytes) -> Detail:
    pictures = list(shape_pictures(4, size=SHAPES_SIZE))
    return look_inside(
        shapes_float(), data, name="int8", preprocess=shapes_preprocess(), pictures=pictures, kind="flat shapes"
    )


def test_every_layer_has_a_point_and_the_worst_are_ranked(detail: Detail) -> None:
    assert detail.pictures == "4 pictures of flat shapes"
    assert [point.index for point in detail.points] == sorted(point.index for point in detail.points)
    ranked = sorted((point for point in detail.points if point.rank), key=lambda point: point.rank or 0)
    assert [layer.point for layer in detail.worst] == ranked
    assert [point.sqnr_db for point in ranked] == sorted(point.sqnr_db for point in detail.points)[: len(ranked)]


def test_histograms_count_the_same_number_of_values_in_both_files(detail: Detail) -> None:
    for layer in detail.worst:
        histograms = [layer.activations, *([layer.weights] if layer.weights else [])]
        for histogram in histograms:
            assert sum(histogram.float_counts) == sum(histogram.file_counts) > 0
            assert histogram.low < histogram.high


def test_layers_with_weights_show_them_and_quantized_activations_their_limits(detail: Detail) -> None:
    convolutions = [layer for layer in detail.worst if layer.point.operator == "CONV_2D"]
    assert convolutions
    for layer in convolutions:
        assert layer.weights is not None
        assert layer.activations.limits is not None
        low, high = layer.activations.limits
        assert low < high


def test_a_file_against_itself_has_no_error() -> None:
    same = seen(shapes_float())
    assert min(point.sqnr_db for point in same.points) == MOST_DB
    assert all(layer.activations.float_counts == layer.activations.file_counts for layer in same.worst)
    assert all(layer.activations.limits is None for layer in same.worst)


def test_files_of_two_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="not of one network"):
        seen(embedder())


def of_three(data: bytes) -> bytes:
    """The same network for three pictures at once."""
    root = decode_model(data)
    for tensor in root["subgraphs"][0]["tensors"]:
        if root["buffers"][tensor["buffer"]].get("data") is None:
            tensor["shape"] = (3, *tensor["shape"][1:])
    return encode_model(root)


def test_files_of_several_pictures_at_once_are_looked_into_as_well():
    """The page was a traceback, when the file was written already."""
    inside = look_inside(
        of_three(shapes_float()),
        of_three(shapes_int8()),
        name="int8",
        preprocess=shapes_preprocess(),
        pictures=list(shape_pictures(2, size=SHAPES_SIZE)),
        kind="shapes",
    )
    assert len(inside.worst) > 2
