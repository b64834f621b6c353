"""Where a quantized file loses its signal is found, operator by operator."""

import pytest

from mnconvert.verification import shape_pictures, sqnr_by_operator
from mninfer.model_file import check_model, decode_model, encode_model, macs_by_operator
from mninfer.preprocessing import PRESETS
from support.networks import SHAPES_SIZE, embedder, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke

INCEPTION = PRESETS["inception"]


def errors(quantized: bytes, wanted: bytes | None = None):
    pictures = shape_pictures(4, size=SHAPES_SIZE)
    return sqnr_by_operator(wanted or shapes_float(), quantized, preprocess=INCEPTION, pictures=pictures)


def test_every_operator_that_computes_is_compared():
    found = errors(shapes_int8())
    graph = check_model(shapes_float())
    assert [error.kind for error in found] == [operator.name for operator in graph.operators]
    assert [error.name for error in found] == [graph.tensors[o.outputs[0]].name for o in graph.operators]
    assert tuple(error.macs for error in found) == macs_by_operator(graph)
    assert min(error.sqnr_db for error in found) > 10
    assert found[0].sqnr_db > 25
    assert found[0].std > abs(found[0].bias)


def test_a_file_against_itself_loses_nothing():
    assert {error.sqnr_db for error in errors(shapes_float())} == {100.0}
    assert {error.bias for error in errors(shapes_float())} == {0.0}


def test_the_first_broken_layer_is_seen():
    root = decode_model(shapes_int8())
    (tensor,) = [tensor for tensor in root["subgraphs"][0]["tensors"] if tensor["name"] == "layer_3"]
    tensor["quantization"]["scale"] = tuple(scale / 10 for scale in tensor["quantization"]["scale"])
    sound, broken = errors(shapes_int8()), errors(encode_model(root))
    assert [error.sqnr_db for error in broken[:3]] == [error.sqnr_db for error in sound[:3]]
    assert broken[3].sqnr_db < sound[3].sqnr_db - 10
    assert broken[3].to_json()["name"] == "layer_3"


def test_files_of_different_networks_are_refused():
    with pytest.raises(ValueError, match="not of one network"):
        errors(shapes_int8(), embedder())


def test_no_picture_measures_nothing():
    with pytest.raises(ValueError, match="there is no picture"):
        sqnr_by_operator(shapes_float(), shapes_int8(), preprocess=INCEPTION, pictures=())
