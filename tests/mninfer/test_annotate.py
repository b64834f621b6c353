"""Attaching the contract to a model that is there already."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mninfer.engines.choose import open_engine
from mninfer.errors import ModelFileError, PreprocessError, UnsupportedModelError
from mninfer.model_file.annotating import annotate
from mninfer.model_file.archive import ArchiveEntry, read_archive, write_archive
from mninfer.model_file.describe import ModelDescription
from mninfer.model_file.golden import compare_golden
from mninfer.model_file.picture_input import image_input
from mninfer.model_file.read import ModelFile, read_model
from mninfer.model_file.write import write_contract
from mninfer.outputs import read_outputs
from mninfer.preprocessing import PRESETS, PreprocessSource
from mninfer.spec import Task
from support.builder import GraphBuilder, quantization
from support.networks import colour_segmenter, embedder, red_detector, shapes_float, shapes_int8
from support.pictures import CLASSES

pytestmark = pytest.mark.smoke

INCEPTION = PRESETS["inception"]
UNIT = replace(PRESETS["raw"], std=(255.0, 255.0, 255.0))


def attach(data: bytes, **options: Any) -> bytes:
    engine = open_engine(data, threads=1)
    try:
        return annotate(data, run=engine.run, **options)
    finally:
        engine.close()


def read(data: bytes) -> ModelFile:
    return read_model(data, where="net.tflite")


def is_verified(data: bytes) -> bool:
    file = read(data)
    assert file.contract is not None
    assert file.contract.preprocess is not None
    engine = open_engine(data, threads=1)
    report = compare_golden(
        file.contract.golden,
        run=engine.run,
        preprocess=file.contract.preprocess,
        tensor=image_input(file.graph),
        engine=engine.name,
        uses_xnnpack=engine.uses_xnnpack,
        detection=read_outputs(file.graph).detection,
    )
    engine.close()
    return report.ok


@pytest.mark.parametrize(
    "model", [shapes_float(), shapes_float(dynamic_batch=True), shapes_int8(), shapes_int8(ends="int8")]
)
def test_a_classifier(model: bytes) -> None:
    data = attach(model, preprocess=INCEPTION, labels=CLASSES, source_name="shapes.tflite")
    file = read(data)
    assert file.contract is not None
    assert file.labels == CLASSES
    assert file.contract.task is Task.CLASSIFY
    assert file.contract.preprocess == INCEPTION
    assert file.contract.provenance.source_name == "shapes.tflite"
    assert file.contract.provenance.source_sha256 == read(model).sha256
    assert len(file.contract.golden) == 3
    assert is_verified(data)


@pytest.mark.parametrize(
    ("model", "labels", "stated", "task"),
    [
        (red_detector(), ("red",), None, Task.DETECT),
        (red_detector(), ("background", "red"), None, Task.DETECT),
        (colour_segmenter(), tuple("abcde"), None, Task.SEGMENT),
        (colour_segmenter(argmax=True), tuple("abcde"), None, Task.SEGMENT),
        (embedder(), None, Task.EMBED, Task.EMBED),
        (embedder(), None, None, Task.CLASSIFY),
    ],
)
def test_the_task_is_seen_in_the_outputs_unless_stated(
    model: bytes, labels: tuple[str, ...] | None, stated: Task | None, task: Task
) -> None:
    data = attach(model, preprocess=UNIT, labels=labels, task=stated)
    contract = read(data).contract
    assert contract is not None
    assert contract.task is task
    assert is_verified(data)


@pytest.mark.parametrize(
    ("model", "task"),
    [(red_detector(), Task.CLASSIFY), (shapes_float(), Task.DETECT), (shapes_float(), Task.SEGMENT)],
)
def test_a_task_that_the_outputs_do_not_serve(model: bytes, task: Task) -> None:
    with pytest.raises(UnsupportedModelError, match=f'the model is not for "{task}"'):
        attach(model, preprocess=UNIT, task=task)


def test_twice_is_once() -> None:
    about = ModelDescription(name="Shapes")
    once = attach(shapes_int8(), preprocess=INCEPTION, labels=CLASSES, about=about, source_name="a.tflite")
    assert attach(once, preprocess=INCEPTION, labels=CLASSES, source_name="b.tflite") == once
    assert attach(once) == once


def test_what_is_said_of_a_model_stays_but_for_what_is_stated() -> None:
    about = ModelDescription(name="Shapes", author="Me", license="Apache-2.0")
    once = attach(shapes_float(), preprocess=INCEPTION, about=about)
    metadata = read(attach(once, about=ModelDescription(name="Flat shapes"))).metadata
    assert metadata is not None
    assert (metadata.name, metadata.author, metadata.license) == ("Flat shapes", "Me", "Apache-2.0")


def test_a_statement_replaces_what_the_file_said() -> None:
    once = attach(shapes_float(), preprocess=INCEPTION, labels=CLASSES, source_name="a.tflite")
    crop = replace(INCEPTION, resize=INCEPTION.resize.CROP, crop_fraction=0.875)
    labels = tuple(label.upper() for label in CLASSES)
    file = read(attach(once, preprocess=crop, labels=labels))
    assert file.contract is not None
    assert (file.contract.preprocess, file.labels) == (crop, labels)
    assert file.contract.provenance.source_name == "a.tflite"


def test_nothing_known_is_an_error_that_lists_the_options() -> None:
    with pytest.raises(PreprocessError, match="does not say how a picture becomes its input") as caught:
        attach(shapes_float(), labels=CLASSES, source_name="net.tflite")
    assert caught.value.where == "net.tflite"
    assert "--preprocess inception" in caught.value.hints[0]


def test_labels_that_do_not_fit() -> None:
    with pytest.raises(ModelFileError, match="15 labels for 16 classes"):
        attach(shapes_float(), preprocess=INCEPTION, labels=CLASSES[1:])


def test_what_others_put_into_the_archive_is_kept_but_for_labels() -> None:
    model = shapes_float()
    entries = [ArchiveEntry("labelmap.txt", "\n".join(CLASSES).encode()), ArchiveEntry("calibration.csv", b"1,2\n")]
    data = attach(model + write_archive(entries, len(model)), preprocess=INCEPTION)
    archive = read_archive(data)
    assert archive is not None
    assert [entry.name for entry in archive.entries] == ["labels.txt", "mnkit.json", "calibration.csv"]
    assert read(data).labels == CLASSES


def test_it_is_the_remedy_for_a_file_of_ours_that_another_tool_changed() -> None:
    ours = attach(shapes_float(), preprocess=INCEPTION, labels=CLASSES)
    archive = read_archive(ours)
    assert archive is not None
    stripped = ours[: archive.start]
    with pytest.raises(ModelFileError, match="has changed since"):
        attach(stripped, labels=CLASSES)
    assert read(attach(stripped, preprocess=INCEPTION, labels=CLASSES)).is_ours


def test_it_is_the_remedy_for_an_archive_that_cannot_be_read() -> None:
    ours = attach(shapes_float(), preprocess=INCEPTION, labels=CLASSES)
    archive = read_archive(ours)
    assert archive is not None
    damaged = bytearray(ours)
    damaged[archive.start + 60] ^= 1  # a letter of a label
    with pytest.raises(ModelFileError, match="archive after the flatbuffer cannot be read"):
        attach(bytes(damaged), labels=CLASSES)
    mended = attach(bytes(damaged), preprocess=INCEPTION, labels=CLASSES)
    assert (read(mended).is_ours, read(mended).labels) == (True, CLASSES)
    assert read_archive(mended[: read(mended).flatbuffer_size]) is None
    assert read(mended).flatbuffer_size == archive.start


def test_what_was_assumed_is_recorded_as_assumed() -> None:
    b = GraphBuilder()
    x = b.activation("image", (1, 4, 4, 3), "uint8", quantization(1 / 128, 128))
    y = b.activation("scores", (1, 3), "uint8", quantization(1 / 128, 128))
    axes = b.constant("axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [x, axes], [y], "ReducerOptions", {"keep_dims": False}, version=2)
    contract = read(attach(b.build([x], [y]))).contract
    assert contract is not None
    assert contract.preprocess is not None
    assert contract.preprocess.source is PreprocessSource.ASSUMED


def inputs(*shapes: tuple[int, ...], signature: tuple[int, ...] | None = None) -> bytes:
    b = GraphBuilder()
    names = [b.activation(f"x{i}", shape, signature=signature) for i, shape in enumerate(shapes)]
    outputs = [b.activation(f"y{i}", shape, signature=signature) for i, shape in enumerate(shapes)]
    for x, y in zip(names, outputs, strict=True):
        b.operator("RELU6", [x], [y])
    return b.build(names, outputs)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (inputs((1, 4, 4, 3), (1, 4, 4, 3)), "has 2 inputs"),
        (inputs((1, 16)), "a picture is"),
        (inputs((1, 4, 4, 4)), "a picture is"),
        (inputs((1, 1, 1, 3), signature=(1, -1, -1, 3)), "need a fixed height and width"),
    ],
)
def test_what_is_no_picture(model: bytes, message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        annotate(model, run=lambda arrays: list(arrays), preprocess=UNIT)


@pytest.mark.shared
def test_files_by_others(shared: Path) -> None:
    for path in sorted((shared / "models").glob("*.tflite")):
        data = attach(path.read_bytes(), source_name=path.name)
        assert read(data).labels == read_model(path.read_bytes(), where="").labels
        assert attach(data) == data
        assert is_verified(data)


def verified(data: bytes, verification: dict[str, Any]) -> bytes:
    """A file of ours with what a converter measured in its contract."""
    contract = read(data).contract
    assert contract is not None
    return write_contract(data, replace(contract, verification=verification))


@pytest.mark.parametrize(
    ("stated", "is_kept"),
    [
        (None, True),
        (INCEPTION, True),
        (replace(INCEPTION, source=PreprocessSource.ASSUMED), True),
        (UNIT, False),
        (replace(INCEPTION, order="bgr"), False),
    ],
)
def test_a_verification_holds_for_the_preprocessing_it_was_measured_with(stated: Any, is_kept: bool) -> None:
    measured = {"agreement_percent": 99.5}
    before = verified(attach(shapes_float(), preprocess=INCEPTION), measured)
    contract = read(attach(before, preprocess=stated)).contract
    assert contract is not None
    assert contract.verification == (measured if is_kept else None)
