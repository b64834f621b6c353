"""A model's table is decoded, changed and encoded again: what mnconvert does with weights and scales."""

import numpy as np
import pytest

from mninfer.model_file import check_model, decode_model, encode_model
from support.networks import colour_segmenter, red_detector, shapes_float, shapes_int8

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize("data", [shapes_float(), shapes_int8(), colour_segmenter(), red_detector()])
def test_a_model_goes_round(data: bytes) -> None:
    once = encode_model(decode_model(data))
    assert decode_model(once) == decode_model(data)
    assert encode_model(decode_model(once)) == once


def test_weights_scales_and_zero_points_are_overwritten() -> None:
    before = check_model(shapes_int8())
    place = next(operator.inputs[1] for operator in before.operators if operator.name == "CONV_2D")
    weights = before.tensors[place]
    assert weights.data is not None
    assert weights.quantization is not None

    root = decode_model(shapes_int8())
    table = root["subgraphs"][0]["tensors"][place]
    doubled = tuple(2 * scale for scale in weights.quantization.scales)
    table["quantization"]["scale"] = doubled
    zeros = np.zeros(len(weights.data), np.int8).tobytes()
    root["buffers"][table["buffer"]]["data"] = zeros
    after = check_model(encode_model(root))

    changed = after.tensors[place]
    assert changed.data is not None
    assert changed.quantization is not None
    assert bytes(changed.data) == zeros
    assert changed.quantization.scales == doubled
    assert after.operators == before.operators
