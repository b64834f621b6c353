"""Record golden vectors: run a model on golden pictures, and measure how far rounding could carry each output."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from mninfer.errors import UnsupportedModelError
from mninfer.model_file.arithmetic import Arithmetic, arithmetic_of
from mninfer.model_file.golden.picture import golden_picture, golden_size
from mninfer.model_file.golden.run import Run, clearing, difference, tensor_digest
from mninfer.model_file.golden.vector import MAX_OUTPUTS, Array, GoldenOutput, GoldenVector
from mninfer.model_file.graph import Graph
from mninfer.model_file.picture_input import image_input
from mninfer.outputs import read_outputs
from mninfer.preprocessing import Preprocessor, PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["MOST_RECORDED_BYTES", "make_golden", "record_golden"]

NUM_VECTORS = 3
NUM_CANDIDATES = 12
LARGE_OUTPUT_BYTES = 64 << 10  # larger outputs (masks) are recorded once only
MOST_RECORDED_BYTES = 47 << 20  # of a vector's outputs together: in base64 they still fit mnkit.json, of 64 MiB at most
# A disturbance to measure how far rounding can carry: two grey levels up and down in blocks of 1/28 and 1/56 of the
# width. tflite-runtime 2.14 ended at most 2.8 times as far from LiteRT, over 20 integer networks (docs/decisions/0003).
DISTURBANCE = 2
DISTURBED_BLOCKS = (28, 56)
LEEWAY_MARGIN = 4


def make_golden(
    run: Run, graph: Graph, preprocess: PreprocessSpec, *, uses_xnnpack: bool = True
) -> tuple[GoldenVector, ...]:
    """Run a model of one picture on golden pictures, with an engine's ``run``, and record what it gives.

    Where it computes in integers, several pictures are tried, and those kept on which rounding matters least.
    ``uses_xnnpack`` is the engine's: what another one's integer kernels gave, no engine needs to give exactly.

    Raises:
        UnsupportedModelError: the model does not take one picture of a fixed size, or its outputs are too large or too
            many to be recorded: told when it has run once.
    """
    detection = read_outputs(graph).detection
    return record_golden(
        clearing(run, detection),
        preprocess=preprocess,
        tensor=image_input(graph),
        arithmetic=arithmetic_of(graph),
        uses_xnnpack=uses_xnnpack,
    )


def record_golden(
    run: Run, *, preprocess: PreprocessSpec, tensor: TensorSpec, arithmetic: Arithmetic, uses_xnnpack: bool = True
) -> tuple[GoldenVector, ...]:
    """The same for whatever ``run`` is."""
    prepare = Preprocessor(preprocess, tensor)
    if arithmetic is Arithmetic.FLOAT:
        recorded = [_recorded(run, index, prepare) for index in range(NUM_VECTORS)]
        return tuple(each.vector([0.0] * len(each.outputs)) for each in _fewer(recorded))
    recorded = [_recorded(run, index, prepare, DISTURBED_BLOCKS) for index in range(NUM_CANDIDATES)]
    usual = [median(moves) for moves in zip(*(each.moves for each in recorded), strict=True)]
    recorded.sort(key=lambda each: each.sensitivity)  # stable: among equals the first pictures
    kept = sorted(_fewer(recorded), key=lambda each: each.index)
    is_exact = uses_xnnpack and arithmetic is not Arithmetic.DYNAMIC
    return tuple(each.vector(usual, is_exact=is_exact) for each in kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """A golden picture's answers, and how far each output ``moves`` when the picture is disturbed."""

    index: int
    size: tuple[int, int]
    prepared: Array
    outputs: tuple[Array, ...]
    moves: tuple[float, ...]

    @property
    def sensitivity(self) -> float:
        """Relative to the outputs' peaks: what the pictures are ranked by."""
        return max(move / _peak(output) for move, output in zip(self.moves, self.outputs, strict=True))

    def vector(self, usual: Sequence[float], *, is_exact: bool = True) -> GoldenVector:
        """``usual`` is how far each output moves on other pictures: one that happens to stand still says little."""
        moves = (max(pair) for pair in zip(self.moves, usual, strict=True))
        leeways = (_rounded(LEEWAY_MARGIN * move, output) for move, output in zip(moves, self.outputs, strict=True))
        return GoldenVector(
            index=self.index,
            width=self.size[0],
            height=self.size[1],
            tensor_sha256=tensor_digest(self.prepared),
            outputs=tuple(
                GoldenOutput.of(*pair, is_exact=is_exact) for pair in zip(self.outputs, leeways, strict=True)
            ),
        )


def _recorded(run: Run, index: int, prepare: Preprocessor, disturbed: Sequence[int] = ()) -> _Recorded:
    size = golden_size(index, *prepare.target)
    picture = golden_picture(index, *size)
    prepared = prepare(picture)
    outputs = tuple(output.copy() for output in run([prepared]))
    _refuse_unrecordable(outputs)
    moves = [0.0] * len(outputs)
    for blocks in disturbed:
        moved = run([prepare(_disturb(picture, blocks))])
        moves = [max(old, difference(*pair)) for old, *pair in zip(moves, outputs, moved, strict=True)]
    return _Recorded(index=index, size=size, prepared=prepared, outputs=outputs, moves=tuple(moves))


def _refuse_unrecordable(outputs: Sequence[Array]) -> None:
    size = sum(output.nbytes for output in outputs)
    if len(outputs) <= MAX_OUTPUTS and size <= MOST_RECORDED_BYTES:
        return
    raise UnsupportedModelError(
        f"the outputs (number: {len(outputs)}) have {size:,} bytes; a golden vector records them whole, up to "
        f"{MAX_OUTPUTS} outputs and {MOST_RECORDED_BYTES:,} bytes",
        hints="convert the model again for a smaller input, or with fewer outputs",
    )


def _fewer(recorded: Sequence[_Recorded]) -> Sequence[_Recorded]:
    """The first few; one, where an output is large."""
    size = max(np.dtype(output.dtype).itemsize * math.prod(output.shape) for output in recorded[0].outputs)
    return recorded[: 1 if size > LARGE_OUTPUT_BYTES else NUM_VECTORS]


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
