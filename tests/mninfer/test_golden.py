"""Golden pictures by their formula; vectors that an engine gives again; comparisons that notice what they should."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mninfer.errors import UnsupportedModelError, VerifyError
from mninfer.model_file.archive import ArchiveEntry, read_archive, write_archive
from mninfer.model_file.arithmetic import Arithmetic
from mninfer.model_file.contract import CONTRACT_NAME, Contract, dump_json, load_json
from mninfer.model_file.golden import (
    GoldenOutput,
    GoldenReport,
    GoldenVector,
    compare_golden,
    golden_picture,
    golden_size,
    record_golden,
)
from mninfer.model_file.golden.make import MOST_RECORDED_BYTES
from mninfer.model_file.golden.run import clearing
from mninfer.outputs import DetectionOutputs
from mninfer.preprocessing import PRESETS, PreprocessSpec
from mninfer.spec import Provenance, Task
from mninfer.tensors import Quantization, TensorSpec

pytestmark = pytest.mark.smoke

Array = npt.NDArray[Any]
FLOAT = TensorSpec(name="x", shape=(1, 20, 30, 3), shape_signature=(1, 20, 30, 3), dtype="float32")
UINT8 = replace(FLOAT, dtype="uint8", quantization=Quantization((1 / 127.5,), (127,)))
SPEC = PRESETS["inception"]


def formula(index: int, width: int, height: int) -> bytes:
    """The picture as docs/formats.md writes it down, pixel by pixel, in whole numbers."""
    state = (index * 2654435761 + 1013904223) % 4294967296
    numbers = []
    for _ in range(3 + 12 * 8):
        state = (state * 1664525 + 1013904223) % 4294967296
        numbers.append(state // 65536)
    pixels = [[[n % 256 for n in numbers[:3]] for _ in range(width)] for _ in range(height)]
    for shape in range(12):
        kind, red, green, blue, x, y, w, h = numbers[3 + 8 * shape : 11 + 8 * shape]
        centre_x, centre_y = x % width, y % height
        half_w = 1 + width // 16 + w % (width // 4 + 1)
        half_h = 1 + height // 16 + h % (height // 4 + 1)
        for row in range(height):
            for column in range(width):
                dx, dy = abs(column - centre_x), row - centre_y
                inside = (
                    (dx <= half_w and abs(dy) <= half_h),
                    ((dx * half_h) ** 2 + (dy * half_w) ** 2 <= (half_w * half_h) ** 2),
                    (abs(dy) <= half_h and 2 * half_h * dx <= half_w * (dy + half_h)),
                )[kind % 3]
                if inside:
                    pixels[row][column] = [red % 256, green % 256, blue % 256]
    return bytes(value for row in pixels for pixel in row for value in pixel)


@pytest.mark.parametrize(
    ("index", "width", "height"), [(0, 37, 26), (1, 26, 37), (2, 1, 1), (2**32 - 1, 9, 5), (77, 64, 3)]
)
def test_the_picture_is_the_formula(index: int, width: int, height: int) -> None:
    picture = golden_picture(index, width, height)
    assert (picture.shape, picture.dtype) == ((height, width, 3), np.uint8)
    assert picture.tobytes() == formula(index, width, height)


def test_a_picture_never_changes() -> None:
    digest = hashlib.sha256(golden_picture(0, 337, 281).tobytes()).hexdigest()
    assert digest == "9c5251122c653fb7df9d2ed15e40b811a3c25fad89f189c792d3a278aa13c2d0"


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (32, 32), (224, 224), (20, 24), (24, 20), (300, 300), (5, 6), (6, 5)])
@pytest.mark.parametrize("index", range(4))
def test_pictures_are_larger_than_the_input_and_not_square(size: tuple[int, int], index: int) -> None:
    width, height = golden_size(index, *size)
    assert width > size[0]
    assert height > size[1]
    assert width != height


@pytest.mark.parametrize("size", [(6000, 32), (32, 6000), (7000, 8000), (8191, 8191), (20000, 9000)])
@pytest.mark.parametrize("index", range(2))
def test_pictures_for_very_large_inputs_are_defined(size: tuple[int, int], index: int) -> None:
    width, height = golden_size(index, *size)
    assert min(size[0], 8191) <= width <= 8192
    assert min(size[1], 8191) <= height <= 8192
    assert width != height


@pytest.mark.parametrize("wrong", [(-1, 5, 5), (0, 0, 5), (0, 5, 20000), (2**32, 5, 5)])
def test_a_picture_that_is_not_defined(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no golden picture"):
        golden_picture(*wrong)


def mean_colour(arrays: Sequence[Array]) -> list[Array]:
    """A float network of sorts: three means."""
    return [arrays[0].mean((1, 2), dtype=np.float64).astype(np.float32)]


def quantized_mean(arrays: Sequence[Array]) -> list[Array]:
    return [np.round(arrays[0].mean((1, 2), dtype=np.float64)).astype(np.uint8)]


def compare(vectors: tuple[GoldenVector, ...], run: Any, tensor: TensorSpec = FLOAT, *, exact: bool = True,
            spec: PreprocessSpec = SPEC) -> GoldenReport:  # fmt: skip
    return compare_golden(vectors, run=run, preprocess=spec, tensor=tensor, engine="test 1.0", uses_xnnpack=exact)


def test_the_same_network_matches() -> None:
    vectors = record_golden(mean_colour, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    assert [vector.index for vector in vectors] == [0, 1, 2]
    assert {output.leeway for vector in vectors for output in vector.outputs} == {0}
    report = compare(vectors, mean_colour)
    assert report.ok
    assert report.message == "3 golden vectors on test 1.0: identical"
    report.raise_if_different()


def test_vectors_go_round_by_json() -> None:
    vectors = record_golden(mean_colour, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    assert tuple(GoldenVector.from_json(vector.to_json()) for vector in vectors) == vectors


@pytest.mark.parametrize("dtype", ["bool", "float16", "float32", "int16", "int32", "int64", "int8", "uint8"])
def test_outputs_of_any_dtype_go_round(dtype: str) -> None:
    array = np.array([[0, 1, 5, 100]]).astype(dtype)
    assert (GoldenOutput.from_json(GoldenOutput.of(array).to_json()).array() == array).all()


def test_other_preprocessing_is_noticed() -> None:
    vectors = record_golden(mean_colour, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    report = compare(vectors, mean_colour, spec=PRESETS["torch"])
    assert not report.ok
    assert "preprocessing differs" in report.message


@pytest.mark.parametrize(("off", "ok"), [(0, True), (9e-6, True), (2e-5, False), (float("nan"), False)])
def test_float_outputs_may_be_a_hundred_thousandth_off(off: float, ok: bool) -> None:
    vectors = record_golden(mean_colour, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    for exact in (True, False):
        report = compare(vectors, lambda arrays: [mean_colour(arrays)[0] + np.float32(off)], exact=exact)
        assert report.ok is ok


def test_for_large_outputs_the_tolerance_is_of_the_peak() -> None:
    def hundred(arrays: Sequence[Array], off: float = 0) -> list[Array]:
        return [np.full((1, 3), 100 + off, np.float32)]

    vectors = record_golden(hundred, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    assert compare(vectors, lambda arrays: hundred(arrays, 9e-4)).ok
    assert not compare(vectors, lambda arrays: hundred(arrays, 2e-3)).ok


@pytest.mark.parametrize(
    ("exact", "off", "ok"), [(True, 0, True), (True, 1, False), (False, 1, True), (False, 9, False)]
)
def test_quantized_outputs_are_exact_on_xnnpack_and_near_elsewhere(exact: bool, off: int, ok: bool) -> None:
    vectors = record_golden(quantized_mean, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.INTEGER)
    assert {output.leeway for vector in vectors for output in vector.outputs} <= {1, 2}
    report = compare(vectors, lambda arrays: [quantized_mean(arrays)[0] + np.uint8(off)], UINT8, exact=exact)
    assert report.ok is ok
    assert not (off and ok) or report.message.endswith("within tolerance, at most 1 steps off")
    if not ok:
        with pytest.raises(VerifyError) as caught:
            report.raise_if_different()
        assert ("--engine litert" in caught.value.hints[0]) is not exact


@pytest.mark.parametrize(("off", "ok"), [(1, True), (9, False)])
def test_what_was_recorded_without_xnnpack_is_exact_nowhere(off: int, ok: bool) -> None:
    vectors = record_golden(
        quantized_mean, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.INTEGER, uses_xnnpack=False
    )
    assert compare(vectors, lambda arrays: [quantized_mean(arrays)[0] + np.uint8(off)], UINT8, exact=True).ok is ok


def test_the_pictures_on_which_rounding_matters_least_are_kept() -> None:
    def nervous(arrays: Sequence[Array]) -> list[Array]:
        """Jumps on dark pictures, calm on bright ones."""
        mean = arrays[0].astype(np.float64).mean()
        return [np.array([[50 if mean > 110 else int(arrays[0].astype(np.int64).sum()) % 97]], np.uint8)]

    vectors = record_golden(nervous, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.INTEGER)
    assert len(vectors) == 3
    assert [vector.index for vector in vectors] == sorted(vector.index for vector in vectors)
    assert sum(vector.outputs[0].leeway == 1 for vector in vectors) >= 2


def test_a_picture_that_happens_to_stand_still_has_the_leeway_of_the_others() -> None:
    def nervous(arrays: Sequence[Array]) -> list[Array]:
        """Moves by 5 steps at least wherever the first pixel is not a bright one."""
        total = int(arrays[0].astype(np.int64).sum())
        return [np.array([[50 if arrays[0][0, 0, 0, 0] > 200 else 20 * (total % 5)]], np.uint8)]

    vectors = record_golden(nervous, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.INTEGER)
    assert any(vector.outputs[0].array()[0, 0] == 50 for vector in vectors), "a calm one was chosen"
    assert all(vector.outputs[0].leeway >= 4 * 20 for vector in vectors)


def test_indices_are_counted_by_place() -> None:
    def mask(arrays: Sequence[Array], wrong: int = 0) -> list[Array]:
        classes = np.zeros((1, 4, 4), np.int32)
        classes[0, 0, :wrong] = 20
        return [classes]

    vectors = record_golden(mask, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.INTEGER)
    assert compare(vectors, lambda arrays: mask(arrays, 1), UINT8, exact=False).ok
    report = compare(vectors, lambda arrays: mask(arrays, 2), UINT8, exact=False)
    assert not report.ok
    assert "output 0 (int32) is 2 places off, 1 allowed" in report.message


def test_a_large_output_is_recorded_once() -> None:
    vectors = record_golden(
        lambda arrays: [np.zeros((1, 200, 200, 4), np.float32)],
        preprocess=SPEC,
        tensor=FLOAT,
        arithmetic=Arithmetic.FLOAT,
    )
    assert len(vectors) == 1


@pytest.mark.parametrize(
    ("shapes", "found"),
    [
        ([(48 << 20,)], r"outputs \(number: 1\) have 50,331,648 bytes"),
        ([(24 << 20,), (24 << 20,)], r"outputs \(number: 2\) have 50,331,648 bytes"),
        ([(1,)] * 17, r"outputs \(number: 17\) have 17 bytes"),
    ],
)
def test_what_cannot_be_recorded_is_refused_when_it_has_run_once(shapes: list[tuple[int, ...]], found: str) -> None:
    """It was a ValueError where the file is written, or a file that could not be read."""
    runs = []

    def run(arrays: Sequence[Array]) -> list[Array]:
        runs.append(arrays)
        return [np.zeros(shape, np.uint8) for shape in shapes]

    with pytest.raises(UnsupportedModelError, match=found):
        record_golden(run, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.INTEGER)
    assert len(runs) == 1


def test_the_largest_that_is_recorded_can_be_written_and_read() -> None:
    vectors = record_golden(
        lambda arrays: [np.zeros(MOST_RECORDED_BYTES, np.uint8)],
        preprocess=SPEC,
        tensor=FLOAT,
        arithmetic=Arithmetic.FLOAT,
    )
    contract = Contract(task=Task.EMBED, preprocess=SPEC, provenance=Provenance(), golden=vectors, digest="0" * 64)
    written = write_archive([ArchiveEntry(CONTRACT_NAME, dump_json(contract.to_json()))], 0)
    archive = read_archive(written)
    assert archive is not None
    assert Contract.from_json(load_json(archive.find(CONTRACT_NAME) or b"")).golden == vectors


@pytest.mark.parametrize("outputs", [[], [np.zeros((1, 4), np.float32)], [np.zeros((1, 3), np.float64)]])
def test_another_kind_of_output_differs(outputs: list[Array]) -> None:
    vectors = record_golden(mean_colour, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    report = compare(vectors, lambda arrays: outputs)
    assert not report.ok
    assert report.to_json()["vectors"][0]["outputs"][0]["largest_difference"] is None


def test_a_difference_is_an_error_with_the_report() -> None:
    vectors = record_golden(mean_colour, preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.FLOAT)
    report = compare(vectors, lambda arrays: [mean_colour(arrays)[0] + 1])
    with pytest.raises(VerifyError, match="does not give its golden outputs") as caught:
        report.raise_if_different("net.tflite")
    assert caught.value.report is report
    assert caught.value.exit_code == 3
    assert caught.value.where == "net.tflite"


def test_what_lies_beyond_a_detectors_count_does_not_matter() -> None:
    memory = iter(range(1000))

    def detect(arrays: Sequence[Array], count: int = 2) -> list[Array]:
        rest = np.float32(next(memory))
        boxes, classes, scores = (np.full(shape, rest) for shape in ((1, 4, 4), (1, 4), (1, 4)))
        boxes[:, :count], classes[:, :count], scores[:, :count] = 0.5, 1, 0.75
        return [boxes, classes, scores, np.array([count], np.float32)]

    detection = DetectionOutputs(boxes=0, classes=1, scores=2, count=3, num_classes=3)
    vectors = record_golden(clearing(detect, detection), preprocess=SPEC, tensor=FLOAT, arithmetic=Arithmetic.INTEGER)
    assert (vectors[0].outputs[0].array()[:, 2:] == 0).all()

    def report(count: int) -> GoldenReport:
        return compare_golden(vectors, run=lambda arrays: detect(arrays, count), preprocess=SPEC, tensor=FLOAT,
                              engine="test", uses_xnnpack=True, detection=detection)  # fmt: skip

    assert report(2).ok
    assert not report(1).ok


def test_a_dynamic_range_network_has_its_leeway_everywhere() -> None:
    vectors = record_golden(quantized_mean, preprocess=SPEC, tensor=UINT8, arithmetic=Arithmetic.DYNAMIC)
    for exact in (True, False):
        assert compare(vectors, lambda arrays: [quantized_mean(arrays)[0] + np.uint8(1)], UINT8, exact=exact).ok
