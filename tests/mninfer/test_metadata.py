"""TFLite metadata both ways, and as other readers and writers have it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mninfer.errors import ModelFileError
from mninfer.model_file.flatbuffer import decode, load_schema
from mninfer.model_file.metadata import (
    METADATA_NAME,
    Content,
    FileMetadata,
    LabelFile,
    LabelKind,
    TensorMetadata,
    read_metadata,
    write_metadata,
)
from mninfer.model_file.read import read_model
from support.others import read_other

IMAGE = TensorMetadata(
    name="image",
    description="224 x 224",
    content=Content.IMAGE,
    is_rgb=True,
    mean=(127.5,),
    std=(127.5,),
    minimum=(-1.0,),
    maximum=(1.0,),
)
PROBABILITY = TensorMetadata(
    name="probability", content=Content.FEATURE, label_files=(LabelFile("labels.txt", LabelKind.AXIS, "en"),)
)
METADATA = FileMetadata(
    name="Net",
    description="Names things.",
    version="v1",
    author="Somebody",
    license="Apache-2.0",
    inputs=(IMAGE,),
    outputs=(PROBABILITY, TensorMetadata(content=Content.BOXES), TensorMetadata()),
)


@pytest.mark.smoke
def test_what_is_written_is_read() -> None:
    read = read_metadata(write_metadata(METADATA))
    assert read.min_parser_version == "1.0.0"
    assert (read.inputs, read.outputs) == (METADATA.inputs, METADATA.outputs)
    assert (read.name, read.author, read.license) == ("Net", "Somebody", "Apache-2.0")


@pytest.mark.smoke
def test_it_is_a_metadata_flatbuffer_with_what_readers_look_for() -> None:
    data = write_metadata(METADATA)
    assert data[4:8] == b"M001"
    table = decode(data, load_schema("metadata"))
    (subgraph,) = table["subgraph_metadata"]
    (image,) = subgraph["input_tensor_metadata"]
    assert image["content"]["content_properties"]["color_space"] == 1
    assert image["process_units"] == [{"options_type": 1, "options": {"mean": (127.5,), "std": (127.5,)}}]
    assert image["stats"] == {"min": (-1.0,), "max": (1.0,)}
    assert subgraph["output_tensor_metadata"][0]["associated_files"][0]["type"] == 2
    assert subgraph["output_tensor_metadata"][1]["content"]["content_properties"]["index"] == (1, 0, 3, 2)


@pytest.mark.smoke
def test_empty_metadata_goes_round() -> None:
    assert read_metadata(write_metadata(FileMetadata())) == FileMetadata(min_parser_version="1.0.0")


@pytest.mark.smoke
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_metadata(data)
    except ModelFileError:
        pass


@pytest.mark.smoke
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused(offset: int, value: int) -> None:
    data = bytearray(write_metadata(METADATA))
    data[offset % len(data)] = value
    try:
        read_metadata(bytes(data))
    except ModelFileError:
        pass


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "title", "label_kind", "label_file"),
    [
        ("coco_ssd_mobilenet_v1_1.0_quant_2018_06_29", "Coco SSD MobileNetV1", LabelKind.VALUE, "labelmap.txt"),
        ("mobilenet_v1_0.25_224_quant_with_metadata", "MobileNetV1 image classifier (quantized)", LabelKind.AXIS,
         "labels.txt"),
        ("mobilenet_v2_1.0_224_quant", "ImageClassifier", LabelKind.AXIS, "imagenet_labels.txt"),
    ],
)  # fmt: skip
def test_files_by_others(shared: Path, name: str, title: str, label_kind: LabelKind, label_file: str) -> None:
    data = read_other(shared, name)
    metadata = read_metadata(read_model(data, where=name).graph.metadata[METADATA_NAME])
    assert metadata.name == title
    assert (metadata.inputs[0].mean, metadata.inputs[0].std, metadata.inputs[0].is_rgb) == ((127.5,), (127.5,), True)
    files = [file for output in metadata.outputs for file in output.label_files]
    assert files == [LabelFile(label_file, label_kind)]
