"""Order and deviations folded into the first convolution: the same network for pixels in another form."""

import numpy as np
import pytest

from mnconvert.passes.fold_input import fold_input
from mnconvert.quantize.plan import Moments, Seen
from mninfer.engines import open_engine
from mninfer.model_file import check_model
from mninfer.preprocessing import PreprocessSpec
from support.builder import GraphBuilder
from support.networks import colour_segmenter, shapes_float

pytestmark = pytest.mark.smoke

BGR = PreprocessSpec(mean=(103.9, 116.8, 123.7), std=(1.0, 1.0, 1.0), order="bgr")
UNEVEN = PreprocessSpec(mean=(127.5,) * 3, std=(120.0, 127.5, 140.0))
BOTH = PreprocessSpec(mean=(120.0, 127.0, 131.0), std=(57.0, 58.0, 59.0), order="bgr")
PLAIN = PreprocessSpec(mean=(127.5,) * 3, std=(127.5,) * 3)


def answer(flatbuffer: bytes, preprocess: PreprocessSpec, pixels: np.ndarray) -> np.ndarray:
    ordered = pixels[..., ::-1] if preprocess.order == "bgr" else pixels
    tensor = (ordered - np.array(preprocess.mean)) / np.array(preprocess.std)
    return open_engine(flatbuffer).run([tensor.astype(np.float32)])[0]


def padded_network(depthwise: bool = False) -> bytes:
    """PAD, then one convolution; or a depthwise one, whose filters are its output channels as well."""
    b, rng = GraphBuilder(), np.random.default_rng(0)
    x, padded = b.activation("image", (1, 6, 5, 3)), b.activation("padded", (1, 8, 7, 3))
    b.operator("PAD", [x, b.constant("amounts", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))], [padded])
    shape, num = ((1, 3, 3, 3), 3) if depthwise else ((4, 3, 3, 3), 4)
    y = b.activation("y", (1, 6, 5, num))
    operands = [padded, b.constant("w", rng.normal(size=shape).astype(np.float32)), b.constant("b", np.ones(num, "f4"))]
    options = {"padding": 1, "stride_w": 1, "stride_h": 1} | ({"depth_multiplier": 1} if depthwise else {})
    name, table = ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions") if depthwise else ("CONV_2D", "Conv2DOptions")
    b.operator(name, operands, [y], table, options)
    return b.build([x], [y])


@pytest.mark.parametrize("preprocess", [BGR, UNEVEN, BOTH], ids=["order", "std", "both"])
@pytest.mark.parametrize("make", [shapes_float, padded_network])
def test_the_same_answer_to_the_same_pixels(make, preprocess):
    data = make()
    folded = fold_input(data, preprocess)
    assert folded.preprocess.order == "rgb"
    assert len(set(folded.preprocess.std)) == 1
    assert folded.flatbuffer != data
    shape = check_model(data).tensors[0].shape
    pixels = np.random.default_rng(1).integers(0, 256, shape)
    wanted, found = answer(data, preprocess, pixels), answer(folded.flatbuffer, folded.preprocess, pixels)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_means_go_with_their_channels():
    assert fold_input(shapes_float(), BGR).preprocess.mean == (123.7, 116.8, 103.9)


@pytest.mark.parametrize("preprocess", [BGR, UNEVEN, BOTH], ids=["order", "std", "both"])
def test_twice_is_once(preprocess):
    once = fold_input(shapes_float(), preprocess)
    twice = fold_input(once.flatbuffer, once.preprocess)
    assert (twice.flatbuffer, twice.preprocess) == (once.flatbuffer, once.preprocess)


def test_what_needs_no_folding_is_left_alone():
    folded = fold_input(shapes_float(), PLAIN)
    assert folded.flatbuffer == shapes_float()
    assert folded.preprocess == PLAIN
    assert not folded.changed


@pytest.mark.parametrize("make", [colour_segmenter, lambda: padded_network(depthwise=True)], ids=["pool", "depthwise"])
def test_what_no_convolution_reads_is_left_alone(make):
    folded = fold_input(make(), BGR)
    assert folded.flatbuffer == make()
    assert folded.preprocess == BGR


def test_indices_stay_what_they_were():
    files = padded_network(), fold_input(padded_network(), BOTH).flatbuffer
    names = [[tensor.name for tensor in check_model(data).tensors] for data in files]
    assert names[0] == names[1]


def test_what_was_seen_of_the_input_is_told_of_the_new_one():
    folded = fold_input(padded_network(), BOTH)
    assert folded.changed == {0, 1}  # the input, as it is and padded
    moments = Moments(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]))
    seen = folded.seen(0, Seen(-2.0, 2.0, moments))
    np.testing.assert_allclose(seen.moments.mean, [3.0 * 59, 2.0 * 58, 1.0 * 57])
    np.testing.assert_allclose(seen.moments.std, [0.3 * 59, 0.2 * 58, 0.1 * 57])
    assert (seen.low, seen.high) == (-118.0, 118.0)
    other = Seen(-2.0, 2.0, moments)
    assert folded.seen(4, other) is other
