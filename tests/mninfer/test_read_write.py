"""A file of ours carries everything, has one form, and shows any damage; other people's files say what they can."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.archive import ArchiveEntry, read_archive, write_archive
from mninfer.model_file.contract import CONTRACT_NAME, Contract
from mninfer.model_file.describe import ModelDescription
from mninfer.model_file.metadata import METADATA_NAME, Content, FileMetadata, LabelKind, TensorMetadata, write_metadata
from mninfer.model_file.read import MARK_NAME, ModelFile, read_model
from mninfer.model_file.rewrite import remove_metadata, replace_metadata
from mninfer.model_file.write import without_contract, write_contract
from mninfer.preprocessing import PRESETS, PreprocessSource
from mninfer.spec import Provenance, Task
from support.builder import GraphBuilder, quantization
from support.networks import colour_segmenter, embedder, red_detector, shapes_float, shapes_int8
from support.others import read_other
from support.pictures import CLASSES

CONTRACT = Contract(
    task=Task.CLASSIFY,
    preprocess=replace(PRESETS["inception"], source=PreprocessSource.INFERRED),
    provenance=Provenance(source_name="shapes.h5", source_sha256="1" * 64, keras_version="3.15.0", recipe="int8"),
    verification={"agreement_percent": 99.0},
)


@cache
def small() -> bytes:
    """The smallest classifier: mean colour, three classes."""
    b = GraphBuilder()
    x = b.activation("image", (1, 4, 4, 3), "uint8", quantization(1 / 128, 128))
    y = b.activation("scores", (1, 3), "uint8", quantization(1 / 128, 128))
    axes = b.constant("axes", np.array([1, 2], np.int32))
    b.operator("MEAN", [x, axes], [y], "ReducerOptions", {"keep_dims": False}, version=2)
    return b.build([x], [y])


@cache
def small_ours() -> bytes:
    return write_contract(small(), CONTRACT, ("red", "green", "blue"))


def read(data: bytes, *, strict: bool = True) -> ModelFile:
    return read_model(data, where="net.tflite", strict=strict)


@pytest.mark.smoke
def test_everything_comes_back() -> None:
    about = ModelDescription(name="Shapes", description="Names shapes.", version="1", author="us", license="Apache-2.0")
    file = read(write_contract(shapes_float(), CONTRACT, CLASSES, about=about))
    assert file.is_ours
    assert file.labels == CLASSES
    assert file.contract is not None
    assert file.contract == replace(CONTRACT, digest=file.contract.digest)
    assert file.preprocess == replace(PRESETS["inception"], source=PreprocessSource.FILE)
    assert file.metadata is not None
    assert (file.metadata.name, file.metadata.license) == ("Shapes", "Apache-2.0")
    assert file.warnings == ()


@pytest.mark.smoke
def test_the_metadata_says_what_foreign_readers_need() -> None:
    for data in (shapes_float(), shapes_int8(ends="uint8"), shapes_int8(ends="int8")):
        metadata = read(write_contract(data, CONTRACT, CLASSES)).metadata
        assert metadata is not None
        (image,), (scores,) = metadata.inputs, metadata.outputs
        assert (image.content, image.is_rgb, image.mean, image.std) == (Content.IMAGE, True, (127.5,), (127.5,))
        assert (image.minimum, image.maximum) == (((0,), (255,)) if "uint8" in str(read(data).graph.tensors[0].dtype)
                                                  else ((-1,), (1,)))  # fmt: skip
        assert [(file.name, file.kind) for file in scores.label_files] == [("labels.txt", LabelKind.AXIS)]
        assert scores.name == "probability"


@pytest.mark.smoke
def test_detector_segmenter_and_embedder_have_their_own_metadata() -> None:
    detect = replace(CONTRACT, task=Task.DETECT, preprocess=PRESETS["raw"])
    metadata = read(write_contract(red_detector(), detect, ("red",))).metadata
    assert metadata is not None
    assert [output.name for output in metadata.outputs] == ["location", "category", "score", "number of detections"]
    assert [output.content for output in metadata.outputs][:2] == [Content.BOXES, Content.FEATURE]
    assert metadata.outputs[1].label_files[0].kind is LabelKind.VALUE
    for is_mask, kind in ((False, LabelKind.AXIS), (True, LabelKind.VALUE)):
        segment = replace(detect, task=Task.SEGMENT)
        metadata = read(write_contract(colour_segmenter(argmax=is_mask), segment, tuple("abcde"))).metadata
        assert metadata is not None
        assert metadata.outputs[0].label_files[0].kind is kind
    file = read(write_contract(embedder(), replace(CONTRACT, task=Task.EMBED)))
    assert file.metadata is not None
    assert (file.labels, file.metadata.outputs[0].name) == (None, "feature")


@pytest.mark.smoke
def test_means_that_differ_are_written_one_by_one_and_bgr_is_not_called_rgb() -> None:
    metadata = read(write_contract(shapes_float(), replace(CONTRACT, preprocess=PRESETS["caffe"]))).metadata
    assert metadata is not None
    assert metadata.inputs[0].mean == pytest.approx((103.939, 116.779, 123.68))
    assert metadata.inputs[0].std == (1.0, 1.0, 1.0)
    assert not metadata.inputs[0].is_rgb


@pytest.mark.smoke
def test_writing_twice_equals_once() -> None:
    once = write_contract(shapes_int8(), CONTRACT, CLASSES)
    assert write_contract(once, CONTRACT, CLASSES) == once
    other = write_contract(write_contract(shapes_int8(), CONTRACT), CONTRACT, CLASSES)
    assert other == once


@pytest.mark.smoke
def test_taken_out_again_it_leaves_the_model_alone() -> None:
    bare = without_contract(small_ours())
    assert not read(bare).is_ours
    assert write_contract(bare, CONTRACT, ("red", "green", "blue")) == small_ours()
    assert without_contract(bare) == bare
    assert without_contract(small()) == small()


@pytest.mark.smoke
def test_the_zip_holds_labels_contract_and_what_was_kept() -> None:
    data = write_contract(small(), CONTRACT, ("a", "b", "c"), kept_entries=[ArchiveEntry("labels_de.txt", b"rot\n")])
    archive = read_archive(data)
    assert archive is not None
    assert [entry.name for entry in archive.entries] == ["labels.txt", "mnkit.json", "labels_de.txt"]
    assert archive.start % 4 == 0
    assert read(data).is_ours


@pytest.mark.smoke
@pytest.mark.parametrize(("labels", "message"), [(CLASSES[1:], "15 labels for 16 classes"), (CLASSES * 2, "32 labels")])
def test_labels_that_do_not_fit_are_not_written(labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        write_contract(shapes_float(), CONTRACT, labels)


def is_refused(data: bytes) -> bool:
    try:
        read(data)
    except ModelFileError:
        return True
    return False


def every_damage(data: bytes) -> Iterator[tuple[str, bytes]]:
    for offset in range(len(data)):
        changed = bytearray(data)
        changed[offset] ^= 1 << (offset % 8)
        yield f"byte {offset} changed", bytes(changed)


@pytest.mark.smoke
def test_any_changed_byte_is_noticed() -> None:
    read(small_ours())
    for what, damaged in every_damage(small_ours()):
        assert is_refused(damaged), what


@pytest.mark.smoke
def test_any_truncation_is_noticed() -> None:
    data = small_ours()
    for size in range(len(data)):
        assert is_refused(data[:size]), size


@pytest.mark.smoke
@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_overwritten_bytes_are_noticed(place: int, content: bytes) -> None:
    data = small_ours()
    offset = place % len(data)
    damaged = (data[:offset] + content + data[offset + len(content) :])[: max(len(data), offset + len(content))]
    if damaged != data:
        with pytest.raises((ModelFileError, UnsupportedModelError)):  # the latter where archive and operators are hit
            read(damaged)


@pytest.mark.smoke
def test_what_has_changed_is_said() -> None:
    data = small_ours()
    archive = read_archive(data)
    assert archive is not None
    without = data[: archive.start]
    with pytest.raises(ModelFileError, match=r"was written by mnkit and has changed since: the archive .* missing"):
        read(without)
    date = bytearray(data)
    date[archive.start + 12] ^= 1
    with pytest.raises(ModelFileError, match="its archive is not as it was written"):
        read(bytes(date))
    with pytest.raises(ModelFileError, match="does not have the recorded digest"):
        read(data.replace(b"scores", b"Scores"))
    unmarked = data[: archive.start].replace(MARK_NAME.encode(), b"mnKIT")
    with pytest.raises(ModelFileError, match="recorded digest"):
        read(unmarked + write_archive(archive.entries, archive.start))


@pytest.mark.smoke
def test_leniency_puts_a_damaged_contract_aside_and_says_so() -> None:
    file = read(small_ours().replace(b"scores", b"Scores"), strict=False)
    assert not file.is_ours
    assert file.labels == ("red", "green", "blue")
    assert len(file.warnings) == 1
    assert "has changed since" in file.warnings[0]


@pytest.mark.smoke
def test_a_flatbuffer_that_lost_its_mark_has_changed_too() -> None:
    archive = read_archive(small_ours())
    assert archive is not None
    flatbuffer = remove_metadata(small_ours()[: archive.start], {MARK_NAME})
    file = read(flatbuffer + write_archive(archive.entries, len(flatbuffer)), strict=False)
    assert (file.is_ours, file.has_changed) == (False, True)


@pytest.mark.smoke
def test_a_contract_with_labels_that_do_not_fit_is_refused() -> None:
    archive = read_archive(small_ours())
    assert archive is not None
    entries = [replace(entry, data=b"a\nb\n") if entry.name == "labels.txt" else entry for entry in archive.entries]
    data = small_ours()[: archive.start] + write_archive(entries, archive.start)
    with pytest.raises(ModelFileError, match="2 labels for 3 classes"):
        read(data)


@pytest.mark.smoke
def test_a_newer_contract_says_upgrade_whatever_else_it_changes() -> None:
    archive = read_archive(small_ours())
    assert archive is not None
    value = json.loads(archive.find(CONTRACT_NAME) or b"") | {"schema": 7, "digest": "blake3:0"}
    entry = ArchiveEntry(CONTRACT_NAME, json.dumps(value).encode())
    data = small_ours()[: archive.start] + write_archive([entry], archive.start)
    with pytest.raises(ModelFileError, match="written by a newer mnkit"):
        read(data)


# ---- files by others ----


def with_metadata(*, mean: tuple[float, ...] = (), std: tuple[float, ...] = (), is_rgb: bool = True) -> bytes:
    image = TensorMetadata(name="image", content=Content.IMAGE, is_rgb=is_rgb, mean=mean, std=std)
    return replace_metadata(small(), {METADATA_NAME: write_metadata(FileMetadata(inputs=(image,)))})


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("mean", "std"), [((127.5,), (127.5,)), ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), ((0.0,), (1.0, 2.0, 3.0))]
)
def test_metadata_gives_mean_and_std_and_stretching_is_assumed(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    spec = read(with_metadata(mean=mean, std=std)).preprocess
    assert spec is not None
    assert spec.mean == (mean if len(mean) == 3 else mean * 3)
    assert spec.std == (std if len(std) == 3 else std * 3)
    assert (spec.resize, spec.source) == ("stretch", "assumed")


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("mean", "std", "is_rgb", "warning"),
    [
        ((1.0, 2.0), (1.0, 2.0), True, "2 means and 2 deviations"),
        ((0.0,), (0.0,), True, "which cannot be"),
        ((127.5,), (-127.5,), True, "which cannot be"),
        ((float("nan"),), (1.0,), True, "which cannot be"),
        ((0.0,), (1.0,), False, "does not say that the input is RGB"),
    ],
)
def test_metadata_that_cannot_be_is_not_used(
    mean: tuple[float, ...], std: tuple[float, ...], is_rgb: bool, warning: str
) -> None:
    file = read(with_metadata(mean=mean, std=std, is_rgb=is_rgb))
    assert file.preprocess is None
    assert warning in file.warnings[0]


@pytest.mark.smoke
def test_a_bare_uint8_input_takes_pixels_and_a_bare_float_input_is_not_guessed() -> None:
    spec = read(small()).preprocess
    assert spec == replace(PRESETS["raw"], source=PreprocessSource.ASSUMED)
    assert read(with_metadata()).preprocess == spec
    assert read(shapes_float()).preprocess is None
    assert read(shapes_int8(ends="int8")).preprocess is None


@pytest.mark.smoke
def test_damaged_metadata_is_an_error_or_left_aside() -> None:
    data = replace_metadata(small(), {METADATA_NAME: b"\xff" * 64})
    with pytest.raises(ModelFileError, match="its TFLite metadata cannot be read"):
        read(data)
    assert read(data, strict=False).metadata is None


@pytest.mark.smoke
def test_labels_without_metadata_are_found() -> None:
    for name in ("labelmap.txt", "names.txt"):
        data = small() + write_archive([ArchiveEntry(name, b"a\nb\nc\n"), ArchiveEntry("x.bin", b"")], len(small()))
        assert read(data).labels == ("a", "b", "c")
    two = [ArchiveEntry("a.txt", b"a\n"), ArchiveEntry("b.txt", b"b\n")]
    assert read(small() + write_archive(two, len(small()))).labels is None


@pytest.mark.smoke
def test_a_file_of_ours_with_an_entry_of_a_name_that_is_not_utf8_is_read() -> None:
    """It was a ValueError where the archive is held against what would be written: its name had grown too long."""
    ours = small_ours()
    archive = read_archive(ours)
    assert archive is not None
    entries = [*archive.entries, ArchiveEntry("A" * 200, b"x")]
    changed = write_archive(entries, archive.start).replace(b"A" * 200, b"\xff" * 200)
    assert read(ours[: archive.start] + changed).labels == ("red", "green", "blue")


@pytest.mark.smoke
def test_other_peoples_labels_that_do_not_fit_are_a_warning() -> None:
    data = small() + write_archive([ArchiveEntry("labels.txt", b"a\nb\n")], len(small()))
    file = read(data)
    assert file.labels == ("a", "b")
    assert file.warnings == ("2 labels for 3 classes",)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "num_labels", "first"),
    [
        ("coco_ssd_mobilenet_v1_1.0_quant_2018_06_29", 90, "person"),
        ("mobilenet_v1_0.25_224_quant_with_metadata", 1001, "background"),
        ("mobilenet_v1_0.25_128_quant", 1001, "background"),
        ("mobilenet_v2_1.0_224_quant", 1001, "background"),
    ],
)
def test_files_by_others(shared: Path, name: str, num_labels: int, first: str) -> None:
    file = read(read_other(shared, name))
    assert file.labels is not None
    assert (len(file.labels), file.labels[0]) == (num_labels, first)
    assert file.preprocess == replace(PRESETS["inception"], source=PreprocessSource.ASSUMED)
    assert file.warnings == ()
    assert not file.is_ours
