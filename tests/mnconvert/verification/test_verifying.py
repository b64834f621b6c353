"""A sound file passes and a broken one fails, on drawn shapes and without data, by the way that users go."""

from dataclasses import replace

import numpy as np
import pytest

import mninfer
from mnconvert.verification import Limits, Numbers, PictureKind, shape_pictures, verify
from mninfer.errors import UnsupportedModelError, VerifyError
from mninfer.model_file import annotate, decode_model, encode_model
from mninfer.preprocessing import PRESETS
from support.builder import GraphBuilder
from support.network import float_model, forward, int8_model
from support.networks import SHAPES_SIZE, embedder, shapes_float, shapes_int8, shapes_network
from support.pictures import shape_pictures as known_shapes

pytestmark = pytest.mark.smoke

INCEPTION = PRESETS["inception"]
INT8 = Limits(agreement=0.8, sqnr_db=10)
FLOAT = Limits(agreement=0.98, sqnr_db=80, numbers=Numbers.FLOAT, share=1)


def reference(tensors):
    return [forward(shapes_network(), tensors)]


def verified(data: bytes, limits: Limits = INT8, **changes):
    given = {"reference": reference, "preprocess": INCEPTION, "pictures": shape_pictures(16, size=SHAPES_SIZE)}
    return verify(data, limits=limits, **(given | changes))


def scaled(data: bytes, name: str, factor: float) -> bytes:
    """The file with one activation's scale wrong: what a range that clips, or that is too wide, comes to."""
    root = decode_model(data)
    (tensor,) = [tensor for tensor in root["subgraphs"][0]["tensors"] if tensor["name"] == name]
    tensor["quantization"]["scale"] = tuple(scale * factor for scale in tensor["quantization"]["scale"])
    return encode_model(root)


def run_alone(data: bytes):
    return mninfer.load(data, preprocess=INCEPTION).run


def test_a_sound_int8_file_passes():
    found = verified(shapes_int8())
    assert found.passed, found.failures
    assert (found.num_pictures, found.picture_kind) == (16, PictureKind.SHAPES)
    assert found.agreement > 0.8
    assert found.outputs[0].num_classes_seen > 2
    assert found.coverage.num_operators
    assert found.runtimes[0].has_run


def test_a_float_file_is_the_float_model():
    found = verified(shapes_float(), FLOAT)
    assert found.passed, found.failures
    assert found.sqnr_db > 90


@pytest.mark.parametrize("factor", [0.1, 10])
def test_a_wrong_range_fails(factor):
    found = verified(scaled(shapes_int8(), "layer_2", factor))
    assert not found.passed
    assert "dB of signal to noise, 10 dB is the least" in " ".join(found.failures)


def test_int8_is_told_from_float():
    (failure,) = verified(shapes_float()).failures
    assert failure.startswith("0.0 % of the multiply-adds are int8")


def test_pictures_may_be_the_user_s():
    pictures, _ = known_shapes(8, seed=1, size=(70, 60))
    found = verified(shapes_int8(), pictures=pictures, picture_kind=PictureKind.CALIBRATION)
    assert (found.passed, found.num_pictures, found.picture_kind) == (True, 8, PictureKind.CALIBRATION)


def test_tensors_do_as_well_as_their_pictures():
    pictures, _ = known_shapes(8, seed=1)
    tensors = [((picture - 127.5) / 127.5).astype(np.float32) for picture in pictures]
    by_picture, by_tensor = (verified(shapes_int8(), pictures=given) for given in (pictures, tensors))
    assert by_tensor.outputs == by_picture.outputs


def test_a_file_gets_its_pictures_by_its_own_contract():
    """A contract that is not the float model's is found out: the pictures go by it, as they will for users."""
    wrong = replace(INCEPTION, mean=(0.0,) * 3, std=(255.0,) * 3)
    own = annotate(shapes_float(), run=run_alone(shapes_float()), preprocess=wrong)
    assert not verified(own, FLOAT).passed


def test_several_pictures_at_a_time():
    """The last batch is filled up; what fills it isn't counted."""
    root = decode_model(shapes_float())
    for tensor in root["subgraphs"][0]["tensors"]:
        if not root["buffers"][tensor["buffer"]].get("data") is not None:
            tensor["shape"] = (3, *tensor["shape"][1:])
    found = verified(encode_model(root), FLOAT)
    assert (found.passed, found.num_pictures) == (True, 16), found.failures


def test_an_untrained_network_is_no_failure():
    """All its scores are nearly one, less than a step apart, and its files are right all the same."""
    *before, head = shapes_network()
    layers = [*before, replace(head, weights=head.weights / 10_000, bias=0 * head.bias)]
    quantized = int8_model(layers, SHAPES_SIZE, known_shapes(20, seed=0)[0])
    for data, limits in ((float_model(layers, SHAPES_SIZE), FLOAT), (quantized, INT8)):
        found = verified(data, limits, reference=lambda tensors: [forward(layers, tensors)])
        assert (found.passed, found.agreement) == (True, 1), found.failures


def test_features_are_measured_without_classes():
    layers = shapes_network()[:-1]

    def features(tensors):
        from support.network import activations

        return [activations(layers, tensors)[-1].mean((1, 2))]

    found = verified(embedder(), FLOAT, reference=features, has_classes=False)
    assert (found.passed, found.agreement) == (True, None)
    assert found.summary()["agreement_percent"] is None


def test_an_output_that_was_pooled_has_no_classes():
    b = GraphBuilder()
    x, y = b.activation("x", (1, 8, 8, 3)), b.activation("y", (1, 3))
    axes = b.constant("axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [x, axes], [y], "ReducerOptions", {"keep_dims": False})
    found = verified(b.build([x], [y]), FLOAT, reference=lambda tensors: [tensors.mean((1, 2))],
                     pictures=shape_pictures(2, size=(8, 8)))  # fmt: skip
    assert (found.passed, found.agreement) == (True, None)


def test_outputs_that_do_not_match_are_refused():
    with pytest.raises(VerifyError, match="the file has 1 outputs, the float model 2"):
        verified(shapes_int8(), reference=lambda tensors: 2 * reference(tensors))
    with pytest.raises(VerifyError, match=r"of the file is \[16\], of the float model \[15\]"):
        verified(shapes_int8(), reference=lambda tensors: [reference(tensors)[0][:, :15]])


def test_axes_of_one_may_differ():
    assert verified(shapes_int8(), reference=lambda tensors: [reference(tensors)[0][:, None, None]]).passed


def test_no_picture_proves_nothing():
    with pytest.raises(VerifyError, match="there is no picture"):
        verified(shapes_int8(), pictures=())


def test_two_inputs_are_refused():
    b = GraphBuilder()
    x, y, z = (b.activation(name, (1, 8, 8, 3)) for name in "xyz")
    b.operator("ADD", [x, y], [z], "AddOptions", {})
    with pytest.raises(UnsupportedModelError, match="the model has 2 inputs"):
        verified(b.build([x, y], [z]))


def test_verifying_twice_gives_the_same():
    assert verified(shapes_int8()) == verified(shapes_int8())
