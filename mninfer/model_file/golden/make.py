"""Record golden vectors: run a model on golden pictures, and measure how far rounding could carry each output."""

import math

import numpy as np
import numpy.typing as npt

from mninfer.model_file.arithmetic import Arithmetic, arithmetic_of
from mninfer.model_file.golden.picture import golden_picture, golden_size
from mninfer.model_file.golden.run import Run, clearing, difference, tensor_digest
from mninfer.model_file.golden.vector import Array, GoldenOutput, GoldenVector
from mninfer.model_file.graph import Graph
from mninfer.model_file.picture_input import image_input
from mninfer.outputs import read_outputs
from mninfer.preprocessing import Preprocessor, PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["make_golden", "record_golden"]

NUM_VECTORS = 3
NUM_CANDIDATES = 12
LARGE_OUTPUT_BYTES = 64 << 10  # larger outputs (masks) are recorded once only
# A disturbance to measure how far rounding can carry: two grey levels up and down in blocks of 1/28 and 1/56 of the
# width. tflite-runtime 2.14 ended at most 2.8 times as far from LiteRT, over 20 integer networks (docs/decisions/0003).
DISTURBANCE = 2
DISTURBED_BLOCKS = (28, 56)
LEEWAY_MARGIN = 4


def make_golden(run: Run, graph: Graph, preprocess: PreprocessSpec) -> tuple[GoldenVector, ...]:
    """Run a model of one picture on golden pictures, with an engine's ``run``, and record what it gives.

    Where it computes in integers, several pictures are tried, and those kept on which rounding matters least.

    Raises:
        UnsupportedModelError: the model does not take one picture of a fixed size.
    """
    detection = read_outputs(graph).detection
    return record_golden(
        clearing(run, detection),
        preprocess=preprocess,
        tensor=image_input(graph),
        arithmetic=arithmetic_of(graph),
    )


def record_golden(
    run: Run, *, preprocess: PreprocessSpec, tensor: TensorSpec, arithmetic: Arithmetic
) -> tuple[GoldenVector, ...]:
    """The same for whatever ``run`` is."""
    prepare = Preprocessor(preprocess, tensor)
    candidates = range(NUM_VECTORS if arithmetic is Arithmetic.FLOAT else NUM_CANDIDATES)
    measured = [_measure(run, index, prepare, arithmetic) for index in candidates]
    measured.sort(key=lambda item: item[0])  # stable: among equals the first pictures
    size = max(np.dtype(output.dtype).itemsize * math.prod(output.shape) for output in measured[0][1].outputs)
    count = 1 if size > LARGE_OUTPUT_BYTES else NUM_VECTORS
    return tuple(sorted((vector for _, vector in measured[:count]), key=lambda vector: vector.index))


def _measure(run: Run, index: int, prepare: Preprocessor, arithmetic: Arithmetic) -> tuple[float, GoldenVector]:
    """A vector, and its leeway relative to the outputs' peaks: what the pictures are ranked by."""
    width, height = golden_size(index, *prepare.target)
    picture = golden_picture(index, width, height)
    prepared = prepare(picture)
    outputs = [output.copy() for output in run([prepared])]
    leeways = [0.0] * len(outputs)
    if arithmetic is not Arithmetic.FLOAT:
        for blocks in DISTURBED_BLOCKS:
            moved = run([prepare(_disturb(picture, blocks))])
            leeways = [max(old, difference(*pair)) for old, *pair in zip(leeways, outputs, moved, strict=True)]
        leeways = [_rounded(LEEWAY_MARGIN * leeway, output) for leeway, output in zip(leeways, outputs, strict=True)]
    is_exact = arithmetic is not Arithmetic.DYNAMIC
    vector = GoldenVector(
        index=index,
        width=width,
        height=height,
        tensor_sha256=tensor_digest(prepared),
        outputs=tuple(GoldenOutput.of(*pair, is_exact=is_exact) for pair in zip(outputs, leeways, strict=True)),
    )
    return max(leeway / _peak(output) for leeway, output in zip(leeways, outputs, strict=True)), vector


def _disturb(picture: npt.NDArray[np.uint8], blocks: int) -> npt.NDArray[np.uint8]:
    """The picture a little brighter and darker in a chequered pattern, ``blocks`` across."""
    height, width = picture.shape[:2]
    side = max(1, width // blocks)
    rows, columns = np.mgrid[0:height, 0:width] // side
    sign = (rows + columns) % 2 * 2 - 1
    moved = picture.astype(np.int64) + DISTURBANCE * sign[..., None]
    return np.asarray(np.clip(moved, 0, 255), np.uint8)


def _rounded(leeway: float, output: Array) -> float:
    """Whole steps, one at least; floats rounded up to 3 digits, so that the JSON is short."""
    if output.dtype.kind in "iub":
        return max(1, int(leeway))
    return float(f"{leeway * 1.005:.3g}")


def _peak(output: Array) -> float:
    return max(float(np.max(np.abs(output.astype(np.float64)), initial=0.0)), 1e-9)
